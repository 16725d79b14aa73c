package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The wire contract, through a real server. */
class ApiIT extends OneServer {
  private static final String TIME = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z";

  @Test
  void theAnswerToASubmitIsWhatAReadGives() {
    HttpResponse<String> submitted =
        server.post(
            "/v1/jobs",
            "{\"command\":[\"true\"],\"run_at\":\"2098-01-01T00:00:00.1234567Z\",\"labels\":{\"zz\":\"1\",\"a\":\"\u00e9\"},"
                + "\"env\":{\"b\":\"1\",\"A\":\"2\"},\"stdin\":\"\u00e9\",\"timeout_seconds\":1.5,"
                + "\"retry\":[{\"when\":\"exit_code\",\"codes\":[2,\"64-78\"],\"then\":\"fail\"}],"
                + "\"expires_at\":\"2099-01-01T00:00:00.1234567Z\",\"limits\":{\"nice\":5}}");
    HttpResponse<String> read = server.get("/v1/jobs/" + json(submitted).get("id").asText());
    assertThat(submitted.body()).isEqualTo(read.body());
    assertThat(submitted.headers().firstValue("ETag")).isEqualTo(read.headers().firstValue("ETag"));
  }

  @Test
  void aSubmitIsAcceptedAndToldWhereItIs() {
    HttpResponse<String> answer = server.post("/v1/jobs", "{\"command\":[\"true\"]}");
    assertThat(answer.statusCode()).isEqualTo(202);
    JsonNode job = json(answer);
    assertThat(answer.headers().firstValue("Location").orElse(""))
        .endsWith("/v1/jobs/" + job.get("id").asText());
    assertThat(answer.headers().firstValue("Retry-After")).isPresent();
    assertThat(UUID.fromString(job.get("id").asText()).version()).isEqualTo(7);
    assertThat(job.get("created_at").asText()).matches(TIME);
    assertThat(job.get("max_attempts").asInt()).isEqualTo(3);
    assertThat(job.get("timeout_seconds").asDouble()).isEqualTo(3600);
    assertThat(job.get("backoff").toString()).contains("\"full\"").contains("max_seconds");
  }

  @Test
  void theSameKeyAndValueIsTheSameJobAndAnotherValueIsRefused() {
    String key = "key-" + UUID.randomUUID();
    HttpResponse<String> first =
        server.post(
            "/v1/jobs",
            "{\"command\":[\"true\"],\"priority\":1}",
            "Idempotency-Key",
            '"' + key + '"');
    String id = json(first).get("id").asText();
    assertThat(first.headers().firstValue("Idempotent-Replayed")).isEmpty();
    server.awaitEnd(id);
    HttpResponse<String> repeat =
        server.post(
            "/v1/jobs",
            "{ \"priority\": 1.0, \"command\": [\"\\u0074rue\"] }",
            "Idempotency-Key",
            key);
    assertThat(repeat.statusCode()).isEqualTo(200);
    assertThat(repeat.headers().firstValue("Idempotent-Replayed")).contains("true");
    assertThat(json(repeat).get("id").asText()).isEqualTo(id);
    assertThat(json(repeat).get("idempotency_key").asText()).isEqualTo(key);
    assertProblem(
        server.post("/v1/jobs", "{\"command\":[\"false\"]}", "Idempotency-Key", key), 422);
  }

  @Test
  void parallelSubmitsWithOneKeyGiveOneJobAndNoError() {
    String key = UUID.randomUUID().toString();
    List<CompletableFuture<HttpResponse<String>>> answers =
        IntStream.range(0, 60)
            .mapToObj(
                i ->
                    server
                        .http()
                        .sendAsync(
                            server
                                .request("/v1/jobs")
                                .header("Content-Type", "application/json")
                                .header("Idempotency-Key", key)
                                .POST(
                                    HttpRequest.BodyPublishers.ofString("{\"command\":[\"true\"]}"))
                                .build(),
                            BodyHandlers.ofString()))
            .toList();
    Set<String> ids = new HashSet<>();
    answers.forEach(
        answer -> {
          assertThat(answer.join().statusCode()).isIn(200, 202);
          ids.add(json(answer.join()).get("id").asText());
        });
    assertThat(ids).hasSize(1);
  }

