package io.errand.server;

import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/** Limits, rates, circuits and explanations from outside, with two workers on one database. */
@Timeout(600)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class QueueLimitsIT {
  private static final Duration LONG = Duration.ofMinutes(4);
  private static final Map<String, String> QUICK =
      Map.of("ERRAND_LEASE_SECONDS", "5", "ERRAND_WORKER_SLOTS", "4");

  private static TestServer first;
  private static TestServer second;
  private static Path folder;
  private static Path ledger;

  @BeforeAll
  static void start() throws IOException {
    first = TestServer.start(QUICK);
    Map<String, String> external = new HashMap<>(QUICK);
    external.putAll(BuiltInDatabase.settingsOf(first));
    external.put("ERRAND_TOKEN", "a-token-of-our-own");
    second = TestServer.start(external);
    folder = Files.createTempDirectory("errand-limits");
    folder.toFile().setWritable(true, false);
    TestServer.letOthersPass(folder);
    ledger = folder.resolve("ledger");
    Files.createFile(ledger);
    ledger.toFile().setWritable(true, false);
  }

  @AfterAll
  static void stop() {
    if (second != null) {
      second.close();
    }
    first.close();
    TestServer.delete(folder);
  }

  private static JsonNode queue(String name, String settings) {
    var answer = first.call("PATCH", "/v1/queues/" + name, settings);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return json(answer);
  }

  private static JsonNode queue(String name) {
    return json(first.get("/v1/queues/" + name));
  }

  private static List<String> submit(int count, String script, Map<String, Object> fields) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(first.submit(script, fields));
    }
    return ids;
  }

  /** A command that writes down when it runs, so that the file says how many ran at once. */
  private static String recorded(String name) {
    return "echo + %1$s >> %2$s; sleep 0.2; echo - %1$s >> %2$s".formatted(name, ledger);
  }

  private static int mostAtOnce(String name) throws IOException {
    int now = 0;
    int most = 0;
    for (String line : Files.readAllLines(ledger)) {
      if (line.endsWith(" " + name)) {
        now += line.startsWith("+") ? 1 : -1;
        most = Math.max(most, now);
      }
    }
    return most;
  }

  private static void assertHistoryHolds() throws IOException {
    Cli result = first.cli(BuiltInDatabase.settingsOf(first), "verify-history");
    assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
  }

  @Test
  @Order(1)
  void aLimitHoldsOverAllWorkers() throws IOException {
    queue("narrow", "{\"max_running\": 2}");
    List<String> ids = submit(12, recorded("narrow"), Map.of("queue", "narrow"));
    ids.forEach(first::awaitEnd);
    assertThat(mostAtOnce("narrow")).isBetween(1, 2);
  }

  @Test
  @Order(2)
  void soManyJobsOfAKeyRunAtOnce() throws IOException {
    List<String> ids =
        submit(
            12,
            recorded("keyed"),
            Map.of("queue", "keyed", "concurrency_key", "tenant", "concurrency_limit", 3));
    ids.forEach(first::awaitEnd);
    assertThat(mostAtOnce("keyed")).isBetween(1, 3);
  }

  @Test
  @Order(3)
  void aJobIsToldWhyItDoesNotRun() {
    queue("shut", "{\"paused\": true, \"rate_per_second\": 0.01}");
    String id = first.submit("true", Map.of("queue", "shut"));
    JsonNode explained = json(first.get("/v1/jobs/" + id + "/explain"));
    assertThat(explained.at("/blockers/0/kind").asText()).isEqualTo("paused");
    assertThat(explained.get("summary").asText()).isEqualTo("queue shut is paused");
    assertThat(explained.at("/workers/able").asInt()).isEqualTo(2);
    assertThat(explained.at("/start/unknown_because").asText()).contains("paused");
    Cli said = first.cli("explain", id);
    assertThat(said.stdout()).startsWith("queued: queue shut is paused\n").contains("1. paused: ");
    String after = first.submit("true", Map.of("after", List.of(id)));
    assertThat(json(first.get("/v1/jobs/" + after + "/explain")).at("/blockers/0/detail").asText())
        .isEqualTo("it waits for job " + id + " (queued)");
    queue("shut", "{\"paused\": false}");
    first.awaitEnd(id);
    first.awaitEnd(after);
    String second = first.submit("true", Map.of("queue", "shut"));
    JsonNode slow = json(first.get("/v1/jobs/" + second + "/explain"));
    assertThat(slow.at("/blockers/0/kind").asText()).isEqualTo("rate");
    assertThat(slow.at("/blockers/0/until").asText()).endsWith("Z");
    queue("shut", "{\"rate_per_second\": null}");
    assertThat(first.awaitEnd(second).get("state").asText()).isEqualTo("succeeded");
    assertThat(json(first.get("/v1/jobs/" + second + "/explain")).get("summary").asText())
        .isEqualTo("it has ended: succeeded, success");
    TestServer.assertProblem(
        first.get("/v1/jobs/00000000-0000-7000-8000-000000000000/explain"), 404);
  }

  @Test
  @Order(4)
  void aCircuitOpensKeepsTriesAndClosesAfterAProbe() throws IOException {
    Path works = folder.resolve("works");
    queue(
        "backend",
        """
        {"circuit": {"failure_ratio": 0.5, "minimum_attempts": 4, "window_seconds": 3600, "probe_seconds": 1,
                     "max_probe_seconds": 2}}
        """);
    List<String> ids =
        submit(
            12,
            "test -e " + works,
            Map.of(
                "queue",
                "backend",
                "max_attempts",
                50,
                "backoff",
                Map.of("base_seconds", 0.1, "factor", 1, "jitter", "none")));
    await()
        .atMost(LONG)
        .until(() -> !queue("backend").at("/circuit/state").asText().equals("closed"));
    assertThat(json(first.get("/v1/queues/backend/events")).get("events").toString())
        .contains("circuit_opened");
    Files.createFile(works);
    ids.forEach(id -> assertThat(first.awaitEnd(id).get("state").asText()).isEqualTo("succeeded"));
    assertThat(queue("backend").at("/circuit/state").asText()).isEqualTo("closed");
    queue("backend", "{\"circuit\": {\"state\": \"open\"}}");
    String waits = first.submit("true", Map.of("queue", "backend"));
    assertThat(json(first.get("/v1/jobs/" + waits + "/explain")).at("/blockers/0/kind").asText())
        .isEqualTo("circuit");
    queue("backend", "{\"circuit\": {\"state\": \"closed\"}}");
    first.awaitEnd(waits);
  }

  @Test
  @Order(5)
  void aLimitHoldsWhereAWorkerIsKilled() throws IOException {
    queue("killed", "{\"max_running\": 2}");
    List<String> ids =
        submit(10, recorded("killed"), Map.of("queue", "killed", "max_attempts", 20));
    await().atMost(LONG).until(() -> queue("killed").at("/counts/running").asInt() > 0);
    second.signal("KILL");
    ids.forEach(id -> assertThat(first.awaitEnd(id).get("state").asText()).isEqualTo("succeeded"));
    assertHistoryHolds();
  }
}
