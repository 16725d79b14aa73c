package io.errand.server;

import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.server.OtlpReceiver.Received;
import io.opentelemetry.proto.trace.v1.Span.SpanKind;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Traces as a receiver of OTLP gets them from an API, over gRPC, and from workers, over HTTP. */
@Timeout(300)
class TracesIT {
  private static final String CLIENT_SPAN = "b7ad6b7169203331";
  private static final String CANARY = "canary" + UUID.randomUUID().toString().replace("-", "");

  private static OtlpReceiver receiver;
  private static WebhookReceiver hooks;
  private static TestServer api;
  private static TestServer worker;

  @TempDir Path folder;

  @BeforeAll
  static void start() throws IOException {
    receiver = OtlpReceiver.start();
    hooks = WebhookReceiver.http();
    Map<String, String> settings = new HashMap<>(traced("grpc"));
    settings.put("ERRAND_ROLES", "api");
    api = TestServer.start(settings);
    worker = TestServer.start(ofWorker("default"));
  }

  @AfterAll
  static void stop() {
    if (worker != null) {
      worker.close();
    }
    if (api != null) {
      api.close();
    }
    hooks.close();
    receiver.close();
  }

  private static Map<String, String> traced(String protocol) {
    return Map.of(
        "OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url(),
        "OTEL_EXPORTER_OTLP_PROTOCOL", protocol,
        "OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test",
        "OTEL_BSP_SCHEDULE_DELAY", "100",
        "ERRAND_LEASE_SECONDS", "5");
  }

  private static Map<String, String> ofWorker(String queue) throws IOException {
    Map<String, String> settings = new HashMap<>(traced("http/protobuf"));
    settings.putAll(BuiltInDatabase.settingsOf(api));
    settings.put("ERRAND_ROLES", "worker");
    settings.put("ERRAND_WORKER_QUEUES", queue);
    settings.put("ERRAND_TOKEN", api.token());
    settings.put("ERRAND_WEBHOOK_ALLOW_NETWORKS", "127.0.0.1/32");
    return settings;
  }

  private static String newTrace() {
    return UUID.randomUUID().toString().replace("-", "");
  }

  private static String traceparent(String trace) {
    return "00-" + trace + "-" + CLIENT_SPAN + "-01";
  }

  private static String submit(String path, Map<String, ?> body, String... headers) {
    HttpResponse<String> answer =
        api.post(path, TestServer.JSON.valueToTree(body).toString(), headers);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    return json(answer).get("id").asText();
  }

  private static List<String> sh(String script) {
    return List.of("sh", "-c", script);
  }

  private static Received only(List<Received> spans, String name) {
    List<Received> named = spans.stream().filter(one -> one.name().equals(name)).toList();
    assertThat(named).as(name).hasSize(1);
    return named.get(0);
  }

  private static Received of(List<Received> spans, String name, int attempt) {
    return only(
        spans.stream()
            .filter(one -> one.attribute("errand.attempt").equals(Integer.toString(attempt)))
            .toList(),
        name);
  }