  @Test
  void aClientsOwnIdIsKeptAndAnotherBodyForItRefused() {
    String id = UUID.randomUUID().toString();
    String path = "/v1/jobs/" + id;
    assertThat(server.call("PUT", path, "{\"command\":[\"true\"]}").statusCode()).isEqualTo(202);
    HttpResponse<String> repeat = server.call("PUT", path, "{\"command\":[\"true\"]}");
    assertThat(repeat.statusCode()).isIn(200, 202);
    assertThat(repeat.headers().firstValue("Idempotent-Replayed")).contains("true");
    assertProblem(server.call("PUT", path, "{\"command\":[\"false\"]}"), 409);
    assertProblem(
        server.call("PUT", path, "{\"command\":[\"true\"]}", "Idempotency-Key", "k"), 400);
    assertProblem(server.call("PUT", "/v1/jobs/no-uuid", "{\"command\":[\"true\"]}"), 400);
  }

  @Test
  void theLargestBodyIsAccepted() {
    String start = "{\"command\":[\"wc\",\"-c\"],\"stdin\":\"";
    String body = start + "x".repeat((1 << 20) - start.length() - 2) + "\"}";
    HttpResponse<String> answer = server.post("/v1/jobs", body);
    assertThat(answer.statusCode()).isEqualTo(202);
    JsonNode job = server.awaitEnd(json(answer).get("id").asText());
    assertThat(job.get("stdout").asText().trim())
        .isEqualTo(Integer.toString((1 << 20) - start.length() - 2));
  }

  @Test
  void aRequestIdIsTakenOverOrMade() {
    assertThat(
            server
                .send(server.request("/v1/jobs").header("X-Request-Id", "abc-123"))
                .headers()
                .firstValue("X-Request-Id"))
        .contains("abc-123");
    assertThat(server.get("/v1/nothing").headers().firstValue("X-Request-Id")).isPresent();
    assertThat(
            server
                .send(server.request("/v1/jobs").header("X-Request-Id", "two words"))
                .headers()
                .firstValue("X-Request-Id"))
        .isNotEqualTo("two words");
  }

  @Test
  void anETagSparesTheBodyUntilTheJobChanges() {
    String id = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    HttpResponse<String> first = server.get("/v1/jobs/" + id);
    String tag = first.headers().firstValue("ETag").orElse("");
    assertThat(tag).startsWith("\"").endsWith("\"");
    HttpResponse<String> same =
        server.send(server.request("/v1/jobs/" + id).header("If-None-Match", tag));
    assertThat(same.statusCode()).isEqualTo(304);
    assertThat(same.body()).isEmpty();
    assertThat(same.headers().firstValue("ETag")).contains(tag);
    server.post("/v1/jobs/" + id + "/cancel", "");
    HttpResponse<String> changed =
        server.send(server.request("/v1/jobs/" + id).header("If-None-Match", tag));
    assertThat(changed.statusCode()).isEqualTo(200);
  }

  @Test
  void aLongPollEndsWithTheJobOrWithItsTime() {
    String future = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    HttpResponse<String> timedOut = server.get("/v1/jobs/" + future + "?wait_seconds=0.2");
    assertThat(timedOut.statusCode()).isEqualTo(200);
    assertThat(json(timedOut).get("state").asText()).isEqualTo("queued");
    assertThat(timedOut.headers().firstValue("Retry-After")).isPresent();
    String soon = server.submit("sleep 0.5; echo done", Map.of());
    HttpResponse<String> preferred =
        server.send(server.request("/v1/jobs/" + soon).header("Prefer", "wait=30"));
    assertThat(json(preferred).get("stdout").asText()).isEqualTo("done\n");
    assertThat(preferred.headers().firstValue("Preference-Applied")).contains("wait=30");
    assertProblem(server.get("/v1/jobs/" + soon + "?wait_seconds=61"), 400);
    assertProblem(server.get("/v1/jobs/" + soon + "?wait_seconds=x"), 400);
  }

