package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Secrets of commands: what gets them, and where they must not turn up. */
@Timeout(600)
class SecretsIT {
  private static final String OF_FILE = "canary-of-a-file/7f3c+ü";
  private static final String OF_VARIABLE = "canary-of-a-variable-91ab";
  private static final String CLEAR = "canary-in-clear-5d20";
  private static final String STDIN = "canary-on-stdin-c4e8";
  private static final String SCHEDULED = "canary-of-a-schedule-08fe";
  private static final List<String> CANARIES =
      List.of(OF_FILE, OF_VARIABLE, CLEAR, STDIN, SCHEDULED);

  private static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws IOException {
    folder = Files.createTempDirectory("errand-secrets");
    TestServer.letOthersPass(folder);
    Path secrets = Files.createDirectory(folder.resolve("secrets"));
    Files.setPosixFilePermissions(secrets, PosixFilePermissions.fromString("rwx------"));
    Files.writeString(secrets.resolve("file"), OF_FILE + "\n");
    writeKeys("k1 " + key(1));
    server =
        TestServer.start(
            Map.of(
                "ERRAND_SECRETS_DIR",
                secrets.toString(),
                "ERRAND_ENCRYPTION_KEY_FILE",
                folder.resolve("keys").toString(),
                "ERRAND_SECRET_FROM_ENV",
                OF_VARIABLE));
  }

  @AfterAll
  static void stop() {
    server.close();
    TestServer.delete(folder);
  }

  private static String key(int fill) {
    return Base64.getEncoder()
        .encodeToString(Integer.toString(fill).repeat(32).getBytes(StandardCharsets.US_ASCII));
  }