  @Test
  void aJobIsOneTraceFromTheClientToTheReceiverOfItsWebhook() throws Exception {
    String trace = newTrace();
    String path = "/traced";
    String id =
        submit(
            "/v1/jobs",
            Map.of(
                "command",
                sh("echo $TRACEPARENT $TRACESTATE; [ $ERRAND_ATTEMPT = 2 ] # " + CANARY),
                "env",
                Map.of("SECRET", CANARY),
                "stdin",
                CANARY,
                "backoff",
                Map.of("base_seconds", 0.1),
                "on_finish",
                Map.of("url", "http://127.0.0.1:" + hooks.port() + path)),
            "traceparent",
            traceparent(trace),
            "tracestate",
            "vendor=1",
            "X-Request-Id",
            "traced-1");
    JsonNode job = api.awaitEnd(id);
    assertThat(job.get("trace_id").asText()).isEqualTo(trace);
    List<Received> spans = receiver.await(trace, 6);
    assertThat(spans).hasSize(6);

    Received submit = only(spans, "submit default");
    assertThat(submit.parent()).isEqualTo(CLIENT_SPAN);
    assertThat(submit.span().getKind()).isEqualTo(SpanKind.SPAN_KIND_PRODUCER);
    assertThat(submit.attribute("messaging.destination.name")).isEqualTo("default");
    assertThat(submit.attribute("errand.request.id")).isEqualTo("traced-1");
    for (int attempt = 1; attempt <= 2; attempt++) {
      Received claim = of(spans, "claim default", attempt);
      Received process = of(spans, "process default", attempt);
      assertThat(claim.parent()).isEqualTo(submit.id());
      assertThat(claim.links()).containsExactly(trace + " " + submit.id());
      assertThat(process.parent()).isEqualTo(claim.id());
      assertThat(process.span().getKind()).isEqualTo(SpanKind.SPAN_KIND_CONSUMER);
      assertThat(process.span().getStartTimeUnixNano())
          .isEqualTo(claim.span().getEndTimeUnixNano())
          .isLessThanOrEqualTo(process.span().getEndTimeUnixNano());
      assertThat(process.attribute("process.executable.name")).isEqualTo("sh");
      assertThat(process.attribute("process.exit.code")).isEqualTo(attempt == 1 ? "1" : "0");
      assertThat(process.attribute("errand.job.id")).isEqualTo(id);
      assertThat(process.isError()).isEqualTo(attempt == 1);
      assertThat(api.get("/v1/jobs/" + id + "/output?stream=stdout&attempt=" + attempt).body())
          .isEqualTo("00-" + trace + "-" + process.id() + "-01 vendor=1\n");
    }
    Received webhook = only(spans, "POST webhook");
    assertThat(webhook.parent()).isEqualTo(of(spans, "process default", 2).id());
    assertThat(webhook.links()).containsExactly(trace + " " + webhook.parent());
    assertThat(webhook.attribute("http.response.status_code")).isEqualTo("204");
    assertThat(hooks.await(path, 1).get(0).header("traceparent"))
        .isEqualTo("00-" + trace + "-" + webhook.id() + "-01");
    assertThat(webhook.resource())
        .containsEntry("service.name", "errand")
        .containsEntry("deployment.environment.name", "test");
    assertThat(receiver.spans().toString()).doesNotContain(CANARY, path);
    assertIsShown(id, trace);
  }

  /** Where people look for it. */
  private static void assertIsShown(String id, String trace) throws IOException {
    assertThat(api.cli("get", "-o", "wide", id).stdout()).contains(trace);
    assertThat(worker.log()).contains("trace_id=" + trace).contains("request_id=traced-1");
    HttpResponse<String> metrics =
        worker.send(worker.request("/q/metrics").header("Accept", "application/openmetrics-text"));
    for (String histogram : List.of("job_wait", "attempt_start", "attempt_run")) {
      assertThat(metrics.body())
          .containsPattern(
              "errand_"
                  + histogram
                  + "_seconds_bucket\\{.*# \\{span_id=\"[0-9a-f]{16}\",trace_id=");
    }
  }

