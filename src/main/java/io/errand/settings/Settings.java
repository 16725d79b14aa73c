package io.errand.settings;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The values of all settings, read once at the start. A system property comes before the variable
 * of the same name. Blanks around a value and the line end that files of secrets have are no part
 * of it; a value that is then empty is not set.
 */
public final class Settings {
  /** Variables that are no settings of the server, and are meant all the same. */
  private static final String OTHERS =
      "ERRAND_(URL|CA_FILE|PROJECT|OIDC_CLIENT_ID|JAVA_OPTIONS|CLIENT_JAVA_OPTIONS|CHECKOUT|JOB_ID|ATTEMPT|CLAIM_TOKEN|CONCURRENCY_KEY"
          + "|COMMAND_COOKIE|COOKIE|SECRET_[A-Z0-9_]+|[A-Z0-9_]*SERVICE_[A-Z0-9_]*|([A-Z0-9_]*_)?PORT(_.*)?)";

  private final Map<String, String> values; // by name

  private Settings(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Those of this process.
   *
   * @throws IllegalStateException with a sentence, if a value makes no sense
   */
  public static Settings ofThisProcess() {
    refuseWhatIsNoText();
    return read(System.getenv(), System.getProperties());
  }

  /**
   * Those of an environment and of properties.
   *
   * @throws IllegalStateException with a sentence, if a value makes no sense
   */
  static Settings read(Map<String, String> environment, Properties properties) {
    Map<String, String> values = new LinkedHashMap<>();
    for (Setting setting : AllSettings.LIST) {
      String value = properties.getProperty(setting.property());
      if (value == null) {
        value = environment.get(setting.variable());
      }
      value = value == null ? "" : trimmed(setting, value);
      if (!value.isEmpty()) {
        setting.check(value);
        values.put(setting.name(), value);
      }
    }
    return new Settings(values);
  }

  private static String trimmed(Setting setting, String value) {
    return setting.name().equals("database-password")
        ? value.replaceFirst("\\r?\\n\\z", "")
        : value.strip();
  }

  /** The value that is set, or null. */
  public @Nullable String get(String name) {
    return values.get(name);
  }

  /**
   * What tells of variables and properties of this process that look like settings and are none.
   */
  public static List<String> unknown() {
    return unknown(System.getenv(), System.getProperties());
  }

  /** The same of an environment and of properties, before {@link #publish}. */
  static List<String> unknown(Map<String, String> environment, Properties properties) {
    List<String> unknown = new ArrayList<>();
    for (String name : new TreeSet<>(environment.keySet())) {
      if (name.startsWith("ERRAND_")
          && !name.matches(OTHERS)
          && AllSettings.LIST.stream().noneMatch(setting -> setting.variable().equals(name))) {
        unknown.add(name + " is no setting of this server");
      }
    }
    for (String name : new TreeSet<>(properties.stringPropertyNames())) {
      if (name.startsWith("errand.")
          && AllSettings.LIST.stream().noneMatch(setting -> setting.property().equals(name))) {
        unknown.add("the property " + name + " is no setting of this server");
      }
    }
    return unknown;
  }

  /**
   * Makes them the configuration of this process, so that nothing but this list decides: the
   * framework reads system properties before variables. A dollar sign is not to be expanded.
   */
  public void publish() {
    for (Setting setting : AllSettings.LIST) {
      String value = values.get(setting.name());
      String standard = setting.standard();
      System.setProperty(
          setting.property(),
          value != null ? escaped(value) : standard == null ? "" : escaped(standard));
    }
  }

  /** As the framework wants a text that holds no expression. */
  public static String escaped(String value) {
    return value.replace("$", "\\$");
  }

  /** The values that must not be shown. */
  public List<String> secrets() {
    List<String> secrets = new ArrayList<>();
    for (Setting setting : AllSettings.LIST) {
      String value = values.get(setting.name());
      if (setting.isSecret() && value != null) {
        secrets.add(value);
      }
    }
    return secrets;
  }

  /** A text in which no secret of these settings stands. */
  public String withoutSecrets(String text) {
    String clean = text;
    for (Setting setting : AllSettings.LIST) {
      String value = values.get(setting.name());
      if (setting.isSecret() && value != null && value.length() > 3) {
        clean = clean.replace(value, "(" + setting.variable() + ")");
      }
    }
    return clean;
  }

  /** A line for each that is set, secrets not shown. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    for (Setting setting : AllSettings.LIST) {
      String value = values.get(setting.name());
      if (value != null) {
        lines.add(setting.variable() + (setting.isSecret() ? " is set" : "=" + Form.shown(value)));
      }
    }
    return lines;
  }

  /** Java replaces what is not UTF-8, and the value would be another than was meant. */
  private static void refuseWhatIsNoText() {
    String environment;
    try {
      environment =
          new String(
              Files.readAllBytes(Path.of("/proc/self/environ")), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return; // no /proc: then Java's own reading has to do
    }
    for (String variable : environment.split("\0")) {
      if (variable.startsWith("ERRAND_") || variable.startsWith("HOME=")) {
        try {
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(variable.getBytes(StandardCharsets.ISO_8859_1)));
        } catch (CharacterCodingException e) {
          throw new IllegalStateException(
              "The value of "
                  + variable.substring(0, Math.max(0, variable.indexOf('=')))
                  + " is not UTF-8; set it to text");
        }
      }
    }
  }
}
