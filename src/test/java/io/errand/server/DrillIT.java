package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Drills of a real server, which end well, and of one whose tables are changed behind its back. */
class DrillIT {
  private static final String MEDDLED =
      "SELECT count(*) FROM errand.jobs WHERE queue = 'drill' AND state = 'succeeded'";

  private TestServer server;
  private Map<String, String> database;

  @TempDir private Path folder;

  @BeforeEach
  void start() throws IOException {
    server = TestServer.start(Map.of("ERRAND_LEASE_SECONDS", "5"));
    database = BuiltInDatabase.settingsOf(server);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private Cli drill(String... arguments) {
    return drill(server, database, arguments);
  }

  /** A drill by the token of a server, on the database that these settings name. */
  static Cli drill(TestServer server, Map<String, String> database, String... arguments) {
    List<String> all = new ArrayList<>(List.of("drill"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--database", database.get("ERRAND_DATABASE_URL")));
    return server.cli(
        Map.of(
            "ERRAND_TOKEN", server.token(),
            "ERRAND_DATABASE_USER", database.get("ERRAND_DATABASE_USER"),
            "ERRAND_DATABASE_PASSWORD", database.get("ERRAND_DATABASE_PASSWORD")),
        all.toArray(String[]::new));
  }

  private void sql(String statement) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection(
                database.get("ERRAND_DATABASE_URL"),
                database.get("ERRAND_DATABASE_USER"),
                database.get("ERRAND_DATABASE_PASSWORD"));
        Statement change = connection.createStatement()) {
      change.execute(statement);
    }
  }

  private void assertRefused(String why, String... more) {
    List<String> all = new ArrayList<>(List.of("--servers", server.url(), "--rounds", "1"));
    all.addAll(List.of(more));
    Cli refused = drill(all.toArray(String[]::new));
    assertThat(refused.exitCode()).as(refused.stderr()).isEqualTo(77);
    assertThat(refused.stderr()).contains(why, "nothing was done");
  }

  @Test
  void aSystemThatPeopleRelyOnIsNotInjured() throws Exception {
    String known = "--i-know-this-is-staging";
    assertRefused("is not marked as staging", known);
    assertThat(drill("mark", "--name", "other").exitCode()).isEqualTo(2);
    assertRefused("is not marked as staging", known);
    assertThat(drill("mark", "--name", "postgres").exitCode()).isZero();
    assertRefused("--i-know-this-is-staging lets it begin");
    server.awaitEnd(server.submit("true", Map.of("queue", "others")));
    assertRefused("a job of the queue others was submitted within the last hour", known);
    String waiting = server.submit("sleep 600", Map.of("queue", "drill"));
    assertRefused("jobs that have not finished", known, "--others-may-suffer");
    server.post("/v1/jobs/" + waiting + "/cancel", "");
    server.awaitEnd(waiting);
    Cli away = drill("--servers", "http://127.0.0.1:1", known, "--others-may-suffer");
    assertThat(away.exitCode()).isEqualTo(77);
    assertThat(away.stderr()).contains("cannot be asked");
    try (TestServer production = TestServer.start(Map.of("ERRAND_TOKEN", server.token()))) {
      Cli other = drill("--servers", production.url(), known, "--others-may-suffer");
      assertThat(other.exitCode()).isEqualTo(77);
      assertThat(other.stderr()).contains("knows none of the workers of this database");
    }
    assertThat(drill("--servers", server.url(), "--pid", "1", known).exitCode()).isEqualTo(2);
    assertThat(drill("--servers", server.url(), "--faults", "none", known).exitCode()).isEqualTo(2);
    assertThat(drill("unmark", "--name", "postgres").exitCode()).isZero();
    assertRefused("is not marked as staging", known, "--others-may-suffer");
    assertThat(BuiltInDatabase.sql(server, "SELECT count(*) FROM errand.jobs")).isEqualTo("2");
  }

  private Cli struck(Path report, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--servers", server.url(), "--seed", "7", "--rounds", "6", "--most-seconds", "2"));
    all.addAll(List.of("--pid", Long.toString(server.pid()), "--strike", "echo struck"));
    all.addAll(List.of("--report", report.toString(), "--i-know-this-is-staging"));
    all.addAll(List.of(more));
    return drill(all.toArray(String[]::new));
  }

  static List<String> faults(JsonNode report) {
    List<String> faults = new ArrayList<>();
    report.get("faults").forEach(one -> faults.add(one.get("fault").asText()));
    return faults;
  }

  static JsonNode json(Path report) throws IOException {
    return TestServer.JSON.readTree(Files.readString(report));
  }

  @Test
  void aSystemThatHealsIsGreenAndOneWhoseTablesWereChangedIsRed() throws Exception {
    assertThat(drill("mark", "--name", "postgres").exitCode()).isZero();
    Path green = folder.resolve("green.json");
    Cli healed = struck(green, "--clean");
    assertThat(healed.exitCode()).as(healed.stderr() + server.log()).isZero();
    JsonNode report = json(green);
    assertThat(report.get("holds").asBoolean()).isTrue();
    assertThat(report.get("violations")).isEmpty();
    assertThat(report.get("jobs_accepted").asInt()).isGreaterThan(10);
    assertThat(faults(report)).hasSize(6);
    for (JsonNode fault : report.get("faults")) {
      assertThat(fault.get("recovery_seconds").asDouble()).isNotNegative();
      assertThat(fault.get("what").asText()).doesNotContain("did not happen");
    }
    await("its jobs are removed")
        .atMost(Duration.ofSeconds(60))
        .until(() -> BuiltInDatabase.sql(server, "SELECT count(*) FROM errand.jobs").equals("0"));

    Path red = folder.resolve("red.json");
    CompletableFuture<Cli> drilled = CompletableFuture.supplyAsync(() -> struck(red));
    await("jobs of the drill have ended")
        .atMost(Duration.ofSeconds(120))
        .ignoreExceptions()
        .until(() -> Integer.parseInt(BuiltInDatabase.sql(server, MEDDLED)) > 1);
    await("a row and an event are changed")
        .atMost(Duration.ofSeconds(60))
        .ignoreExceptions()
        .until(
            () -> {
              sql(
                  """
                  BEGIN;
                  SET LOCAL session_replication_role = replica;
                  DELETE FROM errand.jobs WHERE id = (
                      SELECT id FROM errand.jobs WHERE queue = 'drill' AND state = 'succeeded' ORDER BY id LIMIT 1);
                  UPDATE errand.job_events SET to_state = 'failed' WHERE id = (
                      SELECT max(e.id) FROM errand.job_events e JOIN errand.jobs j ON j.id = e.job_id
                      WHERE j.queue = 'drill' AND j.state = 'succeeded' AND e.to_state = 'succeeded');
                  COMMIT
                  """);
              return true;
            });
    Cli broken = drilled.get();
    assertThat(broken.exitCode()).as(broken.stderr()).isEqualTo(1);
    report = json(red);
    assertThat(report.get("holds").asBoolean()).isFalse();
    assertThat(report.get("violations").findValuesAsText("rule"))
        .anyMatch(rule -> rule.startsWith("I1 "))
        .anyMatch(rule -> rule.startsWith("H"));
    assertThat(faults(report)).isEqualTo(faults(json(green)));
  }
}
