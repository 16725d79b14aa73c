package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server whose settings stand in files and in Consul. */
class ConfigFilesIT {
  private Path folder;

  @BeforeEach
  void makeFolder() throws IOException {
    folder = Files.createTempDirectory("errand-config").toRealPath();
    TestServer.letOthersPass(folder);
  }

  @AfterEach
  void removeFolder() {
    TestServer.delete(folder);
  }

  private Path file(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    return file;
  }

  private Cli check(Map<String, String> settings, String... more) {
    String[] arguments = new String[more.length + 1];
    arguments[0] = "--check";
    System.arraycopy(more, 0, arguments, 1, more.length);
    return Cli.answer(folder.resolve("none"), settings, "serve", arguments);
  }

  @Test
  void aServerRunsBySettingsOfAFile() throws IOException {
    Path yaml =
        file(
            "errand.yaml",
            """
            errand:
              token: a-token-of-$${a}-file
              worker-slots: 7
            "%staging":
              errand:
                worker-slots: 3
            quarkus.http.root-path: /elsewhere
            """);
    Map<String, String> settings = new HashMap<>();
    settings.put("ERRAND_CONFIG", yaml.toString());
    settings.put("ERRAND_PROFILE", "staging");
    assertThat(TestServer.refusal(settings))
        .contains(yaml + ":7: quarkus.http.root-path is no setting of this server");
    Files.writeString(yaml, Files.readString(yaml).replaceFirst("quarkus.*\n", ""));
    try (TestServer server = TestServer.start(settings)) {
      Map<String, String> client = Map.of("ERRAND_TOKEN", "a-token-of-$${a}-file");
      assertThat(server.cli(client, "workers", "-o", "json").stdout()).contains("\"slots\" : 3");
    }
  }

  @Test
  void theCheckPrintsEverySettingWithItsSourceAndEveryMistake() throws IOException {
    Path file =
        file("errand.properties", "errand.token=0123456789abcdef\nerrand.drain-seconds=5\n");
    Map<String, String> settings = new HashMap<>();
    settings.put("ERRAND_CONFIG", file.toString());
    Cli check = check(settings);
    assertThat(check.exitCode()).as(check.stderr()).isZero();
    assertThat(check.stdout())
        .contains(
            "ERRAND_TOKEN=***  # " + file + ":1\n",
            "ERRAND_DRAIN_SECONDS=5  # " + file + ":2\n",
            "ERRAND_HTTP_PORT=8080  # default\n",
            "ERRAND_WORKER_SLOTS (cores × 4, or fewer where the heap is too small)  # default\n",
            "The settings are fine")
        .doesNotContain("0123456789abcdef");
    JsonNode json = new ObjectMapper().readTree(check(settings, "-o", "json").stdout());
    assertThat(json.get("ok").asBoolean()).isTrue();
    assertThat(json.get("settings").findValuesAsText("setting")).contains("ERRAND_HOME");
    assertThat(check(settings, "-o", "yaml").exitCode()).isEqualTo(2);

    Files.writeString(file, "errand.drain-secnds=5\nerrand.poll-seconds=x\n");
    settings.put("ERRAND_LEASE_SECONDS", "no");
    Cli mistaken = check(settings);
    assertThat(mistaken.exitCode()).isEqualTo(2);
    assertThat(mistaken.stdout()).doesNotContain("are fine");
    assertThat(mistaken.stderr())
        .contains(
            "ERRAND_LEASE_SECONDS is 'no'",
            file
                + ":1: errand.drain-secnds is no setting of this server; did you mean"
                + " errand.drain-seconds?",
            file + ":2: errand.poll-seconds is 'x'");
    Cli later =
        check(Map.of("ERRAND_ROLES", "manager", "ERRAND_TRUSTED_PROXIES", "proxy.example.org"));
    assertThat(later.stderr()).contains("ERRAND_ROLES", "ERRAND_TRUSTED_PROXIES");
  }

  @Test
  void settingsOfConsulAreCheckedAsThoseOfFilesAre() throws IOException {
    Map<String, String> keys = new HashMap<>();
    keys.put("fleet/errand/", "");
    keys.put("fleet/errand/drain-seconds", "9");
    keys.put("fleet/errand.worker-slots", "5");
    keys.put("fleet/errand.token", "a-token-that-stands-in-consul");
    keys.put("fleet2/errand.nothing", "1");
    Path file = file("errand.properties", "errand.worker-slots=6\n");
    Map<String, String> settings = new HashMap<>();
    settings.put("ERRAND_CONSUL_TOKEN", ConsulStandIn.TOKEN);
    settings.put("ERRAND_CONSUL_PREFIX", "fleet");
    settings.put("ERRAND_CONFIG", file.toString());
    try (ConsulStandIn consul = new ConsulStandIn(keys)) {
      settings.put("ERRAND_CONSUL_URL", consul.url());
      Cli check = check(settings);
      assertThat(check.exitCode()).as(check.stderr()).isZero();
      assertThat(check.stdout())
          .contains(
              "ERRAND_DRAIN_SECONDS=9  # consul:fleet/errand/drain-seconds\n",
              "ERRAND_WORKER_SLOTS=6  # " + file + ":1\n",
              "ERRAND_TOKEN=***  # consul:fleet/errand.token\n",
              "ERRAND_CONSUL_TOKEN=***  # environment\n")
          .doesNotContain("stands-in-consul", ConsulStandIn.TOKEN);
    }
    keys.put("fleet/quarkus/http/port", "1");
    keys.put("fleet/errand.vault-url", "https://elsewhere.example.org");
    keys.put("fleet/errand.poll-seconds", "x");
    try (ConsulStandIn consul = new ConsulStandIn(keys)) {
      settings.put("ERRAND_CONSUL_URL", consul.url());
      Cli check = check(settings);
      assertThat(check.exitCode()).isEqualTo(2);
      assertThat(check.stderr())
          .contains(
              "consul:fleet/quarkus/http/port: quarkus.http.port is no setting of this server",
              "consul:fleet/errand.vault-url: errand.vault-url cannot be set there",
              "consul:fleet/errand.poll-seconds: errand.poll-seconds is 'x'");
      settings.put("ERRAND_CONSUL_TOKEN", "of-nobody");
      assertThat(check(settings).stderr()).contains("Consul answers 403");
    }
    assertThat(check(settings).stderr()).contains("Consul does not answer");
    settings.put("ERRAND_CONSUL_URL", "http://consul.example.org:8500");
    assertThat(check(settings).stderr()).contains("http would carry tokens");
  }
}
