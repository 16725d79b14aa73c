package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Servers that start, drain, die and come back. */
@Timeout(300)
class LifecycleIT {
  private static final Map<String, String> QUICK =
      Map.of("ERRAND_LEASE_SECONDS", "2", "ERRAND_DRAIN_SECONDS", "1");

  /** Whether any live process has this text in its command line. */
  private static boolean runs(String text) {
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      return processes
          .filter(path -> path.getFileName().toString().matches("[0-9]+"))
          .anyMatch(path -> commandLine(path).contains(text));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String commandLine(Path process) {
    try {
      return Files.readString(process.resolve("cmdline")).replace('\0', ' ');
    } catch (IOException e) {
      return "";
    }
  }

  /** The settings that connect another server to the built-in database of this one. */
  static Map<String, String> databaseOf(TestServer server) throws IOException {
    // The server writes its url first, which is what a start is awaited by.
    Awaitility.await().until(() -> server.log().contains("\nPGPASSFILE="));
    String line =
        server
            .log()
            .lines()
            .filter(l -> l.startsWith("PGPASSFILE="))
            .reduce((a, b) -> b)
            .orElseThrow();
    return Map.of(
        "ERRAND_DATABASE_URL",
        "jdbc:postgresql://127.0.0.1:" + line.replaceFirst(".* -p (\\d+) .*", "$1") + "/postgres",
        "ERRAND_DATABASE_USER",
        "errand",
        "ERRAND_DATABASE_PASSWORD",
        Files.readString(server.home().resolve("pgpass")).trim().split(":")[4]);
  }

  static String sql(TestServer server, String query) throws IOException, SQLException {
    Map<String, String> database = databaseOf(server);
    try (Connection connection =
            DriverManager.getConnection(
                database.get("ERRAND_DATABASE_URL"),
                database.get("ERRAND_DATABASE_USER"),
                database.get("ERRAND_DATABASE_PASSWORD"));
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getString(1);
    }
  }

  @Test
  void theBuiltInDatabaseIsDurablePrivateAndBehindAPassword() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      for (String setting : List.of("fsync", "synchronous_commit", "full_page_writes")) {
        assertThat(sql(server, "SHOW " + setting)).as(setting).isEqualTo("on");
      }
      assertThat(sql(server, "SHOW data_checksums")).isEqualTo("on");
      assertThat(sql(server, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules"))
          .isEqualTo("scram-sha-256");
      Path home = server.home();
      for (String secret : List.of("token", "pgpass")) {
        assertThat(
                PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve(secret))))
            .isEqualTo("rw-------");
      }
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("data"))))
          .isEqualTo("rwx------");
      boolean root = System.getProperty("user.name").equals("root");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home)))
          .isEqualTo(root ? "rwx--x--x" : "rwx------");
      if (root) {
        assertThat(Files.getOwner(home.resolve("data")).getName()).isNotEqualTo("root");
      }
    }
  }

  @Test
  void afterKillNineEverythingIsWhereItWas() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      String token = server.token();
      String done = server.submit("echo kept", Map.of("labels", Map.of("a", "b")));
      server.awaitEnd(done);
      String waiting = server.submit("echo later", Map.of("run_at", "2099-01-01T00:00:00Z"));
      String running =
          server.submit("[ $ERRAND_ATTEMPT = 2 ] || exec sleep 4711.25", Map.of("max_attempts", 3));
      server.awaitState(running, "running");
      server.signal("KILL");
      server.awaitExit();
      server.restart();
      assertThat(server.token()).isEqualTo(token);
      assertThat(server.job(done).get("stdout").asText()).isEqualTo("kept\n");
      assertThat(server.job(waiting).get("state").asText()).isEqualTo("queued");
      JsonNode rescued = server.awaitEnd(running);
      assertThat(rescued.get("state").asText()).isEqualTo("succeeded");
      assertThat(rescued.get("attempt").asInt()).isEqualTo(2);
      JsonNode attempts = TestServer.json(server.get("/v1/jobs/" + running + "/attempts"));
      assertThat(attempts.get("attempts").findValuesAsText("outcome"))
          .containsExactly("lost", "success");
    }
  }

  @Test
  void itStartsOverADatabaseThatWasKilledToo() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      String done = server.submit("echo kept", Map.of());
      server.awaitEnd(done);
      String postmaster =
          Files.readAllLines(server.home().resolve("data/postmaster.pid")).get(0).trim();
      server.signal("KILL");
      new ProcessBuilder("kill", "-KILL", postmaster).start().waitFor();
      server.awaitExit();
      server.restart();
      assertThat(server.job(done).get("state").asText()).isEqualTo("succeeded");
    }
  }

  @Test
  void aSecondServerOnOneHomeIsRefusedAndTheFirstUnharmed() {
    try (TestServer server = TestServer.start(QUICK)) {
      String said = TestServer.refusalOn(server.home(), QUICK);
      assertThat(said).contains("Another Errand server (pid " + server.pid() + ")");
      server.awaitEnd(server.submit("true", Map.of()));
    }
  }

  @Test
  void sigtermLetsShortCommandsFinishAndGivesLongOnesBackUncharged() throws Exception {
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_DRAIN_SECONDS", "2");
    TestServer server = TestServer.start(settings);
    String queued = "drained-" + server.pid();
    String longer = server.submit("exec sleep 4712.25", Map.of("max_attempts", 1));
    String held = server.submit("exec sleep 4713.25", Map.of("max_attempts", 1, "on_lost", "hold"));
    server.awaitState(longer, "running");
    server.awaitState(held, "running");
    String brief = server.submit("sleep 1; echo finished", Map.of("queue", queued));
    server.awaitState(brief, "running");
    server.signal("TERM");
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> server.get("/q/health/ready").statusCode() == 503);
    assertThat(server.get("/q/health/live").statusCode()).isEqualTo(200);
    String late = server.submit("echo late", Map.of());
    server.signal("TERM");
    assertThat(server.awaitExit()).isZero();
    assertThat(runs("sleep 4712.25")).isFalse();
    assertThat(runs(server.home() + "/data")).isFalse();
    server.restart();
    try (server) {
      assertThat(server.job(brief).get("stdout").asText()).isEqualTo("finished\n");
      assertThat(server.awaitEnd(late).get("stdout").asText()).isEqualTo("late\n");
      JsonNode again = server.awaitState(longer, "running");
      assertThat(again.get("attempt").asInt()).isEqualTo(2);
      assertThat(again.get("charged_attempts").asInt()).isEqualTo(1);
      JsonNode waits = server.job(held);
      assertThat(waits.get("state").asText()).isEqualTo("held");
      assertThat(waits.get("reason").asText()).isEqualTo("released");
      assertThat(server.post("/v1/jobs/" + held + "/cancel", "").statusCode()).isEqualTo(202);
      server.post("/v1/jobs/" + longer + "/cancel", "");
      server.awaitEnd(longer);
    }
  }

  @Test
  void slotsBoundHowManyCommandsRunAtOnce() throws Exception {
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_WORKER_SLOTS", "2");
    try (TestServer server = TestServer.start(settings)) {
      Path ledger = Files.createTempFile("errand-it", ".ledger");
      // Commands have an account of their own where the server is root.
      Files.setPosixFilePermissions(ledger, PosixFilePermissions.fromString("rw-rw-rw-"));
      String script = "echo + >> " + ledger + "; sleep 0.2; echo - >> " + ledger;
      List<String> ids = Stream.generate(() -> server.submit(script, Map.of())).limit(8).toList();
      ids.forEach(server::awaitEnd);
      int running = 0;
      int most = 0;
      for (String line : Files.readAllLines(ledger)) {
        running += line.equals("+") ? 1 : -1;
        most = Math.max(most, running);
      }
      assertThat(most).isEqualTo(2);
      Files.delete(ledger);
    }
  }

  @Test
  void threeHundredMegabytesOfOutputDoNotGrowTheServer() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      server.awaitEnd(server.submit("head -c 1000000 /dev/zero", Map.of()));
      long before = residentKilobytes(server);
      JsonNode job = server.awaitEnd(server.submit("head -c 300000000 /dev/zero", Map.of()));
      assertThat(job.get("stdout_bytes").asLong()).isEqualTo(300_000_000);
      assertThat(residentKilobytes(server) - before).isLessThan(64 * 1024);
    }
  }

  private static long residentKilobytes(TestServer server) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + server.pid() + "/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .sum();
  }

  @Test
  void apiAndWorkerMeetInAnExternalDatabase() throws Exception {
    try (TestServer first = TestServer.start(QUICK)) {
      Map<String, String> external = new HashMap<>(QUICK);
      external.putAll(databaseOf(first));
      external.put("ERRAND_TOKEN", "a-token-of-our-own");
      external.put("ERRAND_ROLES", "api");
      try (TestServer api = TestServer.start(external)) {
        assertThat(api.home().resolve("data")).doesNotExist();
        HttpResponse<String> refused =
            api.send(
                HttpRequest.newBuilder(URI.create(api.url() + "/v1/jobs"))
                    .header("Authorization", "Bearer " + first.token()));
        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(
                api.cli(
                    Map.of("ERRAND_TOKEN", "a-token-of-our-own"),
                    "run",
                    "--",
                    "sh",
                    "-c",
                    "echo from afar; exit 4"))
            .satisfies(cli -> assertThat(cli.exitCode()).isEqualTo(4))
            .satisfies(cli -> assertThat(cli.stdout()).isEqualTo("from afar\n"));
        first.signal("STOP");
        String lost =
            api.cli(Map.of("ERRAND_TOKEN", "a-token-of-our-own"), "submit", "--", "true")
                .stdout()
                .trim();
        assertThat(lost).isNotEmpty();
        first.signal("CONT");
        assertThat(first.awaitEnd(lost).get("state").asText()).isEqualTo("succeeded");
      }
    }
  }

  @Test
  void aWorkerThatWasFrozenIsGivenUpAndItsLateResultChangesNothing() throws Exception {
    try (TestServer first = TestServer.start(QUICK)) {
      Map<String, String> external = new HashMap<>(QUICK);
      external.putAll(databaseOf(first));
      String id =
          first.submit(
              "[ $ERRAND_ATTEMPT = 1 ] && exec sleep 600; echo second", Map.of("queue", "q"));
      first.awaitState(id, "running");
      try (TestServer second = TestServer.start(external)) {
        first.signal("STOP");
        JsonNode job = second.awaitEnd(id);
        first.signal("CONT");
        assertThat(job.get("stdout").asText()).isEqualTo("second\n");
        assertThat(job.get("attempt").asInt()).isEqualTo(2);
        await()
            .atMost(Duration.ofSeconds(30))
            .until(
                () ->
                    sql(first, "SELECT count(*) FROM errand.workers WHERE state = 'live'")
                        .equals("2"));
        assertThat(second.job(id)).isEqualTo(job);
        first.awaitEnd(first.submit("true", Map.of()));
      }
    }
  }

  @Test
  void whileTheDatabaseIsAwayAnswersSaySoAndAfterwardsAllGoesOn() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      String id = server.submit("sleep 3; echo through", Map.of("max_attempts", 5));
      server.awaitState(id, "running");
      String postmaster =
          Files.readAllLines(server.home().resolve("data/postmaster.pid")).get(0).trim();
      new ProcessBuilder("kill", "-STOP", postmaster).start().waitFor();
      assertThat(server.get("/q/health/live").statusCode()).isEqualTo(200);
      new ProcessBuilder("kill", "-CONT", postmaster).start().waitFor();
      assertThat(server.awaitEnd(id).get("stdout").asText()).isEqualTo("through\n");
    }
  }

  @Test
  void aProcessThatOnlyRunsCommandsHasNoApi() throws Exception {
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_ROLES", " worker");
    try (TestServer worker = TestServer.start(settings)) {
      assertThat(worker.get("/q/health/ready").statusCode()).isEqualTo(200);
      assertThat(worker.post("/v1/jobs", "{\"command\": [\"true\"]}").statusCode()).isEqualTo(404);
      assertThat(worker.get("/v1/jobs"))
          .satisfies(answer -> assertThat(answer.statusCode()).isEqualTo(404))
          .satisfies(answer -> assertThat(answer.body()).contains("The API is not served here"));
      assertThat(sql(worker, "SELECT count(*) FROM errand.workers WHERE state = 'live'"))
          .isEqualTo("1");
    }
  }

  @Test
  void aServerOfTheApiAsksItselfOnce() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      await("the warm-up is counted")
          .until(
              () ->
                  server
                      .get("/q/metrics")
                      .body()
                      .lines()
                      .anyMatch(
                          line ->
                              line.startsWith("http_server_requests_seconds_count{method=\"GET\"")
                                  && line.endsWith("status=\"200\",uri=\"/v1/jobs\"} 1.0")));
    }
  }

  @Test
  void badSettingsStopTheStartWithASentence() {
    assertThat(TestServer.refusal(Map.of("ERRAND_WORKER_SLOTS", "0")))
        .contains("ERRAND_WORKER_SLOTS is 0");
    assertThat(TestServer.refusal(Map.of("ERRAND_LIMIT_DISK_FILES", "-1")))
        .contains("ERRAND_LIMIT_DISK_FILES is -1");
    assertThat(TestServer.refusal(Map.of("ERRAND_ROLES", "boss")))
        .contains("ERRAND_ROLES knows api and worker, not 'boss'");
    assertThat(TestServer.refusal(Map.of("ERRAND_TOKEN", "short")))
        .contains("set ERRAND_TOKEN to a longer one");
  }

  @Test
  void aJobBelongsToWhoSubmittedIt() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      server.awaitEnd(server.submit("true", Map.of()));
      assertThat(sql(server, "SELECT string_agg(DISTINCT principal, ',') FROM errand.jobs"))
          .isEqualTo("admin");
    }
  }

  @Test
  void logsAreJsonWhereThatIsAskedFor() {
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_LOG_JSON", "true");
    try (TestServer server = TestServer.start(settings)) {
      String id = server.submit("true", Map.of());
      server.awaitEnd(id);
      await()
          .untilAsserted(
              () ->
                  assertThat(server.log().lines().filter(line -> line.contains(id)))
                      .isNotEmpty()
                      .allMatch(
                          line -> line.startsWith("{") && line.contains("\"attempt\":\"1\"")));
    }
  }

  @Test
  void whatTheWorkerLacksCostsNoTryAndItBacksOff() throws Exception {
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_WORKER_SLOTS", "200");
    try (TestServer server =
        TestServer.startedBy(List.of("prlimit", "--nofile=400:400", "--"), settings)) {
      // At once, so that they run at once however slow the machine is.
      String job = "{\"command\": [\"sleep\", \"5\"], \"max_attempts\": 1}";
      String jobs = "{\"jobs\": [" + String.join(", ", Collections.nCopies(130, job)) + "]}";
      assertThat(server.post("/v1/jobs/batch", jobs).statusCode()).isEqualTo(202);
      // Not asked over HTTP: a server without descriptors may say 503 for a while.
      await()
          .atMost(Duration.ofMinutes(2))
          .until(
              () -> sql(server, "SELECT count(*) FROM errand.jobs WHERE state = 'succeeded'"),
              "130"::equals);
      assertThat(
              sql(
                  server,
                  "SELECT count(*) FROM errand.attempts WHERE outcome = 'worker_unavailable'"))
          .isNotEqualTo("0");
      assertThat(sql(server, "SELECT max(charged_attempts) FROM errand.jobs")).isEqualTo("1");
      assertThat(server.log()).contains("This worker claims nothing for");
    }
  }

  /** It answered 503 for ever before. */
  @Test
  void aServerWhoseBuiltInDatabaseWasKilledSaysSoAndEndsAndLosesNothing() throws IOException {
    try (TestServer server = TestServer.start(Map.of("ERRAND_DRAIN_SECONDS", "1"))) {
      String id = server.submit("true", Map.of());
      String pid =
          Files.readAllLines(server.home().resolve("data").resolve("postmaster.pid")).get(0).trim();
      ProcessHandle.of(Long.parseLong(pid)).orElseThrow().destroyForcibly();
      assertThat(server.awaitExit()).isEqualTo(1);
      assertThat(server.log()).contains("the built-in database has ended by itself or was killed");
      server.restart();
      assertThat(server.awaitEnd(id).get("state").asText()).isEqualTo("succeeded");
      assertThat(server.cli("verify-history").stdout()).contains("every rule holds");
    }
  }
}
