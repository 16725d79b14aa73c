package io.errand.cli;

import io.errand.text.Visible;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What options, the environment and the context say to the client, in this order. A context that
 * {@code --context} names goes before the environment; the data directory comes last.
 */
final class ClientSettings {
  /** What {@code --project} says; a process runs one command. */
  private static volatile @Nullable String chosenProject;

  /** What {@code --context} says. */
  private static volatile @Nullable String chosenContext;

  private static volatile @Nullable Context context;
  private static volatile boolean isContextRead;

  private ClientSettings() {}

  /** Has all calls of this process name a project. */
  static void workIn(String project) {
    chosenProject = project;
  }

  /** Has all calls of this process go to the server of a context. */
  static void chooseContext(String name) {
    chosenContext = name;
  }

  /** The context that is in use, or null for none. */
  private static @Nullable Context context() {
    if (!isContextRead) {
      String wanted = chosenContext == null ? of("ERRAND_CONTEXT") : chosenContext;
      if (chosenContext != null) {
        context = Contexts.read().get(chosenContext);
      } else if (of("ERRAND_URL") == null) {
        context =
            wanted != null
                ? Contexts.read().get(wanted)
                : of("ERRAND_HOME") == null ? Contexts.read().inUse() : null;
      }
      isContextRead = true;
    }
    return context;
  }

  /** A variable that stands before the same of the context, unless an option names the context. */
  private static @Nullable String variable(String name) {
    return chosenContext == null ? of(name) : null;
  }

  private static @Nullable String first(@Nullable String one, @Nullable String other) {
    return one == null ? other : one;
  }

  /** The address of the server, or null for that of the data directory. */
  static @Nullable String url() {
    Context used = context();
    return first(variable("ERRAND_URL"), used == null ? null : used.url());
  }

  /** The token, or null for a login or that of the data directory. */
  static @Nullable String token() {
    Context used = context();
    return first(variable("ERRAND_TOKEN"), used == null ? null : used.token());
  }

  /** The file with the certificates of authorities, or null. */
  static @Nullable String authorities() {
    Context used = context();
    return first(variable("ERRAND_CA_FILE"), used == null ? null : used.caFile());
  }

  /** What names the server, for messages. */
  static String nameOfUrl() {
    Context used = context();
    return used == null || variable("ERRAND_URL") != null
        ? "ERRAND_URL"
        : "the context " + used.name();
  }

  /** What names the token, for messages. */
  static String nameOfToken() {
    Context used = context();
    return used == null || variable("ERRAND_TOKEN") != null
        ? "ERRAND_TOKEN"
        : "the context " + used.name();
  }

  /** The project that calls name, or null for that of the caller. */
  static @Nullable String project() {
    Context used = context();
    String project =
        first(
            chosenProject, first(variable("ERRAND_PROJECT"), used == null ? null : used.project()));
    return project == null ? null : checkedProject(project);
  }

  /** A name of a project. */
  static String checkedProject(String project) {
    if (!project.matches("[a-z0-9][a-z0-9._-]{0,62}")) {
      throw new ClientException(
          ExitCodes.USAGE, "'" + Visible.line(project) + "' is no name of a project");
    }
    return project;
  }

  /** Without slashes at the end, and without the first part of all routes. */
  static String plain(String url) {
    return url.replaceFirst("(?:/+v1)?/*\\z", "");
  }

  /** The data directory. */
  static Path home() {
    Context used = context();
    String home = first(used == null ? null : used.home(), variable("ERRAND_HOME"));
    if (home != null) {
      return Path.of(home);
    }
    if (System.getProperty("user.name", "").equals("root")) {
      return Path.of("/var/lib/errand");
    }
    String own = of("HOME");
    String known = own == null ? System.getProperty("user.home", "") : own;
    if (!known.startsWith("/")) { // the JDK says ? where this user has no account
      throw new ClientException(
          ExitCodes.USAGE, "this user has no home directory; set HOME or ERRAND_HOME");
    }
    return Path.of(known, ".errand");
  }

  /** Where the client keeps what it is told: {@code XDG_CONFIG_HOME/errand}, as is usual. */
  static Path configuration() {
    String config = of("XDG_CONFIG_HOME");
    String home = of("HOME");
    Path base =
        config != null && config.startsWith("/")
            ? Path.of(config)
            : Path.of(home == null ? System.getProperty("user.home", "/") : home, ".config");
    return base.resolve("errand");
  }

  /** The value of a variable, or null. */
  static @Nullable String of(String name) {
    String value = System.getenv(name);
    return value == null || value.isBlank() ? null : value.strip();
  }

  /** The text of a small file of one line, or null. */
  static @Nullable String firstLine(Path file) {
    try {
      return Files.readString(file).trim();
    } catch (IOException e) {
      return null;
    }
  }
}
