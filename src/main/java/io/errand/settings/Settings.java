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
 * The values of all settings, read once at the start. The nearest source that has a value counts: a
 * system property, the variable, a file of {@code ERRAND_CONFIG}, Vault, Consul, the default.
 * Blanks around a value and the line end that files of secrets have are no part of it; a value that
 * is then empty is not set.
 */
public final class Settings {
  /** Variables that are no settings of the server, and are meant all the same. */
  private static final String OTHERS =
      "ERRAND_(URL|CA_FILE|PROJECT|OIDC_CLIENT_ID|JAVA_OPTIONS|CLIENT_JAVA_OPTIONS|CHECKOUT|JOB_ID|ATTEMPT|CLAIM_TOKEN|CONCURRENCY_KEY"
          + "|COMMAND_COOKIE|COOKIE|SECRET_[A-Z0-9_]+|[A-Z0-9_]*SERVICE_[A-Z0-9_]*|([A-Z0-9_]*_)?PORT(_.*)?)";

  private final Map<String, Found> values; // by name

  private Settings(Map<String, Found> values) {
    this.values = values;
  }

  /**
   * Those of this process.
   *
   * @throws SettingsException if a value or a source makes no sense
   */
  public static Settings ofThisProcess() {
    refuseWhatIsNoText();
    return read(System.getenv(), System.getProperties());
  }

  /**
   * Those of an environment, of properties, and of the sources that they name.
   *
   * @throws SettingsException if a value or a source makes no sense
   */
  static Settings read(Map<String, String> environment, Properties properties) {
    List<String> mistakes = new ArrayList<>();
    Map<String, Found> near = new LinkedHashMap<>();
    for (Setting setting : AllSettings.LIST) {
      String property = properties.getProperty(setting.property());
      String text = property != null ? property : environment.get(setting.variable());
      String value = text == null ? "" : setting.trimmed(text);
      String complaint = value.isEmpty() ? "" : setting.form().complaint().apply(value);
      if (!complaint.isEmpty()) {
        mistakes.add(setting.variable() + complaint);
      } else if (!value.isEmpty()) {
        near.put(setting.name(), new Found(value, property != null ? "property" : "environment"));
      }
    }
    Map<String, Found> all =
        new LinkedHashMap<>(
            ConfigFiles.read(text(near, "config"), text(near, "profile"), mistakes));
    all.putAll(near);
    if (mistakes.isEmpty()) { // else it is not known what is meant
      Map<String, Found> central = CentralReads.read(name -> text(all, name), mistakes);
      central.forEach(all::putIfAbsent);
    }
    if (all.containsKey("vault-database")) {
      checkVaultDatabase(all, mistakes);
    }
    if (!mistakes.isEmpty()) {
      throw new SettingsException(mistakes, new Settings(all));
    }
    return new Settings(all);
  }

  private static void checkVaultDatabase(Map<String, Found> all, List<String> mistakes) {
    if (!all.containsKey("vault-url") || !all.containsKey("database-url")) {
      mistakes.add(
          "ERRAND_VAULT_DATABASE is set; set ERRAND_VAULT_URL and ERRAND_DATABASE_URL, too");
    }
    if (all.containsKey("database-user") || all.containsKey("database-password")) {
      mistakes.add(
          "ERRAND_VAULT_DATABASE takes the place of ERRAND_DATABASE_USER and"
              + " ERRAND_DATABASE_PASSWORD; set that one or these two");
    }
  }

  private static @Nullable String text(Map<String, Found> values, String name) {
    Found found = values.get(name);
    return found == null ? null : found.value();
  }

  /** The value that is set, or null. */
  public @Nullable String get(String name) {
    return text(values, name);
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
      if (name.startsWith("ERRAND_") && !name.matches(OTHERS) && Names.ofVariable(name).isEmpty()) {
        unknown.add(name + " is no setting of this server" + Names.variableNear(name));
      }
    }
    for (String name : new TreeSet<>(properties.stringPropertyNames())) {
      if (name.startsWith("errand.") && Names.ofProperty(name).isEmpty()) {
        unknown.add(
            "the property " + name + " is no setting of this server" + Names.propertyNear(name));
      }
    }
    return unknown;
  }

  /**
   * Makes them the configuration of this process, so that nothing but this list decides: the
   * framework reads system properties before variables. A dollar sign is not to be expanded. Where
   * settings are read from is no configuration of the framework.
   */
  public void publish() {
    for (Setting setting : AllSettings.LIST) {
      if (CentralSettings.LIST.contains(setting)) {
        System.clearProperty(setting.property());
        continue;
      }
      String value = get(setting.name());
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
      String value = get(setting.name());
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
      String value = get(setting.name());
      if (setting.isSecret() && value != null && value.length() > 3) {
        clean = clean.replace(value, "(" + setting.variable() + ")");
      }
    }
    return clean;
  }

  /**
   * A setting that is in force.
   *
   * @param value null where there is none, or it is worked out at the start; {@code ***} for a
   *     secret
   * @param standard what is then in force, in words; empty where a value is set
   * @param source such as {@code default}, {@code environment} or {@code /etc/errand/errand.yaml:3}
   */
  public record Effective(
      String variable, @Nullable String value, String standard, String source) {}

  /** Each setting, in the order of the list. */
  public List<Effective> effective() {
    List<Effective> all = new ArrayList<>();
    String login = get("vault-database");
    for (Setting setting : AllSettings.LIST) {
      Found found = values.get(setting.name());
      boolean isOfVault = login != null && setting.name().matches("database-(user|password)");
      if (isOfVault) {
        all.add(new Effective(setting.variable(), "***", "", "vault:" + login));
      } else if (found != null) {
        String value = setting.isSecret() ? "***" : Form.shown(found.value());
        all.add(new Effective(setting.variable(), value, "", found.source()));
      } else {
        all.add(
            new Effective(
                setting.variable(),
                setting.standard(),
                setting.shownStandard().replace("`", ""),
                "default"));
      }
    }
    return all;
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
          throw new SettingsException(
              List.of(
                  "The value of "
                      + variable.substring(0, Math.max(0, variable.indexOf('=')))
                      + " is not UTF-8; set it to text"),
              new Settings(Map.of()));
        }
      }
    }
  }
}
