package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the API says about limits, schedules and waiting jobs holds, from outside. */
@Timeout(600)
class PromisesIT {
  private static final String LATER = "2099-01-01T00:00:00Z";
  private static final int SLOTS = 2;

  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    // Heartbeats a minute apart, so that none of them helps.
    server =
        TestServer.start(
            Map.of("ERRAND_WORKER_SLOTS", String.valueOf(SLOTS), "ERRAND_LEASE_SECONDS", "180"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String sql(String query) throws Exception {
    return BuiltInDatabase.sql(server, query);
  }

  private static JsonNode explain(String id) {
    return json(server.get("/v1/jobs/" + id + "/explain"));
  }

  private static void queue(String name, String settings) {
    HttpResponse<String> answer = server.call("PATCH", "/v1/queues/" + name, settings);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  private static List<String> waiting(String queue, int jobs) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < jobs; i++) {
      ids.add(server.submit("true", Map.of("queue", queue, "run_at", LATER)));
    }
    return ids;
  }

  private static JsonNode operation(HttpResponse<String> begun) {
    assertThat(begun.statusCode()).as(begun.body()).isEqualTo(202);
    String path = "/v1/operations/" + json(begun).get("id").asText();
    await()
        .atMost(Duration.ofMinutes(3))
        .until(() -> json(server.get(path)).get("finished_at").isTextual());
    return json(server.get(path));
  }

  /** What became of its ticks, and why. */
  private static String ticks(String schedule) {
    StringBuilder ticks = new StringBuilder();
    json(server.get("/v1/schedules/" + schedule + "/ticks"))
        .get("ticks")
        .forEach(tick -> ticks.append(tick.get("skipped")).append(tick.get("detail")).append(' '));
    return ticks.toString();
  }

  private static String schedule(String name, String job) {
    return "{\"name\": \"" + name + "\", \"cron\": \"@every 1h\", \"job\": " + job + "}";
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"after\": [\"00000000-0000-7000-8000-000000000000\"]",
        "\"after\": [\"00000000-0000-7000-8000-000000000000\"], \"on_dependency_failure\": \"run\"",
        "\"after\": [], \"on_dependency_failure\": \"run\""
      })
  void theJobOfAScheduleWaitsForNoOther(String members) {
    HttpResponse<String> made =
        server.post(
            "/v1/schedules", schedule("waits", "{\"command\": [\"true\"], " + members + "}"));
    assertProblem(made, 400);
    assertThat(json(made).at("/errors/0/field").asText()).isEqualTo("job.after");
    assertThat(json(made).at("/errors/0/message").asText()).contains("is not allowed here");
    assertThat(server.get("/v1/schedules/waits").statusCode()).isEqualTo(404);
    server.post("/v1/schedules", schedule("plain", "{\"command\": [\"true\"]}"));
    assertProblem(server.call("PATCH", "/v1/schedules/plain", "{\"job\": {" + members + "}}"), 400);
    assertThat(json(server.get("/v1/schedules/plain")).get("job").has("after")).isFalse();
  }

