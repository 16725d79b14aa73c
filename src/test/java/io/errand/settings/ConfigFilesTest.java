package io.errand.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Settings of files: what counts, and what is refused with the line that it stands in. */
class ConfigFilesTest {
  @TempDir Path folder;
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void realPath() throws IOException {
    folder = folder.toRealPath();
  }

  private Path file(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    mode(file, "rw-r--r--");
    return file;
  }

  private static void mode(Path file, String mode) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  private Settings read(Path... config) {
    environment.put(
        "ERRAND_CONFIG", String.join(",", List.of(config).stream().map(Path::toString).toList()));
    return Settings.read(environment, new Properties());
  }

  private List<String> mistakes(Path... config) {
    return catchThrowableOfType(SettingsException.class, () -> read(config)).mistakes();
  }

  private String source(Settings settings, String variable) {
    return settings.effective().stream()
        .filter(setting -> setting.variable().equals(variable))
        .map(Settings.Effective::source)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theNearestSourceCounts() throws IOException {
    Path properties =
        file(
            "a.properties",
            """
            # a comment
            errand.http-port = 1
            errand.worker-name = two \\
                lines \\u00e9
            errand.drain-seconds=9
            %staging.errand.http-port=2
            """);
    Path yaml =
        file(
            "b.yaml",
            """
            errand:
              worker-slots: 3   # a comment
              poll-seconds: "0.5"
              lease-seconds:
            errand.drain-seconds: 8
            "%staging":
              errand:
                worker-slots: 4
            """);
    Settings plain = read(properties, yaml);
    assertThat(plain.get("http-port")).isEqualTo("1");
    assertThat(plain.get("worker-name")).isEqualTo("two lines é");
    assertThat(plain.get("worker-slots")).isEqualTo("3");
    assertThat(plain.get("poll-seconds")).isEqualTo("0.5");
    assertThat(plain.get("lease-seconds")).isNull();
    assertThat(plain.get("drain-seconds")).as("a later file").isEqualTo("8");
    assertThat(source(plain, "ERRAND_HTTP_PORT")).isEqualTo(properties + ":2");
    assertThat(source(plain, "ERRAND_WORKER_NAME")).isEqualTo(properties + ":3");
    assertThat(source(plain, "ERRAND_WORKER_SLOTS")).isEqualTo(yaml + ":2");
    environment.put("ERRAND_PROFILE", "staging");
    Settings staging = read(properties, yaml);
    assertThat(staging.get("http-port")).isEqualTo("2");
    assertThat(staging.get("worker-slots")).isEqualTo("4");
    assertThat(staging.get("poll-seconds")).isEqualTo("0.5");
    assertThat(source(staging, "ERRAND_HTTP_PORT")).isEqualTo(properties + ":6 (profile staging)");
    environment.put("ERRAND_HTTP_PORT", "5");
    assertThat(read(properties, yaml).get("http-port")).isEqualTo("5");
    assertThat(source(read(properties, yaml), "ERRAND_HTTP_PORT")).isEqualTo("environment");
  }

  @Test
  void aProfileMayHaveAFileOfItsOwn() throws IOException {
    Path base = file("errand.yaml", "errand.http-port: 1\nerrand.drain-seconds: 5\n");
    file("errand-production.yaml", "errand.http-port: 2\n");
    file("errand-broken.yaml", "errand.http-port: x\n");
    assertThat(read(base).get("http-port")).isEqualTo("1");
    environment.put("ERRAND_PROFILE", "production");
    assertThat(read(base).get("http-port")).isEqualTo("2");
    assertThat(read(base).get("drain-seconds")).isEqualTo("5");
    Path lines = file("c.properties", "%production.errand.http-port=3\n");
    environment.put("ERRAND_PROFILE", "prodction");
    assertThat(mistakes(lines))
        .containsExactly(
            "ERRAND_PROFILE is 'prodction', and nothing that ERRAND_CONFIG names holds for that"
                + " profile; did you mean production?");
  }

  /** As Kubernetes mounts it: each file is a link to one in a directory that is swapped. */
  @Test
  void aMountedConfigMapIsADirectoryWithAFileForEachSetting() throws IOException {
    file("map/..2026_11_30/ERRAND_HTTP_PORT", "7\n");
    file("map/..2026_11_30/errand.worker-name", "w");
    file("map/..2026_11_30/more.yaml", "errand: {drain-seconds: 6}");
    Path map = folder.resolve("map");
    Files.createSymbolicLink(map.resolve("..data"), Path.of("..2026_11_30"));
    for (String name : List.of("ERRAND_HTTP_PORT", "errand.worker-name", "more.yaml")) {
      Files.createSymbolicLink(map.resolve(name), Path.of("..data", name));
    }
    Settings settings = read(map);
    assertThat(settings.get("http-port")).isEqualTo("7");
    assertThat(settings.get("worker-name")).isEqualTo("w");
    assertThat(settings.get("drain-seconds")).isEqualTo("6");
    assertThat(source(settings, "ERRAND_HTTP_PORT"))
        .isEqualTo(map.resolve("ERRAND_HTTP_PORT") + "");
    file("map/errand.http-port", "7");
    assertThat(mistakes(map)).hasSize(1).first().asString().contains("stands in", "too");
  }

  @Test
  void everyMistakeIsToldWithItsLine() throws IOException {
    Path file =
        file(
            "bad.properties",
            """
            errand.http-prot=1
            errand.worker-slots=many
            quarkus.http.port=1
            errand.drain-seconds=1
            errand.drain-seconds=2
            %other.errand.lease-seconds=-1
            errand.config=/etc/x
            """);
    environment.put("ERRAND_POLL_SECONDS", "x");
    assertThat(mistakes(file))
        .containsExactly(
            "ERRAND_POLL_SECONDS is 'x'; set it to a number between 0.05 and 60",
            file
                + ":1: errand.http-prot is no setting of this server; did you mean"
                + " errand.http-port?",
            file
                + ":2: errand.worker-slots is 'many'; set it to a whole number between 1 and 10000",
            file + ":3: quarkus.http.port is no setting of this server",
            file + ":6: errand.lease-seconds is -1; set it to a number between 1 and 3600",
            file + ":7: errand.config can be set in the environment only, by ERRAND_CONFIG",
            file + ":5: errand.drain-seconds stands in " + file + ":4, too");
  }

  @Test
  void whatIsNoPlainYamlIsRefused() throws IOException {
    Map<String, String> refused =
        Map.of(
            "a: &x 1\nb: *x\n", ":1: it has an anchor or an alias",
            "errand.http-port: !!java.net.URL [x]\n", ":1: it has a tag",
            "errand:\n  worker-queues: [a, b]\n", ":2: it has a list as errand.worker-queues",
            "errand: {http-port: 1\n", ": it is no YAML",
            "- a\n", ":1: it is no mapping",
            "errand.http-port: 1\n---\nerrand.http-port: 2\n", ": it has a second document",
            "? [a]\n: 1\n", ":1: it has a name that is no text",
            "a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: 1}}}}}}}}}}}\n", "nested too deeply");
    for (Map.Entry<String, String> text : refused.entrySet()) {
      Path file = file("bad.yaml", text.getKey());
      assertThat(mistakes(file)).as(text.getKey()).last().asString().contains(text.getValue());
    }
    Path bomb = file("bomb.yaml", "a: [" + "[".repeat(100_000));
    assertThat(mistakes(bomb)).hasSize(1);
    assertThat(mistakes(file("bad.properties", "errand.worker-name=\\uXXXX")))
        .first()
        .asString()
        .endsWith("bad.properties:1: it holds an escape \\uXXXX that is none");
  }

  @Test
  void filesThatOthersMayWriteOrThatShowSecretsAreRefused()
      throws IOException, InterruptedException {
    Path file = file("errand.properties", "errand.http-port=1\n");
    for (String mode : List.of("rw-rw-r--", "rw-r--rw-")) {
      mode(file, mode);
      assertThat(mistakes(file))
          .containsExactly(file + " can be written by other accounts; chmod go-w it");
    }
    Path secret = file("secret.properties", "errand.token=0123456789abcdef-secret\n");
    assertThat(mistakes(secret))
        .containsExactly(
            secret
                + ":1: errand.token is secret, and every account may read the file; chmod o-r it");
    mode(secret, "rw-r-----");
    assertThat(read(secret).get("token")).isEqualTo("0123456789abcdef-secret");
    assertThat(read(secret).effective().toString()).doesNotContain("abcdef-secret");
    assertThat(read(file("url.properties", "errand.database-url=jdbc:postgresql://db/x")))
        .isNotNull();
    Path pipe = folder.resolve("pipe.yaml");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    assertThat(mistakes(pipe)).containsExactly(pipe + " is no regular file");
    Path large = file("large.yaml", "#".repeat((1 << 20) + 1));
    assertThat(mistakes(large)).containsExactly(large + " is larger than 1 MiB");
    Path latin = file("latin.yaml", "");
    Files.write(latin, new byte[] {(byte) 0xe9});
    assertThat(mistakes(latin)).containsExactly(latin + " is not UTF-8");
    Path missing = folder.resolve("missing.yaml");
    assertThat(mistakes(missing)).first().asString().contains("does not exist");
    assertThat(mistakes(folder.resolve("x.txt"))).first().asString().contains("neither");
  }
}
