package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.settings.AllSettings;
import io.errand.settings.Setting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The support bundle, and what must not be in it. */
class SupportBundleIT extends OneServer {
  private static final String CANARY = "canary0of0the0bundle";

  @TempDir private Path folder;

  private static Map<String, String> parts(Path file) throws IOException {
    Map<String, String> parts = new TreeMap<>();
    try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(file))) {
      for (ZipEntry part = zip.getNextEntry(); part != null; part = zip.getNextEntry()) {
        parts.put(
            part.getName().replaceFirst(".*/", ""),
            new String(zip.readAllBytes(), StandardCharsets.UTF_8));
      }
    }
    return parts;
  }

  /** A value for every setting that is secret; the database is away by it. */
  private static Map<String, String> secrets() {
    Map<String, String> secrets = new HashMap<>();
    for (Setting setting : AllSettings.LIST) {
      if (setting.isSecret()) {
        secrets.put(
            setting.variable(),
            setting.name().equals("database-url")
                ? "jdbc:postgresql://127.0.0.1:1/none?password=" + CANARY + "-in-url"
                : CANARY + "-" + setting.name());
      }
    }
    assertThat(secrets).hasSizeGreaterThan(2);
    return secrets;
  }

  @Test
  void itHoldsWhatAReportNeedsAndNothingOfJobsOrKeys() throws IOException {
    String id =
        server.submit(
            "echo " + CANARY + "-output; echo " + CANARY + "-error >&2; exit 3",
            Map.of(
                "env",
                Map.of("A", CANARY + "-env"),
                "stdin",
                CANARY + "-stdin",
                "labels",
                Map.of("of", CANARY + "-label"),
                "description",
                CANARY + "-description",
                "max_attempts",
                1));
    server.awaitEnd(id);
    server.post("/v1/jobs", "{\"command\": [\"true\"]}", "Idempotency-Key", CANARY + "-key");
    server.post("/v1/keys", "{\"name\": \"" + CANARY + "-name\", \"role\": \"viewer\"}");
    Path file = folder.resolve("bundle.zip");
    Path log = Files.writeString(folder.resolve("server.log"), server.log());
    Cli cli = server.cli("doctor", "--support-bundle", file.toString(), "--log", log.toString());
    assertThat(cli.exitCode()).as(cli.stderr()).isZero();
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    Map<String, String> parts = parts(file);
    assertThat(parts)
        .containsOnlyKeys(
            "versions.txt",
            "settings.txt",
            "doctor.txt",
            "database.txt",
            "plans.txt",
            "metrics.txt",
            "log.txt",
            "postgres.log.txt");
    assertThat(parts.get("versions.txt")).contains("errand-", "java.runtime.version");
    assertThat(parts.get("doctor.txt")).contains("child subreaper");
    assertThat(parts.get("database.txt"))
        .contains("PostgreSQL 1", "job_events", "default\tfailed\t1")
        .doesNotContain("cannot be read");
    assertThat(parts.get("plans.txt"))
        .contains(
            "# claim\n", "jobs_ready_by_queue", "# heartbeat\nUpdate on workers", "# submit\n")
        .contains("# complete_and_claim\n", "# list\nLimit", "# list_by_state\nLimit")
        .doesNotContain("cannot be planned");
    assertThat(parts.get("metrics.txt")).contains("errand_attempts_total");
    assertThat(parts.get("log.txt")).contains("Errand serves", "link=(masked)");
    assertNothingSecret(parts);
    assertThat(server.cli("doctor", "--support-bundle", file.toString()).exitCode()).isEqualTo(1);
    assertThat(server.job(id).get("state").asText()).isEqualTo("failed");
  }

  private static void assertNothingSecret(Map<String, String> parts) throws IOException {
    String password = Files.readString(server.home().resolve("pgpass")).trim().split(":")[4];
    parts.forEach(
        (name, text) ->
            assertThat(text)
                .as(name)
                .doesNotContain(CANARY)
                .doesNotContain(server.token())
                .doesNotContain(password));
  }

  @Test
  void everySecretIsMaskedWhereverItStands() throws IOException {
    Map<String, String> secrets = new HashMap<>(secrets());
    secrets.put("ERRAND_SECRET_MAIL", CANARY + "-of-mail");
    secrets.put("AWS_SECRET_ACCESS_KEY", CANARY + "-of-aws");
    Path given = Files.createDirectory(folder.resolve("secrets"));
    Files.writeString(given.resolve("one"), CANARY + "-in-a-file\n");
    secrets.put("ERRAND_SECRETS_DIR", given.toString());
    StringBuilder log = new StringBuilder();
    secrets.values().stream()
        .filter(value -> value.contains(CANARY))
        .forEach(value -> log.append("a line with ").append(value).append(" in it\n"));
    log.append("in a file: ").append(CANARY).append("-in-a-file.\n");
    log.append("only the password of the address: ").append(CANARY).append("-in-url\n");
    log.append("Authorization: Bearer ").append(CANARY).append("-bearer\n");
    log.append("errand_abcdefghijkl_").append("a".repeat(23)).append(CANARY).append(" a key\n");
    log.append("postgres://user:").append(CANARY).append("@host/db\n");
    log.append("{\"password\": \"").append(CANARY).append("-json\"} api_key=").append(CANARY);
    log.append("\nkept as it is\n");
    Path file = folder.resolve("masked.zip");
    ProcessBuilder doctor = server.prepared();
    doctor.environment().putAll(secrets);
    doctor.command(
        "bash",
        "-c",
        "\"$E\" doctor --support-bundle " + file + " --log - <<'END'\n" + log + "END\n");
    Cli cli = Cli.run(doctor);
    assertThat(cli.exitCode()).as(cli.stderr()).isZero();
    assertThat(cli.stdout() + cli.stderr()).doesNotContain(CANARY);
    Map<String, String> parts = parts(file);
    assertThat(parts.get("settings.txt")).contains("ERRAND_TOKEN=(masked) (environment)");
    assertThat(parts.get("log.txt")).contains("kept as it is", "(masked)", "user:(masked)@host");
    assertNothingSecret(parts);
  }
}