  @Test
  void theCommandLineSaysThatTheJobOfAScheduleWaitsForNoOther() {
    Cli refused =
        server.cli(
            "schedules",
            "create",
            "waits-too",
            "--every",
            "1h",
            "--after",
            "00000000-0000-7000-8000-000000000000",
            "--",
            "true");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.stderr()).contains("--after is not allowed here");
  }

  @Test
  void aScheduleOfAnEarlierVersionThatWaitsSaysSoAtEveryTick() throws Exception {
    String made =
        "{\"name\": \"old\", \"cron\": \"@every 1s\", \"paused\": true,"
            + " \"job\": {\"command\": [\"true\"]}}";
    assertThat(server.post("/v1/schedules", made).statusCode()).isEqualTo(201);
    sql(
        "UPDATE errand.schedules SET job = job || '{\"after\":"
            + " [\"00000000-0000-7000-8000-000000000000\"]}' WHERE name = 'old' RETURNING 1");
    HttpResponse<String> run = server.post("/v1/schedules/old/run", "{}");
    assertProblem(run, 409);
    assertThat(json(run).get("detail").asText()).contains("job.after is not allowed here");
    server.call("PATCH", "/v1/schedules/old", "{\"paused\": false}");
    await().atMost(Duration.ofMinutes(2)).until(() -> ticks("old").contains("submit_refused"));
    assertThat(ticks("old")).contains("job.after is not allowed here");
    HttpResponse<String> mended =
        server.call("PATCH", "/v1/schedules/old", "{\"paused\": true, \"job\": {\"after\": null}}");
    assertThat(mended.statusCode()).as(mended.body()).isEqualTo(200);
    assertThat(server.post("/v1/schedules/old/run", "{}").statusCode()).isEqualTo(202);
  }

  @Test
  void aScheduleIsCheckedAndNothingIsStored() {
    String body = schedule("checked", "{\"command\": [\"true\"]}");
    HttpResponse<String> checked = server.post("/v1/schedules?validate_only=true", body);
    assertThat(checked.statusCode()).as(checked.body()).isEqualTo(200);
    assertThat(json(checked).get("next_runs")).hasSize(5);
    assertThat(json(checked).at("/job/command/0").asText()).isEqualTo("true");
    assertThat(server.get("/v1/schedules/checked").statusCode()).isEqualTo(404);
    assertProblem(server.post("/v1/schedules?validate_only=perhaps", body), 400);
    assertProblem(server.post("/v1/schedules?validate=true", body), 400);
    assertProblem(
        server.post("/v1/schedules?validate_only=true", schedule("checked", "{\"command\": []}")),
        400);
    Cli said =
        server.cli(
            "schedules", "create", "checked", "--every", "1h", "--validate-only", "--", "true");
    assertThat(said.exitCode()).as(said.stderr()).isZero();
    assertThat(said.stdout()).contains("checked", "@every 1h");
    assertThat(server.get("/v1/schedules/checked").statusCode()).isEqualTo(404);
  }

  @Test
  void theCommandLineShowsWhatItHasChanged() {
    server.post("/v1/schedules", schedule("shown", "{\"command\": [\"true\"]}"));
    assertThat(server.cli("schedules", "pause", "shown").stdout())
        .contains("NAME", "shown", "true");
    assertThat(server.cli("schedules", "resume", "shown").stdout())
        .contains("NAME", "shown", "false");
    Cli none = server.cli("schedules", "create", "never", "--", "true");
    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.stderr()).contains("--cron, --every or --at");
    assertThat(server.cli("queues", "update", "set", "--max-depth", "17").stdout())
        .contains("MAX_DEPTH", "17");
  }

  @Test
  void aFullQueueTakesNoJobsFromOtherQueues() {
    queue("full", "{\"max_depth\": 2}");
    waiting("full", 1);
    List<String> ids = waiting("source", 4);
    String move = "{\"queue\": \"full\"}";
    assertThat(server.call("PATCH", "/v1/jobs/" + ids.get(0), move).statusCode()).isEqualTo(200);
    HttpResponse<String> refused = server.call("PATCH", "/v1/jobs/" + ids.get(1), move);
    assertProblem(refused, 429);
    assertThat(refused.headers().firstValue("Retry-After")).isPresent();
    assertThat(json(refused).get("detail").asText()).contains("max_depth is 2");
    assertThat(json(server.get("/v1/jobs/" + ids.get(1))).get("queue").asText())
        .isEqualTo("source");
    String again = "{\"queue\": \"full\", \"priority\": 3}"; // it is there already
    assertThat(server.call("PATCH", "/v1/jobs/" + ids.get(0), again).statusCode()).isEqualTo(200);
    queue("full", "{\"max_depth\": 3}");
    JsonNode end =
        operation(
            server.call(
                "PATCH",
                "/v1/jobs",
                "{\"filter\": {\"queue\": \"source\"}, \"set\": {\"queue\": \"full\"}}"));
    assertThat(end.get("done").asInt()).isEqualTo(1);
    assertThat(end.get("skipped").asInt()).isEqualTo(2);
    assertThat(end.get("detail").asText()).contains("max_depth is 3");
    assertThat(json(server.get("/v1/queues/full")).at("/counts/queued").asInt()).isEqualTo(3);
    queue("full", "{\"overload\": \"warn\"}");
    assertThat(server.call("PATCH", "/v1/jobs/" + ids.get(3), move).statusCode()).isEqualTo(200);
  }

  @Test
  void aBulkMoveThatThePolicyOfAQueueRefusesSaysWhy() {
    queue("strict", "{\"policy\": {\"max_timeout_seconds\": 5}}");
    server.submit("true", Map.of("queue", "loose", "run_at", LATER, "timeout_seconds", 60));
    JsonNode end =
        operation(
            server.call(
                "PATCH",
                "/v1/jobs",
                "{\"filter\": {\"queue\": \"loose\"}, \"set\": {\"queue\": \"strict\"}}"));
    assertThat(end.get("done").asInt()).isZero();
    assertThat(end.get("skipped").asInt()).isEqualTo(1);
    assertThat(end.get("detail").asText()).contains("timeout_seconds");
  }

  @Test
  void busyWorkersAreBusyBetweenHeartbeatsAndJobsOfOtherQueuesComeFirst() {
    List<String> running = new ArrayList<>();
    for (int i = 0; i < SLOTS; i++) {
      String id = server.submit("exec sleep 600", Map.of("queue", "long"));
      server.awaitState(id, "running");
      running.add(id);
    }
    assertThat(json(server.get("/v1/workers")).at("/workers/0/busy").asInt()).isEqualTo(SLOTS);
    String plain = server.submit("true", Map.of("queue", "short"));
    // A job that was claimed ahead is given back as soon as no slot gets free.
    await()
        .atMost(Duration.ofMinutes(1))
        .untilAsserted(
            () -> {
              JsonNode explained = explain(plain);
              assertThat(explained.at("/blockers/0/kind").asText()).isEqualTo("slots");
              assertThat(explained.at("/workers/free_slots").asInt()).isZero();
              assertThat(explained.get("jobs_ahead").asInt()).isZero();
              assertThat(explained.get("jobs_ahead_is_exact").asBoolean()).isTrue();
            });
    String urgent = server.submit("true", Map.of("queue", "other", "priority", 50));
    await()
        .atMost(Duration.ofMinutes(1))
        .untilAsserted(
            () -> {
              JsonNode explained = explain(plain);
              assertThat(explained.get("jobs_ahead").asInt()).isEqualTo(1);
              assertThat(explained.get("jobs_ahead_is_exact").asBoolean()).isFalse();
            });
    running.forEach(id -> server.post("/v1/jobs/" + id + "/cancel", "{}"));
    server.awaitEnd(plain);
    server.awaitEnd(urgent);
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> json(server.get("/v1/workers")).at("/workers/0/busy").asInt() == 0);
  }

  @Test
  void aJobThatExpiresBeforeItMayStartIsToldThatItNeverRuns() {
    String never =
        server.submit(
            "true", Map.of("run_at", "2098-01-02T00:00:00Z", "expires_at", "2098-01-01T00:00:00Z"));
    JsonNode explained = explain(never);
    assertThat(explained.get("summary").asText()).startsWith("it will never run");
    assertThat(explained.at("/blockers/0/kind").asText()).isEqualTo("expires");
    assertThat(explained.at("/start/earliest").isNull()).isTrue();
    assertThat(explained.at("/start/unknown_because").asText()).contains("never");
    queue("later", "{\"paused\": true}");
    String in =
        server.submit("true", Map.of("queue", "later", "expires_at", "2098-01-01T00:00:00Z"));
    assertThat(explain(in).get("expires_at").asText()).startsWith("2098-01-01T00:00:00");
    assertThat(explain(in).get("summary").asText()).isEqualTo("queue later is paused");
  }

  @Test
  void aCircuitNamesItsProbeAndWhoOpenedIt() {
    queue("probed", "{\"circuit\": {\"failure_ratio\": 0.5, \"minimum_attempts\": 1}}");
    queue("probed", "{\"circuit\": {\"state\": \"open\"}}");
    String waits = server.submit("true", Map.of("queue", "probed"));
    JsonNode open = explain(waits).at("/blockers/0");
    assertThat(open.get("kind").asText()).isEqualTo("circuit");
    assertThat(open.get("detail").asText()).contains("an operator opened it").contains("closed");
    assertThat(open.get("until").isNull()).isTrue();
    queue("probed", "{\"circuit\": {\"state\": \"closed\"}}");
    server.awaitEnd(waits);
    queue("probed", "{\"circuit\": {\"probe_seconds\": 1}}");
    server.awaitEnd(server.submit("exit 1", Map.of("queue", "probed", "max_attempts", 1)));
    await()
        .atMost(Duration.ofMinutes(2))
        .until(
            () ->
                !json(server.get("/v1/queues/probed"))
                    .at("/circuit/state")
                    .asText()
                    .equals("closed"));
    String probe = server.submit("exec sleep 600", Map.of("queue", "probed"));
    server.awaitState(probe, "running");
    String behind = server.submit("true", Map.of("queue", "probed"));
    JsonNode halfOpen = explain(behind).at("/blockers/0");
    assertThat(halfOpen.get("detail").asText()).contains("half-open").contains(probe);
    assertThat(halfOpen.get("until").isNull()).isTrue();
    queue("probed", "{\"circuit\": {\"state\": \"closed\"}}");
    server.post("/v1/jobs/" + probe + "/cancel", "{}");
    server.awaitEnd(probe);
    server.awaitEnd(behind);
  }
}