  @Test
  void theAttemptOfAWorkerThatWasKilledIsInTheTraceOfItsJob() throws Exception {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    String trace = newTrace();
    TestServer killed = TestServer.start(ofWorker("killed"));
    try {
      String id =
          submit(
              "/v1/jobs",
              Map.of(
                  "command",
                  sh("echo $TRACEPARENT > first; exec sleep 600"),
                  "queue",
                  "killed",
                  "max_attempts",
                  1,
                  "working_directory",
                  folder.toString()),
              "traceparent",
              traceparent(trace));
      await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(folder.resolve("first")));
      killed.signal("KILL");
      killed.awaitExit();
      assertThat(api.awaitEnd(id).get("reason").asText()).isEqualTo("lost");
      List<Received> spans = receiver.await(trace, 3);
      Received process = only(spans, "process killed");
      assertThat(process.isError()).isTrue();
      assertThat(process.attribute("error.type")).isEqualTo("lost");
      assertThat(process.attribute("process.executable.name")).isEqualTo("sh");
      assertThat(process.parent()).isEqualTo(only(spans, "claim killed").id());
      assertThat(Files.readString(folder.resolve("first")).trim())
          .isEqualTo("00-" + trace + "-" + process.id() + "-01");
    } finally {
      killed.close();
    }
  }

  @Test
  void aHeaderThatIsNotValidIsIgnoredAndARepeatKeepsTheFirstTrace() {
    String first = newTrace();
    String[] headers = {"Idempotency-Key", newTrace(), "traceparent", traceparent(first)};
    String id = submit("/v1/jobs", Map.of("command", List.of("true")), headers);
    headers[3] = traceparent(newTrace());
    api.post("/v1/jobs", "{\"command\": [\"true\"]}", headers);
    assertThat(api.job(id).get("trace_id").asText()).isEqualTo(first);
    String bad = "00-" + "g".repeat(32) + "-" + CLIENT_SPAN + "-01";
    String other = submit("/v1/jobs", Map.of("command", List.of("true")), "traceparent", bad);
    String own = api.awaitEnd(other).get("trace_id").asText();
    assertThat(own).matches("[0-9a-f]{32}");
    List<Received> spans = receiver.await(own, 3);
    assertThat(only(spans, "submit default").parent()).isEmpty();
  }

  @Test
  void aClientThatDoesNotRecordItsTraceIsFollowed() {
    String trace = newTrace();
    String given = "00-" + trace + "-" + CLIENT_SPAN + "-00";
    String id =
        submit("/v1/jobs", Map.of("command", sh("echo $TRACEPARENT")), "traceparent", given);
    JsonNode job = api.awaitEnd(id);
    assertThat(job.get("stdout").asText().trim()).isEqualTo(given);
    assertThat(job.get("trace_id").asText()).isEqualTo(trace);
    assertThat(receiver.spans()).noneMatch(one -> one.trace().equals(trace));
  }

  @Test
  void theJobsOfABatchAreInOneTrace() {
    String trace = newTrace();
    JsonNode ids =
        json(api.post(
                "/v1/jobs/batch",
                "{\"jobs\": [{\"command\": [\"true\"]}, {\"command\": [\"true\"]}]}",
                "traceparent",
                traceparent(trace)))
            .get("ids");
    ids.forEach(
        id -> assertThat(api.awaitEnd(id.asText()).get("trace_id").asText()).isEqualTo(trace));
    List<Received> spans = receiver.await(trace, 5);
    Received submit = only(spans, "submit");
    assertThat(submit.attribute("messaging.batch.message_count")).isEqualTo("2");
    assertThat(spans.stream().filter(one -> one.parent().equals(submit.id()))).hasSize(2);
  }

  @Test
  void aRetryAndATickBeginTracesWithALink() {
    String id = submit("/v1/jobs", Map.of("command", List.of("false"), "max_attempts", 1));
    String trace = api.awaitEnd(id).get("trace_id").asText();
    String again = submit("/v1/jobs/" + id + "/retry", Map.of());
    String fresh = api.job(again).get("trace_id").asText();
    assertThat(fresh).isNotEqualTo(trace);
    Received before = only(receiver.await(trace, 3), "submit default");
    Received retry =
        receiver.await(one -> one.trace().equals(fresh) && one.parent().isEmpty(), 1).get(0);
    assertThat(retry.links()).containsExactly(trace + " " + before.id());

    String schedule =
        "{\"name\": \"traced\", \"cron\": \"@every 1s\", \"overlap\": \"queue\","
            + " \"job\": {\"command\": [\"true\"], \"queue\": \"ticks\"}}";
    assertThat(api.post("/v1/schedules", schedule).statusCode()).isEqualTo(201);
    List<Received> ticks =
        receiver.await(one -> one.name().equals("submit ticks") && one.parent().isEmpty(), 2);
    api.call("DELETE", "/v1/schedules/traced", "");
    assertThat(ticks.get(0).trace()).isNotEqualTo(ticks.get(1).trace());
    assertThat(ticks.get(1).links())
        .containsExactly(ticks.get(0).trace() + " " + ticks.get(0).id());
  }
}