  private static void writeKeys(String... lines) throws IOException {
    Path keys = folder.resolve("keys");
    Files.writeString(keys, String.join("\n", lines) + "\n");
    Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-------"));
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Prints the hash of each value, so that it tells what it got without showing it. */
  private static final String HASHES =
      "for v in \"$A\" \"$B\" \"$C\" \"$(cat)\"; do printf %s \"$v\" | sha256sum | cut -d' ' -f1; done;";

  private static final Map<String, Object> ALL_KINDS =
      Map.of(
          "env",
          Map.of("A", "secret://file", "B", "secret://from-env", "C", CLEAR),
          "stdin",
          STDIN,
          "max_attempts",
          1);

  private static void assertGotAll(JsonNode job) {
    assertThat(job.get("state").asText()).as(job.toString()).isEqualTo("succeeded");
    assertThat(job.get("stdout").asText().lines().limit(4))
        .containsExactly(sha256(OF_FILE), sha256(OF_VARIABLE), sha256(CLEAR), sha256(STDIN));
  }

  @Test
  void aCommandGetsItsSecretsAndTheyTurnUpNowhere() throws Exception {
    Path gate = folder.resolve("gate");
    String script =
        HASHES
            + "printf '%s %s\\n' \"$A\" \"$B\"; printf %s \"$A\" | base64; printf %s \"x$A\" | base64;"
            + " echo \"$B\" >&2; echo ready;"
            + " until [ -e "
            + gate
            + " ]; do sleep 0.05; done";
    String id = server.submit(script, ALL_KINDS);
    server.awaitState(id, "running");
    String slept = "cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' '";
    StringBuilder seen = new StringBuilder();
    for (int i = 0; i < 5; i++) {
      seen.append(server.shell(slept).stdout());
    }
    seen.append(Files.readString(Path.of("/proc", Long.toString(server.pid()), "cmdline")));
    String environment =
        Files.readString(
            Path.of("/proc", Long.toString(server.pid()), "environ"), StandardCharsets.UTF_8);
    assertThat(environment).contains(OF_VARIABLE).doesNotContain(OF_FILE, CLEAR, STDIN);
    Files.createFile(gate);
    JsonNode job = server.awaitEnd(id);
    assertGotAll(job);
    String stdout = job.get("stdout").asText();
    assertThat(job.get("stdin_bytes").asInt()).isEqualTo(STDIN.length());
    assertThat(job.get("env_names").toString()).isEqualTo("[\"A\",\"B\",\"C\"]");
    assertThat(stdout)
        .contains("*".repeat(OF_FILE.length() + 1) + " " + "*".repeat(OF_VARIABLE.length()));
    assertThat(job.get("stdout_bytes").asInt())
        .isEqualTo(stdout.getBytes(StandardCharsets.UTF_8).length);
    assertThat(job.get("stderr").asText()).isEqualTo("*".repeat(OF_VARIABLE.length()) + "\n");

    seen.append(everyAnswer(id));
    seen.append(server.log());
    seen.append(allRows());
    for (String canary : CANARIES) {
      byte[] bytes = canary.getBytes(StandardCharsets.UTF_8);
      assertThat(seen.toString())
          .doesNotContain(
              canary,
              HexFormat.of().formatHex(bytes),
              Base64.getEncoder().withoutPadding().encodeToString(bytes));
      assertThat(filesWith(canary)).as(canary).isEmpty();
    }
  }

  /** A schedule, a batch and a repeat as well, and what is answered about all of them. */
  private static String everyAnswer(String id) {
    StringBuilder seen = new StringBuilder();
    String body =
        "{\"command\":[\"true\"],\"stdin\":\"" + STDIN + "\",\"env\":{\"C\":\"" + CLEAR + "\"}}";
    String key = "secrets-1";
    List<HttpResponse<String>> answers = new ArrayList<>();
    answers.add(server.post("/v1/jobs", body, "Idempotency-Key", key));
    answers.add(server.post("/v1/jobs", body, "Idempotency-Key", key));
    assertThat(answers.get(1).headers().firstValue("Idempotent-Replayed")).contains("true");
    answers.add(server.post("/v1/jobs?validate_only=true", body));
    answers.add(server.post("/v1/jobs/batch", "{\"jobs\":[" + body + "," + body + "]}"));
    answers.add(
        server.post(
            "/v1/schedules",
            "{\"name\":\"s\",\"cron\":\"@every 1d\",\"job\":{\"command\":[\"true\"],\"env\":{\"S\":\""
                + SCHEDULED
                + "\"},\"stdin\":\""
                + SCHEDULED
                + "\"}}"));
    assertThat(ApiClient.json(answers.get(4)).at("/job/stdin_bytes").asInt())
        .as(answers.get(4).body())
        .isEqualTo(SCHEDULED.length());
    answers.add(server.call("PATCH", "/v1/schedules/s", "{\"job\":{\"env\":{\"T\":\"more\"}}}"));
    assertThat(ApiClient.json(answers.get(5)).at("/job/env_names").toString())
        .isEqualTo("[\"S\",\"T\"]");
    HttpResponse<String> run = server.post("/v1/schedules/s/run", "");
    answers.add(run);
    assertThat(server.awaitEnd(ApiClient.json(run).get("id").asText()).get("state").asText())
        .isEqualTo("succeeded");
    answers.add(server.post("/v1/jobs/" + id + "/retry", ""));
    assertGotAll(server.awaitEnd(ApiClient.json(answers.get(7)).get("id").asText()));
    for (String path :
        List.of(
            "",
            "/attempts",
            "/events",
            "/output?stream=stdout",
            "/output?stream=stderr",
            "/explain")) {
      answers.add(server.get("/v1/jobs/" + id + path));
    }
    for (String path :
        List.of(
            "/v1/jobs",
            "/v1/queues",
            "/v1/workers",
            "/v1/schedules",
            "/v1/schedules/s",
            "/q/metrics",
            "/q/health")) {
      answers.add(server.get(path));
    }
    answers.forEach(
        answer -> {
          assertThat(answer.statusCode()).as(answer.body()).isLessThan(300);
          seen.append(answer.body());
        });
    return seen.toString();
  }

  /** Every column of every row of every table. */
  private static String allRows() throws IOException, SQLException {
    Map<String, String> database = BuiltInDatabase.settingsOf(server);
    StringBuilder rows = new StringBuilder();
    try (Connection connection =
            DriverManager.getConnection(
                database.get("ERRAND_DATABASE_URL"),
                database.get("ERRAND_DATABASE_USER"),
                database.get("ERRAND_DATABASE_PASSWORD"));
        Statement statement = connection.createStatement()) {
      List<String> tables = new ArrayList<>();
      try (ResultSet names =
          statement.executeQuery(
              "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'errand'")) {
        while (names.next()) {
          tables.add(names.getString(1));
        }
      }
      assertThat(tables).contains("errand.jobs", "errand.schedules");
      for (String table : tables) {
        try (ResultSet all = statement.executeQuery("SELECT t::text FROM " + table + " t")) {
          while (all.next()) {
            rows.append(all.getString(1)).append('\n');
          }
        }
      }
      statement.execute("CHECKPOINT"); // so that the files hold all of it
    }
    assertThat(rows).contains("k1");
    return rows.toString();
  }

  /** Of the data directory: tables, indexes, the write-ahead log, logs. */
  private static String filesWith(String text) {
    return server.shell("grep -rlaF -e '" + text + "' " + server.home() + " || true").stdout();
  }

  @Test
  void liveOutputIsMaskedAlsoWhereASecretComesInPieces() {
    String script =
        "printf '%.5s' \"$S\"; sleep 0.3; printf '%s' \"${S#?????}\"; sleep 0.3; echo \" end\"";
    Cli run = server.cli("run", "--env", "S=secret://from-env", "--", "sh", "-c", script);
    assertThat(run.stdout()).isEqualTo("*".repeat(OF_VARIABLE.length()) + " end\n");
    assertThat(run.exitCode()).isZero();
  }

  @Test
  void aSecretInAnArgumentOfAProcessIsShownToNobody() throws Exception {
    Path gate = folder.resolve("gate-of-processes");
    String script =
        "sh -c 'until [ -e "
            + gate
            + " ]; do sleep 0.05; done' \"p$A\" \"--token=$B\" \"$(printf %s \"$A\" | base64)\"; true";
    String id = server.submit(script, ALL_KINDS);
    server.awaitState(id, "running");
    String processes =
        await()
            .atMost(Duration.ofSeconds(60))
            .until(
                () -> server.get("/v1/jobs/" + id + "/process").body(),
                answer -> answer.contains(" --token="));
    String stored =
        BuiltInDatabase.sql(
            server, "SELECT processes::text FROM errand.watches WHERE job_id = '" + id + "'");
    String page = ConsoleClient.signedIn(server).get("/console/jobs/" + id + "/process").body();
    Files.createFile(gate);
    for (String text : List.of(processes, stored, page)) {
      assertThat(text)
          .contains(
              "p"
                  + "*".repeat(OF_FILE.length() + 1)
                  + " --token="
                  + "*".repeat(OF_VARIABLE.length()))
          .doesNotContain(OF_FILE, OF_VARIABLE)
          .doesNotContain(
              Base64.getEncoder()
                  .withoutPadding()
                  .encodeToString(OF_FILE.getBytes(StandardCharsets.UTF_8)));
    }
    server.awaitEnd(id);
  }

  @Test
  void aSecretOnStdinIsReadToItsEnd() {
    JsonNode job =
        server.awaitEnd(server.submit("sha256sum; cat", Map.of("stdin", "secret://file")));
    assertThat(job.get("stdout").asText()).startsWith(sha256(OF_FILE) + " ");
  }

  @Test
  void aSecretThatIsMissingEndsTheAttemptBeforeItsCommandStarts() {
    JsonNode job =
        server.awaitEnd(server.submit("echo started", Map.of("env", Map.of("A", "secret://none"))));
    assertThat(job.get("state").asText()).isEqualTo("failed");
    assertThat(job.get("reason").asText()).isEqualTo("spawn_failed");
    assertThat(job.get("detail").asText())
        .isEqualTo("env.A: There is no secret none on this worker");
    assertThat(job.get("started_at").isNull()).isTrue();
    assertThat(job.get("attempt").asInt()).isEqualTo(1);
  }

  @Test
  void whatBeginsAsAReferenceAndIsNoneIsRefused() {
    for (String value : List.of("secret://", "secret://a b", "secret://a/b", "secret://../token")) {
      HttpResponse<String> answer =
          server.post(
              "/v1/jobs",
              "{\"command\":[\"true\"],\"stdin\":\""
                  + value
                  + "\",\"env\":{\"A\":\""
                  + value
                  + "\"}}");
      ApiClient.assertProblem(answer, 400);
      assertThat(answer.body()).contains("\"stdin\"", "\"env.A\"", "begins with secret://");
    }
    JsonNode job =
        server.awaitEnd(
            server.submit("printf %s \"$A\"", Map.of("env", Map.of("A", "Bearer secret://file"))));
    assertThat(job.get("stdout").asText()).isEqualTo("Bearer secret://file");
  }

  @Test
  void keysAreRotatedAndAJobWhoseKeyIsMissingDoesNotRun() throws IOException, SQLException {
    String id = server.submit(HASHES, ALL_KINDS);
    assertGotAll(server.awaitEnd(id));
    writeKeys("k2 " + key(2), "k1 " + key(1));
    server.stop();
    server.restart();
    String retried =
        ApiClient.json(server.post("/v1/jobs/" + id + "/retry", "")).get("id").asText();
    assertGotAll(server.awaitEnd(retried));
    String sqlJob =
        BuiltInDatabase.sql(
            server,
            "SELECT errand.submit(ARRAY['sh', '-c', 'cat; printf %s \"$C\"'], stdin => 'in clear ',"
                + " env => '{\"C\": \"as SQL gave it\"}')");
    assertThat(
            BuiltInDatabase.sql(
                server, "SELECT sealed_key FROM errand.jobs WHERE id = '" + retried + "'"))
        .isEqualTo("k1");
    writeKeys("k2 " + key(2));
    server.stop();
    server.restart();
    String lost = ApiClient.json(server.post("/v1/jobs/" + id + "/retry", "")).get("id").asText();
    JsonNode job = server.awaitEnd(lost);
    assertThat(job.get("reason").asText()).isEqualTo("spawn_failed");
    assertThat(job.get("detail").asText()).contains("the key k1, which is not in the");
    assertThat(job.get("stdout").asText()).isEmpty();
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                BuiltInDatabase.sql(
                        server, "SELECT state FROM errand.jobs WHERE id = '" + sqlJob + "'")
                    .equals("succeeded"));
    assertThat(
            BuiltInDatabase.sql(
                server,
                "SELECT convert_from(stdout, 'UTF8') FROM errand.attempts WHERE job_id = '"
                    + sqlJob
                    + "'"))
        .isEqualTo("in clear as SQL gave it");
    writeKeys("k1 " + key(1));
    server.stop();
    server.restart();
  }
}
