package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Settings of queues from outside, on two servers that share a database. */
@Timeout(300)
class QueuesIT {
  private static TestServer server;
  private static TestServer other;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of());
    Map<String, String> settings = new HashMap<>(BuiltInDatabase.settingsOf(server));
    settings.put("ERRAND_ROLES", "api");
    settings.put("ERRAND_TOKEN", "the-token-of-the-other");
    settings.put("ERRAND_OVERLOAD_DATABASE", "refuse");
    settings.put("ERRAND_OVERLOAD_TRANSACTION_SECONDS", "5");
    other = TestServer.start(settings);
  }

  @AfterAll
  static void stop() {
    other.close();
    server.close();
  }

  private static HttpResponse<String> patch(String queue, String body) {
    return server.call("PATCH", "/v1/queues/" + queue, body);
  }

  private static JsonNode patched(String queue, String body) {
    HttpResponse<String> answer = patch(queue, body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return TestServer.json(answer);
  }

  private static JsonNode queue(String name) {
    return TestServer.json(server.get("/v1/queues/" + name));
  }

  private static HttpResponse<String> submit(TestServer to, String queue, String... headers) {
    return to.post("/v1/jobs", "{\"command\": [\"true\"], \"queue\": \"" + queue + "\"}", headers);
  }

  private static JsonNode checked(TestServer on, String body) {
    HttpResponse<String> answer = on.post("/v1/jobs?validate_only=true", body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return TestServer.json(answer);
  }

  /** Until the other server knows the settings of a queue, among which is its default priority. */
  private static void awaitOther(String queue, int priority) {
    await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                checked(other, "{\"command\": [\"true\"], \"queue\": \"" + queue + "\"}")
                        .at("/job/priority")
                        .asInt()
                    == priority);
  }

  @Test
  void settingsAreChangedShownAndWrittenDown() {
    JsonNode changed =
        patched(
            "shown",
            """
            {"max_running": 2, "rate_per_second": 4, "weight": 0.5, "max_ready_age_seconds": 60,
             "hold_after_lost_workers": 2, "defaults": {"timeout_seconds": 9},
             "circuit": {"failure_ratio": 0.5}}
            """);
    assertThat(changed).isEqualTo(queue("shown"));
    assertThat(changed.get("max_running").asInt()).isEqualTo(2);
    assertThat(changed.get("burst").asDouble()).isEqualTo(4);
    assertThat(changed.get("tokens").asDouble()).isEqualTo(4);
    assertThat(changed.get("running").asInt()).isZero();
    assertThat(changed.get("overload").asText()).isEqualTo("refuse");
    assertThat(changed.at("/circuit/state").asText()).isEqualTo("closed");
    assertThat(changed.at("/circuit/window_seconds").asDouble()).isEqualTo(60);
    JsonNode open = patched("shown", "{\"circuit\": {\"state\": \"open\"}}").get("circuit");
    assertThat(open.get("state").asText()).isEqualTo("open");
    assertThat(open.get("opened_by_hand").asBoolean()).isTrue();
    assertThat(open.get("changed_at").asText()).endsWith("Z");
    assertThat(open.get("next_probe_at").isNull()).isTrue();
    assertThat(
            patched("shown", "{\"circuit\": null, \"max_running\": null}").get("circuit").isNull())
        .isTrue();
    JsonNode first = TestServer.json(server.get("/v1/queues/shown/events?page_size=2"));
    assertThat(first.get("events")).hasSize(2);
    String token = first.get("next_page_token").asText();
    JsonNode rest = TestServer.json(other.get("/v1/queues/shown/events?page_token=" + token));
    assertThat(rest.get("events").findValuesAsText("event"))
        .containsExactly("circuit_opened", "settings_changed");
    assertThat(rest.get("events").get(1).get("detail").asText()).contains("max_running: none to 2");
    assertThat(rest.get("events").get(1).get("actor").asText()).startsWith("client ");
    assertThat(rest.get("next_page_token").asText()).isEmpty();
    patched("another", "{}");
    TestServer.assertProblem(server.get("/v1/queues/another/events?page_token=" + token), 400);
    TestServer.assertProblem(server.get("/v1/queues/shown/events?page_size=0"), 400);
    TestServer.assertProblem(server.get("/v1/queues/shown/events?before=1"), 400);
    TestServer.assertProblem(server.get("/v1/queues/unknown/events"), 404);
  }

  @Test
  void aPatchThatIsWrongNamesEveryFieldAndChangesNothing() {
    HttpResponse<String> refused =
        patch("wrong", "{\"paused\": true, \"max_running\": 0, \"weigth\": 2, \"circuit\": {}}");
    TestServer.assertProblem(refused, 400);
    assertThat(TestServer.json(refused).get("errors").findValuesAsText("field"))
        .containsExactlyInAnyOrder("max_running", "weigth", "circuit.failure_ratio");
    TestServer.assertProblem(server.get("/v1/queues/wrong"), 404);
  }

  @Test
  void theCommandLineChangesAndShowsQueues() {
    assertThat(
            server.cli(
                "queues",
                "update",
                "cli",
                "--max-running",
                "3",
                "--rate",
                "0.5",
                "--circuit-failure-ratio",
                "0.25",
                "--circuit-outcomes",
                "timeout,lost",
                "--default",
                "timeout_seconds=60",
                "--default",
                "limits.nice=3",
                "--max-depth",
                "7",
                "-o",
                "json"))
        .satisfies(cli -> assertThat(cli.stderr()).isEmpty())
        .satisfies(cli -> assertThat(cli.exitCode()).isZero())
        .satisfies(cli -> assertThat(cli.stdout()).contains("\"max_running\" : 3"));
    JsonNode queue = queue("cli");
    assertThat(queue.get("rate_per_second").asDouble()).isEqualTo(0.5);
    assertThat(queue.at("/circuit/outcomes").toString()).isEqualTo("[\"lost\",\"timeout\"]");
    assertThat(queue.at("/defaults/limits/nice").asInt()).isEqualTo(3);
    assertThat(server.cli("queues", "pause", "cli").stdout()).contains("cli   true");
    assertThat(server.cli("queues", "-o", "wide").stdout()).contains("MAX_RUNNING", "closed");
    assertThat(server.cli("queues", "resume", "cli", "-o", "name").stdout()).isEqualTo("cli\n");
    assertThat(queue("cli").get("paused").asBoolean()).isFalse();
    assertThat(
            server
                .cli(
                    "queues",
                    "update",
                    "cli",
                    "--unset",
                    "circuit",
                    "--unset",
                    "max_running",
                    "--unset",
                    "defaults.timeout_seconds")
                .exitCode())
        .isZero();
    JsonNode unset = queue("cli");
    assertThat(unset.get("circuit").isNull()).isTrue();
    assertThat(unset.get("max_running").isNull()).isTrue();
    assertThat(unset.get("defaults").toString()).isEqualTo("{\"limits\":{\"nice\":3}}");
    assertThat(server.cli("queues", "get", "cli", "-o", "json").stdout())
        .contains("\"max_depth\" : 7");
    assertThat(server.cli("queues", "events", "cli", "-n", "1").stdout())
        .contains("settings_changed", "circuit.failure_ratio: 0.25 to none");
    assertThat(server.cli("queues", "update", "cli", "--rate", "0"))
        .satisfies(cli -> assertThat(cli.exitCode()).isEqualTo(2))
        .satisfies(
            cli -> assertThat(cli.stderr()).contains("--rate must be a number from 0.000001"));
    assertThat(server.cli("queues", "update", "cli").stderr()).contains("nothing to change");
    assertThat(server.cli("queues", "get", "../jobs").exitCode()).isEqualTo(2);
    assertThat(server.cli("help", "--all", "queues", "update").stdout())
        .contains("--circuit-max-probe");
  }

  @Test
  void aJobGetsWhatItsQueueHasForFieldsThatItDoesNotName() {
    patched(
        "fills",
        """
        {"paused": true, "defaults": {"priority": 7, "timeout_seconds": 61, "max_attempts": 9,
         "backoff": {"base_seconds": 5}, "limits": {"nice": 3, "open_files": 99},
         "retry": [{"when": "timeout", "then": "fail"}], "expires_after_seconds": 1000}}
        """);
    awaitOther("fills", 7);
    String body =
        "{\"command\": [\"true\"], \"queue\": \"fills\", \"max_attempts\": 2,"
            + " \"limits\": {\"nice\": 1}, \"on_lost\": null}";
    for (TestServer node : List.of(server, other)) {
      JsonNode job = TestServer.json(node.post("/v1/jobs", body, "Idempotency-Key", node.url()));
      assertThat(job.get("priority").asInt()).isEqualTo(7);
      assertThat(job.get("timeout_seconds").asDouble()).isEqualTo(61);
      assertThat(job.get("max_attempts").asInt()).isEqualTo(2);
      assertThat(job.at("/backoff/base_seconds").asDouble()).isEqualTo(5);
      assertThat(job.at("/limits/nice").asInt()).isEqualTo(1);
      assertThat(job.at("/limits/open_files").asInt()).isEqualTo(99);
      assertThat(job.at("/retry/0/when").asText()).isEqualTo("timeout");
      assertThat(
              Duration.between(
                      java.time.Instant.parse(job.get("run_at").asText()),
                      java.time.Instant.parse(job.get("expires_at").asText()))
                  .toSeconds())
          .isEqualTo(1_000);
    }
    patched("fills", "{\"defaults\": {\"priority\": null}}");
    HttpResponse<String> again =
        server.post("/v1/jobs", body, "Idempotency-Key", server.url()); // the body is the same
    assertThat(again.headers().firstValue("Idempotent-Replayed")).contains("true");
    JsonNode batch =
        TestServer.json(server.post("/v1/jobs/batch", "{\"jobs\": [" + body + "]}")).get("ids");
    assertThat(server.job(batch.get(0).asText()).get("priority").asInt()).isZero();
    assertThat(server.job(batch.get(0).asText()).get("timeout_seconds").asDouble()).isEqualTo(61);
  }

  @Test
  void ofFiftySubmitsAtOnceToTwoServersTheQueueTakesWhatItHasRoomFor() {
    patched("full", "{\"paused\": true, \"max_depth\": 10, \"defaults\": {\"priority\": 3}}");
    awaitOther("full", 3);
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      TestServer node = i % 2 == 0 ? server : other;
      answers.add(
          node.http()
              .sendAsync(
                  node.request("/v1/jobs")
                      .header("Content-Type", "application/json")
                      .header("Idempotency-Key", "full-" + i)
                      .POST(
                          BodyPublishers.ofString("{\"command\": [\"true\"], \"queue\": \"full\"}"))
                      .build(),
                  BodyHandlers.ofString()));
    }
    int accepted = -1;
    int count = 0;
    for (int i = 0; i < 50; i++) {
      HttpResponse<String> answer = answers.get(i).join();
      if (answer.statusCode() == 202) {
        accepted = i;
        count++;
      } else {
        TestServer.assertProblem(answer, 429);
        JsonNode problem = TestServer.json(answer);
        assertThat(problem.get("type").asText()).isEqualTo("urn:errand:problem:queue-overloaded");
        assertThat(problem.at("/overload/name").asText()).isEqualTo("max_depth");
        assertThat(problem.at("/overload/subject").asText()).isEqualTo("full");
        assertThat(problem.at("/overload/limit").asInt()).isEqualTo(10);
        assertThat(answer.headers().firstValueAsLong("Retry-After")).hasValue(3_600); // paused
      }
    }
    assertThat(count).isEqualTo(10);
    assertThat(queue("full").at("/counts/queued").asInt()).isEqualTo(10);
    HttpResponse<String> repeat = submit(other, "full", "Idempotency-Key", "full-" + accepted);
    assertThat(repeat.statusCode()).isEqualTo(202);
    assertThat(repeat.headers().firstValue("Idempotent-Replayed")).contains("true");
    TestServer.assertProblem(
        other.call(
            "PUT",
            "/v1/jobs/" + UUID.randomUUID(),
            "{\"command\": [\"true\"], \"queue\": \"full\"}"),
        429);
    TestServer.assertProblem(
        server.post(
            "/v1/jobs/batch",
            "{\"jobs\": [{\"command\": [\"true\"], \"queue\": \"elsewhere\"},"
                + " {\"command\": [\"true\"], \"queue\": \"full\"}]}"),
        429);
    TestServer.assertProblem(server.get("/v1/queues/elsewhere"), 404);
    assertThat(server.cli("submit", "-q", "full", "--", "true"))
        .satisfies(cli -> assertThat(cli.exitCode()).isEqualTo(1))
        .satisfies(cli -> assertThat(cli.stderr()).contains("max_depth is 10"));
    patched("full", "{\"overload\": \"warn\"}");
    HttpResponse<String> warned = submit(server, "full");
    assertThat(warned.statusCode()).isEqualTo(202);
    assertThat(warned.headers().firstValue("Errand-Overload"))
        .contains("max_depth; queue=\"full\"; value=10; limit=10");
    assertThat(server.cli("submit", "-q", "full", "--", "true"))
        .satisfies(cli -> assertThat(cli.exitCode()).isZero())
        .satisfies(cli -> assertThat(cli.stderr()).contains("max_depth; queue=\"full\""));
  }

  @Test
  void aQueueWhoseOldestJobHasWaitedForTooLongTakesNoMore() {
    patched("old", "{\"paused\": true, \"max_ready_age_seconds\": 3600}");
    assertThat(
            server
                .post(
                    "/v1/jobs",
                    "{\"command\": [\"true\"], \"queue\": \"old\", \"run_at\":"
                        + " \"2020-01-01T00:00:00Z\"}",
                    "Idempotency-Key",
                    "old")
                .statusCode())
        .isEqualTo(202);
    await().until(() -> submit(server, "old").statusCode() == 429);
    JsonNode problem = TestServer.json(submit(server, "old"));
    assertThat(problem.at("/overload/name").asText()).isEqualTo("max_ready_age_seconds");
    assertThat(problem.at("/overload/value").asDouble()).isGreaterThan(3_600);
    HttpResponse<String> repeat =
        server.post(
            "/v1/jobs",
            "{\"command\": [\"true\"], \"queue\": \"old\", \"run_at\": \"2020-01-01T00:00:00Z\"}",
            "Idempotency-Key",
            "old");
    assertThat(repeat.headers().firstValue("Idempotent-Replayed")).contains("true");
    assertThat(checked(server, "{\"command\": [\"true\"], \"queue\": \"old\"}").get("warnings"))
        .hasSize(2);
  }

  /** A claim asks all queues, so one whose rate the database cannot divide by would stop all. */
  @Test
  void noNumberOfOneQueueKeepsTheJobsOfOthersFromRunning() {
    String least = Double.toString(Double.MIN_VALUE);
    TestServer.assertProblem(patch("least", "{\"rate_per_second\": " + least + "}"), 400);
    TestServer.assertProblem(patch("least", "{\"rate_per_second\": 1e-320}"), 400);
    patched("least", "{\"rate_per_second\": 0.000001, \"burst\": 1000000}");
    patched("most", "{\"rate_per_second\": 1000000, \"burst\": 1, \"weight\": 1000}");
    patched(
        "small",
        """
        {"weight": 0.001, "max_ready_age_seconds": %1$s, "overload": "warn",
         "circuit": {"failure_ratio": %1$s, "window_seconds": 1, "minimum_attempts": 1,
                     "probe_seconds": %1$s, "max_probe_seconds": %1$s},
         "defaults": {"kill_grace_seconds": %1$s, "expires_after_seconds": 0.001,
                      "backoff": {"base_seconds": %1$s, "max_seconds": %1$s}}}
        """
            .formatted(least));
    patched("drained", "{\"rate_per_second\": 0.000001}");
    for (String name : List.of("least", "most", "small", "drained")) {
      for (int i = 0; i < 3; i++) {
        String id = server.submit("false", Map.of("queue", name, "max_attempts", 2));
        assertThat(server.get("/v1/jobs/" + id + "/explain").statusCode()).isEqualTo(200);
      }
      checked(server, "{\"command\": [\"true\"], \"queue\": \"" + name + "\"}");
    }
    String other = server.submit("true", Map.of("queue", "beside"));
    assertThat(server.awaitEnd(other).get("state").asText()).isEqualTo("succeeded");
    for (String name : List.of("least", "most", "small", "drained")) {
      assertThat(queue(name).get("name").asText()).isEqualTo(name);
    }
    assertThat(server.get("/v1/queues").statusCode()).isEqualTo(200);
    assertThat(server.log()).doesNotContain("out of range");
  }

  @Test
  void aJobIsCheckedAndNothingIsStored() {
    patched("checked", "{\"paused\": true, \"defaults\": {\"timeout_seconds\": 100}}");
    String body =
        """
        {"command": ["true"], "queue": "checked", "max_attempts": 3, "kill_grace_seconds": 10,
         "backoff": {"base_seconds": 4, "jitter": "none"}, "env": {"SECRET": "s3cret"},
         "stdin": "é", "expires_at": "2020-01-01T00:00:00Z", "concurrency_key": "k",
         "concurrency_limit": 5, "on_finish": {"url": "https://example.org/x"},
         "after": ["%s"]}
        """
            .formatted(server.submit("true", Map.of()));
    JsonNode preview = checked(server, body);
    JsonNode job = preview.get("job");
    assertThat(job.get("timeout_seconds").asDouble()).isEqualTo(100);
    assertThat(job.get("concurrency_limit").asInt()).isEqualTo(5);
    assertThat(job.at("/on_finish/url").asText()).isEqualTo("https://example.org/x");
    assertThat(job.get("after")).hasSize(1);
    assertThat(job.get("on_dependency_failure").asText()).isEqualTo("cancel");
    assertThat(job.get("stdin_bytes").asInt()).isEqualTo(2);
    assertThat(job.get("env_names").get(0).asText()).isEqualTo("SECRET");
    assertThat(preview.toString()).doesNotContain("s3cret");
    JsonNode attempts = preview.at("/retry_schedule/attempts");
    assertThat(attempts).hasSize(3);
    assertThat(attempts.get(2).get("earliest_start_seconds").asDouble()).isEqualTo(12);
    assertThat(attempts.get(2).get("latest_start_seconds").asDouble()).isEqualTo(232);
    assertThat(preview.at("/retry_schedule/gives_up_after_seconds").asDouble()).isEqualTo(342);
    assertThat(preview.get("warnings").findValuesAsText("message"))
        .containsExactly("the queue checked is paused", "it has expired already, and never runs");
    HttpResponse<String> withKey =
        server.post("/v1/jobs?validate_only=true", body, "Idempotency-Key", "checked");
    assertThat(withKey.statusCode()).isEqualTo(200);
    HttpResponse<String> missing =
        server.post(
            "/v1/jobs?validate_only=true",
            "{\"command\": [\"true\"], \"after\": [\"00000000-0000-7000-8000-000000000000\"]}");
    TestServer.assertProblem(missing, 400);
    assertThat(missing.body()).contains("\"field\":\"after[0]\"").contains("does not exist");
    String own = UUID.randomUUID().toString();
    assertThat(server.call("PUT", "/v1/jobs/" + own + "?validate_only=true", body).statusCode())
        .isEqualTo(200);
    TestServer.assertProblem(server.get("/v1/jobs/" + own), 404);
    assertThat(queue("checked").at("/counts/queued").asInt()).isZero();
    TestServer.assertProblem(server.post("/v1/jobs?validate_only=true", "{\"command\": []}"), 400);
    TestServer.assertProblem(server.post("/v1/jobs?validate_only=yes", body), 400);
    TestServer.assertProblem(server.post("/v1/jobs?validate=true", body), 400);
    TestServer.assertProblem(
        server.post("/v1/jobs?validate_only=true", body, "Idempotency-Key", "\""), 400);
    TestServer.assertProblem(
        server.post("/v1/jobs", "{\"command\": [\"true\"], \"concurrency_limit\": 2}"), 400);
    Cli cli = server.cli("submit", "-q", "checked", "--validate-only", "--", "true");
    assertThat(cli.exitCode()).isZero();
    assertThat(cli.stderr()).contains("warning: the queue checked is paused");
    assertThat(cli.stdout()).contains("\"gives_up_after_seconds\"");
    assertThat(queue("checked").at("/counts/queued").asInt()).isZero();
  }

  @Test
  void aSessionThatKeepsASnapshotIsNamedToWhoSubmits() throws Exception {
    Map<String, String> database = BuiltInDatabase.settingsOf(server);
    try (Connection pinning =
            DriverManager.getConnection(
                database.get("ERRAND_DATABASE_URL"),
                database.get("ERRAND_DATABASE_USER"),
                database.get("ERRAND_DATABASE_PASSWORD"));
        Statement statement = pinning.createStatement()) {
      assertThat(submit(other, "pinned", "Idempotency-Key", "before").statusCode()).isEqualTo(202);
      pinning.setAutoCommit(false);
      pinning.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      statement.execute("SELECT count(*) FROM errand.jobs");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> submit(other, "pinned").statusCode() == 503);
      HttpResponse<String> refused = submit(other, "pinned");
      TestServer.assertProblem(refused, 503);
      assertThat(refused.body()).contains("database-overloaded", "with pid ");
      assertThat(refused.headers().firstValueAsLong("Retry-After")).hasValue(30);
      assertThat(
              submit(other, "pinned", "Idempotency-Key", "before")
                  .headers()
                  .firstValue("Idempotent-Replayed"))
          .contains("true");
      assertThat(submit(server, "pinned").statusCode()).isEqualTo(202); // 300 s are allowed there
      pinning.rollback();
    }
    await().atMost(Duration.ofSeconds(60)).until(() -> submit(other, "pinned").statusCode() == 202);
  }
}