  @Test
  void twoThousandClientsMayWaitWithoutAThreadEach() throws Exception {
    String id = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    long before = threads();
    List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      waiting.add(
          server
              .http()
              .sendAsync(
                  server.request("/v1/jobs/" + id + "?wait_seconds=60").build(),
                  BodyHandlers.ofString()));
    }
    assertThat(server.get("/v1/jobs/" + id).statusCode()).isEqualTo(200);
    // Each has a connection, and the pool that answers reads has 200 threads at most.
    assertThat(threads()).isLessThan(before + 400);
    assertThat(server.post("/v1/jobs/" + id + "/cancel", "").statusCode()).isEqualTo(202);
    for (CompletableFuture<HttpResponse<String>> answer : waiting) {
      assertThat(json(answer.join()).get("state").asText()).isEqualTo("cancelled");
    }
  }

  private static long threads() throws Exception {
    try (var tasks =
        java.nio.file.Files.list(java.nio.file.Path.of("/proc/" + server.pid() + "/task"))) {
      return tasks.count();
    }
  }

  @Test
  void listsArePagedByTokensThatBelongToTheirFilters() {
    String queue = "pages-" + UUID.randomUUID().toString().substring(0, 8);
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ids.add(
          0,
          server.submit(
              "echo page " + i,
              Map.of(
                  "queue",
                  queue,
                  "labels",
                  Map.of("n", "" + i),
                  "run_at",
                  "2099-01-01T00:00:00Z")));
    }
    List<String> read = new ArrayList<>();
    String token = "";
    do {
      JsonNode page =
          json(server.get("/v1/jobs?queue=" + queue + "&page_size=2&page_token=" + token));
      page.get("jobs").forEach(job -> read.add(job.get("id").asText()));
      page.get("jobs").forEach(job -> assertThat(job.has("stdout")).isFalse());
      token = page.get("next_page_token").asText();
    } while (!token.isEmpty());
    assertThat(read).isEqualTo(ids);
    String first =
        json(server.get("/v1/jobs?queue=" + queue + "&page_size=2"))
            .get("next_page_token")
            .asText();
    assertProblem(server.get("/v1/jobs?queue=other&page_token=" + first), 400);
    assertProblem(server.get("/v1/jobs?page_token=nonsense"), 400);
    assertProblem(server.get("/v1/jobs?page_size=501"), 400);
    assertProblem(server.get("/v1/jobs?state=sleeping"), 400);
    assertProblem(server.get("/v1/jobs?stat=queued"), 400);
    assertThat(list("queue=" + queue + "&label=n:3")).containsExactly(ids.get(1));
    assertThat(list("queue=" + queue + "&q=page%204")).containsExactly(ids.get(0));
    assertThat(list("q=" + ids.get(2))).containsExactly(ids.get(2));
    assertThat(list("queue=" + queue + "&order=asc&page_size=1")).containsExactly(ids.get(4));
    assertThat(list("queue=" + queue + "&state=failed")).isEmpty();
    String middle = server.job(ids.get(2)).get("created_at").asText();
    assertThat(list("queue=" + queue + "&created_after=" + middle)).hasSize(2);
    assertThat(list("queue=" + queue + "&created_before=" + middle)).hasSize(2);
  }

  private static List<String> list(String query) {
    List<String> ids = new ArrayList<>();
    json(server.get("/v1/jobs?" + query))
        .get("jobs")
        .forEach(job -> ids.add(job.get("id").asText()));
    return ids;
  }

  @Test
  void aPausedQueueWaitsAndCountsItsJobs() {
    String queue = "paused-" + UUID.randomUUID().toString().substring(0, 8);
    HttpResponse<String> paused = server.call("PATCH", "/v1/queues/" + queue, "{\"paused\":true}");
    assertThat(paused.statusCode()).isEqualTo(200);
    String id = server.submit("true", Map.of("queue", queue));
    JsonNode status = json(server.get("/v1/queues/" + queue));
    assertThat(status.get("paused").asBoolean()).isTrue();
    assertThat(status.get("counts").get("queued").asInt()).isEqualTo(1);
    assertThat(status.get("oldest_ready_seconds").asDouble()).isNotNegative();
    assertThat(json(server.get("/v1/queues")).get("queues").findValuesAsText("name"))
        .contains(queue);
    server.call("PATCH", "/v1/queues/" + queue, "{\"paused\":null}");
    assertThat(server.awaitEnd(id).get("state").asText()).isEqualTo("succeeded");
    assertProblem(server.call("PATCH", "/v1/queues/" + queue, "{\"paused\":\"yes\"}"), 400);
    assertProblem(server.call("PATCH", "/v1/queues/" + queue, "{\"pause\":true}"), 400);
    assertProblem(server.call("PATCH", "/v1/queues/Bad%20Name", "{}"), 400);
    assertProblem(server.get("/v1/queues/never-heard-of"), 404);
  }

  @Test
  void aFilterTakesAsManyAndAsLongLabelsAsItsDescriptionSays() {
    Map<String, Object> labels = new java.util.TreeMap<>();
    StringBuilder query = new StringBuilder("/v1/jobs?page_size=500");
    for (int i = 0; i < 16; i++) {
      String name = "n".repeat(253) + (10 + i);
      labels.put(name, "v".repeat(255));
      query.append("&label=").append(name).append("%3A").append("v".repeat(255));
    }
    String id = server.submit("true", Map.of("labels", labels));
    HttpResponse<String> found = server.get(query.toString());
    assertThat(found.statusCode()).isEqualTo(200);
    assertThat(json(found).get("jobs").get(0).get("id").asText()).isEqualTo(id);
    assertThat(server.get(query + "&q=" + "x".repeat(16_384)).statusCode()).isEqualTo(414);
  }

  @Test
  void whatABodyMayBeIsSaidWhereItIsRefused() {
    HttpResponse<String> compressed = server.post("/v1/jobs", "{}", "Content-Encoding", "gzip");
    assertThat(compressed.statusCode()).isEqualTo(415);
    assertThat(compressed.headers().firstValue("Accept-Encoding")).contains("identity");
    for (String method : List.of("POST", "PATCH")) {
      HttpResponse<String> text =
          server.send(
              server
                  .request(method.equals("POST") ? "/v1/jobs" : "/v1/queues/a")
                  .header("Content-Type", "text/plain")
                  .method(method, HttpRequest.BodyPublishers.ofString("x")));
      assertThat(text.statusCode()).isEqualTo(415);
      String types =
          method.equals("POST")
              ? "application/json"
              : "application/json, application/merge-patch+json";
      assertThat(text.headers().firstValue("Accept")).hasValue(types);
      assertThat(text.headers().firstValue(method.equals("POST") ? "Accept-Post" : "Accept-Patch"))
          .hasValue(types);
    }
  }

  @Test
  void theLiveWorkerIsListed() {
    JsonNode worker = json(server.get("/v1/workers")).get("workers").get(0);
    assertThat(worker.get("slots").asInt()).isPositive();
    assertThat(worker.get("heartbeat_at").asText()).matches(TIME);
    assertThat(worker.get("pid").asLong()).isEqualTo(server.pid());
  }

  @Test
  void healthAndMetricsNeedNoToken() throws Exception {
    server.awaitEnd(server.submit("true", Map.of()));
    for (String path :
        List.of("/q/health/live", "/q/health/ready", "/q/health/started", "/q/metrics")) {
      HttpResponse<String> answer =
          server
              .http()
              .send(
                  HttpRequest.newBuilder(URI.create(server.url() + path)).build(),
                  BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(path).isEqualTo(200);
      if (path.endsWith("metrics")) {
        assertThat(answer.body())
            .contains("errand_claims_total")
            .contains("errand_attempts_total{outcome=\"success\"")
            .contains("errand_attempt_run_seconds")
            .contains("errand_job_wait_seconds")
            .contains("errand_slots_busy")
            .contains("errand_leases_lost_total");
      }
    }
  }
}
