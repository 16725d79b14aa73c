package io.errand.api.logs;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import org.jboss.logmanager.Level;
import org.jspecify.annotations.Nullable;

/**
 * Levels of the log of this process that were changed while it runs. Only categories of Errand can
 * be changed: others, such as those of drivers, may log what is secret. A restart forgets them.
 */
@ApplicationScoped
class LogLevels {
  static final String ROOT = "io.errand";

  /** How many categories may be changed at once. */
  static final int MOST = 50;

  static final Map<String, Level> LEVELS =
      Map.of("error", Level.ERROR, "warn", Level.WARN, "info", Level.INFO, "debug", Level.DEBUG);

  private static final Pattern CATEGORY =
      Pattern.compile("io\\.errand(\\.[A-Za-z][A-Za-z0-9_]{0,63}){0,8}");

  private final Map<String, Logger> changed = new TreeMap<>(); // guarded by this, kept from gc

  /**
   * A category.
   *
   * @param name of the category
   * @param level from which on its lines are logged
   * @param changed whether a call has set it
   */
  record LogLevel(String name, String level, boolean changed) {}

  static boolean isCategory(String name) {
    return CATEGORY.matcher(name).matches();
  }

  /** All that were changed, and the one above all of Errand. */
  synchronized List<LogLevel> all() {
    List<LogLevel> all = new ArrayList<>();
    if (!changed.containsKey(ROOT)) {
      all.add(of(ROOT));
    }
    changed.keySet().forEach(name -> all.add(of(name)));
    return all;
  }

  /** One category, changed or not. */
  synchronized LogLevel of(String name) {
    return new LogLevel(name, effective(Logger.getLogger(name)), changed.containsKey(name));
  }

  /** The level of the nearest category above that has one. */
  private static String effective(Logger logger) {
    @Nullable Logger each = logger;
    while (each != null && each.getLevel() == null) {
      each = each.getParent();
    }
    return each == null ? "info" : each.getLevel().getName().toLowerCase(Locale.ROOT);
  }

  /** Sets a level. False if there are too many. */
  synchronized boolean set(String name, Level level) {
    if (changed.size() >= MOST && !changed.containsKey(name)) {
      return false;
    }
    Logger logger = Logger.getLogger(name);
    changed.put(name, logger);
    logger.setLevel(level);
    return true;
  }

  /** Lets a category have the level of the one above it again. False if it was not changed. */
  synchronized boolean reset(String name) {
    Logger logger = changed.remove(name);
    if (logger != null) {
      logger.setLevel(null);
    }
    return logger != null;
  }
}
