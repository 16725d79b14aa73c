package io.errand.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The one list of settings. */
class SettingsTest {
  private static final Pattern MAY_BE_ANYTHING =
      Pattern.compile("-(password|secret-id)$|^(vault|consul)-token$");

  private static Settings of(String variable, String value) {
    return Settings.read(Map.of(variable, value), new Properties());
  }

  /** {@code ./mvnw test -Dtest=SettingsTest -Ddocumentation.record=true} writes it anew. */
  @Test
  void theReferenceShowsThisTable() throws IOException {
    Path page = Path.of("docs/reference/configuration.md");
    String text = Files.readString(page);
    if (Boolean.getBoolean("documentation.record")) {
      int from = text.indexOf("| setting |");
      text =
          text.substring(0, from)
              + AllSettings.markdown()
              + text.substring(text.indexOf("\n\n", from) + 1);
      Files.writeString(page, text);
    }
    assertThat(text).contains(AllSettings.markdown());
  }

  /** What a mapping of the framework reads has to stand in the list. */
  @Test
  void everyMappedSettingIsListed() throws IOException {
    List<String> made =
        List.of("version", "psql-line", "own-temporary-directory"); // by the build and by the start
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(path -> path.toString().endsWith("Config.java")).toList()) {
        Matcher method =
            Pattern.compile("(?m)^  [A-Z]?[A-Za-z<>]+ ([a-zA-Z]+)\\(\\);")
                .matcher(Files.readString(file));
        while (method.find()) {
          String name =
              method.group(1).replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
          assertThat(
                  made.contains(name)
                      || AllSettings.LIST.stream().anyMatch(s -> s.name().equals(name)))
              .as(file + ": " + name)
              .isTrue();
        }
      }
    }
  }

  @Test
  void theBytesOfASecretAreNotExpanded() {
    for (String secret :
        List.of("a$$b", "${x}", "\\${x}", "\\\\$", "$", "${", "a\\$b$$c", "#, %20 é")) {
      SmallRyeConfig config =
          new SmallRyeConfigBuilder()
              .addDefaultInterceptors()
              .withSources(
                  new PropertiesConfigSource(
                      Map.of(
                          "errand.secret", Settings.escaped(secret), "other", "${errand.secret:}"),
                      "test",
                      100))
              .build();
      assertThat(config.getOptionalValue("errand.secret", String.class))
          .isEqualTo(Optional.of(secret));
      assertThat(config.getOptionalValue("other", String.class)).isEqualTo(Optional.of(secret));
    }
  }

  @Test
  void blanksAndLineEndsAroundAValueAreNoPartOfIt() {
    assertThat(of("ERRAND_TOKEN", " 0123456789abcdef\r\n").get("token"))
        .isEqualTo("0123456789abcdef");
    assertThat(of("ERRAND_DATABASE_PASSWORD", " x \n").get("database-password")).isEqualTo(" x ");
    assertThat(of("ERRAND_HTTP_PORT", "9\n").get("http-port")).isEqualTo("9");
    assertThat(of("ERRAND_HTTP_PORT", " \n").get("http-port")).isNull();
  }

  @Test
  void aPropertyComesBeforeTheVariable() {
    Properties properties = new Properties();
    properties.setProperty("errand.http-port", "1");
    assertThat(Settings.read(Map.of("ERRAND_HTTP_PORT", "2"), properties).get("http-port"))
        .isEqualTo("1");
  }

  @Test
  void everyNumberIsRefusedOutOfItsBounds() {
    for (Setting setting : AllSettings.LIST) {
      if (setting.form().words().contains("number")) {
        for (String bad : new String[] {"-1", "x", "1e3", "0x10", "99999999999999999999"}) {
          assertThatThrownBy(() -> of(setting.variable(), bad))
              .as(setting.variable() + "=" + bad)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageStartingWith(setting.variable() + " is ")
              .hasMessageContaining("; set it to a ");
        }
      }
      if (setting.standard() != null) {
        assertThat(setting.form().complaint().apply(setting.standard())).isEmpty();
      }
    }
  }

  @Test
  void noMessageHoldsASecret() {
    for (Setting setting : AllSettings.LIST) {
      if (setting.isSecret() && !MAY_BE_ANYTHING.matcher(setting.name()).find()) {
        assertThatThrownBy(() -> of(setting.variable(), "s3cret"))
            .hasMessageNotContaining("s3cret")
            .hasMessageContaining(setting.variable());
      }
    }
    Settings settings = of("ERRAND_DATABASE_PASSWORD", "s3cret");
    assertThat(settings.withoutSecrets("no s3cret here"))
        .isEqualTo("no (ERRAND_DATABASE_PASSWORD) here");
    assertThat(settings.effective())
        .contains(
            new Settings.Effective("ERRAND_DATABASE_PASSWORD", "***", "", "environment"),
            new Settings.Effective("ERRAND_HTTP_PORT", "8080", "8080", "default"));
  }

  @Test
  void variablesThatLookLikeSettingsAreNoted() {
    Map<String, String> environment =
        Map.of(
            "ERRAND_HTTP_PROT", "1",
            "ERRAND_SERVICE_HOST", "10.0.0.1", // as Kubernetes sets it for a service of this name
            "ERRAND_PORT_8080_TCP_ADDR", "10.0.0.1",
            "ERRAND_JOB_ID", "x",
            "ERRAND_CLIENT_JAVA_OPTIONS", "-Xmx32m",
            "ERRAND_TOKEN", "x");
    Properties properties = new Properties();
    properties.setProperty("errand.http-port", "1");
    properties.setProperty("errand.http-prt", "1");
    properties.setProperty("java.io.tmpdir", "/tmp");
    assertThat(Settings.unknown(environment, properties))
        .containsExactly(
            "ERRAND_HTTP_PROT is no setting of this server; did you mean ERRAND_HTTP_PORT?",
            "the property errand.http-prt is no setting of this server; did you mean"
                + " errand.http-port?");
  }
}
