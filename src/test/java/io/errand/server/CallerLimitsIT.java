package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What one caller may take, from outside: it does not keep another from being served. */
class CallerLimitsIT {
  private static final int BURST = 300;
  private static final int MOST_WAITS = 2;

  private static TestServer server;

  @BeforeAll
  static void start() {
    server =
        TestServer.start(
            Map.of(
                "ERRAND_RATE_PER_SECOND", "0.1",
                "ERRAND_RATE_BURST", Integer.toString(BURST),
                "ERRAND_MAX_WAITS", Integer.toString(MOST_WAITS)));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void aCallerThatFloodsIsRefusedAndAnotherIsServed() {
    WithKey flooding = WithKey.of(server, "submitter", "default");
    WithKey other = WithKey.of(server, "submitter", "default");
    HttpResponse<String> first = flooding.get("/v1/me");
    assertThat(first.headers().firstValue("RateLimit-Policy"))
        .contains("\"requests\";q=300;w=3000");
    assertThat(first.headers().firstValue("RateLimit").orElseThrow())
        .startsWith("\"requests\";r=299;t=");
    HttpResponse<String> last = first;
    for (int i = 0; i <= 2 * BURST && last.statusCode() != 429; i++) {
      last = flooding.get("/v1/me");
    }
    TestServer.assertProblem(last, 429);
    assertThat(last.headers().firstValue("RateLimit").orElseThrow()).contains("r=0;");
    assertThat(last.headers().firstValue("Retry-After").map(Integer::parseInt).orElseThrow())
        .isBetween(1, 10);
    TestServer.assertProblem(flooding.post("/v1/jobs", "{\"command\":[\"true\"]}"), 429);
    assertThat(other.awaitEnd(other.submit("true", Map.of())).get("state").asText())
        .isEqualTo("succeeded");
    assertThat(server.get("/q/health/live").headers().firstValue("RateLimit")).isEmpty();
  }

  @Test
  void aCallerWaitsForSoManyJobsAtOnce() {
    WithKey waiting = WithKey.of(server, "operator", "default");
    WithKey other = WithKey.of(server, "operator", "default");
    String id = waiting.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    String path = "/v1/jobs/" + id;
    List<CompletableFuture<HttpResponse<String>>> held = new ArrayList<>();
    for (int i = 0; i < MOST_WAITS; i++) {
      held.add(
          waiting
              .http()
              .sendAsync(
                  waiting.request(path + "?wait_seconds=60").build(),
                  HttpResponse.BodyHandlers.ofString()));
    }
    // One that waits for a millisecond is one of them, too, and does not stay.
    HttpResponse<String> refused =
        Awaitility.await()
            .until(() -> waiting.get(path + "?wait_seconds=0.001"), one -> one.statusCode() == 429);
    TestServer.assertProblem(refused, 429);
    assertThat(refused.headers().firstValue("Retry-After")).isPresent();
    TestServer.assertProblem(waiting.get(path + "/output/stream"), 429);
    assertThat(waiting.get(path).statusCode()).isEqualTo(200);
    assertThat(other.get(path + "?wait_seconds=0.001").statusCode()).isEqualTo(200);
    other.post(path + "/cancel", "");
    held.forEach(answer -> assertThat(answer.join().statusCode()).isEqualTo(200));
    Awaitility.await().until(() -> waiting.get(path + "?wait_seconds=0.001").statusCode() == 200);
  }

  @Test
  void soManyJobsOfAProjectWaitInAllOfItsQueues() {
    server.call("PUT", "/v1/projects/small", "{\"max_waiting\":3}");
    WithKey caller = WithKey.of(server, "operator", "small");
    for (String queue : List.of("one", "two")) {
      caller.call("PATCH", "/v1/queues/" + queue, "{\"paused\":true}");
    }
    String first = caller.submit("true", Map.of("queue", "one"));
    caller.submit(
        "true", Map.of("queue", "two", "after", List.of(first), "on_dependency_failure", "run"));
    HttpResponse<String> batch =
        caller.post(
            "/v1/jobs/batch",
            "{\"jobs\":[{\"command\":[\"true\"],\"queue\":\"one\"},"
                + "{\"command\":[\"true\"],\"queue\":\"two\"}]}");
    assertThat(batch.statusCode()).as(batch.body()).isEqualTo(429);
    caller.submit("true", Map.of("queue", "two"));
    HttpResponse<String> refused =
        caller.post("/v1/jobs", "{\"command\":[\"true\"],\"queue\":\"one\"}");
    TestServer.assertProblem(refused, 429);
    JsonNode problem = TestServer.json(refused);
    assertThat(problem.get("type").asText()).isEqualTo("urn:errand:problem:project-overloaded");
    assertThat(problem.get("overload").get("name").asText()).isEqualTo("max_waiting");
    assertThat(problem.get("overload").get("subject").asText()).isEqualTo("small");
    assertThat(refused.headers().firstValue("Retry-After")).isPresent();
    TestServer.assertProblem(
        caller.post(
            "/v1/jobs", "{\"command\":[\"true\"],\"queue\":\"one\",\"after\":[\"" + first + "\"]}"),
        429);
    caller.post(
        "/v1/schedules",
        "{\"name\":\"s\",\"cron\":\"@yearly\",\"job\":{\"command\":[\"true\"],\"queue\":\"one\"}}");
    TestServer.assertProblem(caller.post("/v1/schedules/s/run", ""), 429);
    caller.post("/v1/jobs/" + first + "/cancel", "");
    assertThat(caller.post("/v1/jobs/" + first + "/retry", "").statusCode()).isEqualTo(202);
    TestServer.assertProblem(caller.post("/v1/jobs/" + first + "/retry", ""), 429);
    String elsewhere = server.submit("true", Map.of());
    assertThat(server.awaitEnd(elsewhere).get("state").asText()).isEqualTo("succeeded");
  }
}
