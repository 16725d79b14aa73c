package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What becomes of jobs, through a real server. */
class JobLifeIT extends OneServer {
  private static final String TIME = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z";

  @Test
  void aJobRunsAndShowsBothStreamsAndItsExitCode() {
    String id = server.submit("echo out; echo err >&2; exit 3", Map.of("max_attempts", 1));
    JsonNode job = server.awaitEnd(id);
    assertThat(job.get("state").asText()).isEqualTo("failed");
    assertThat(job.get("reason").asText()).isEqualTo("exit_code");
    assertThat(job.get("exit_code").asInt()).isEqualTo(3);
    assertThat(job.get("signal").isNull()).isTrue();
    assertThat(job.get("stdout").asText()).isEqualTo("out\n");
    assertThat(job.get("stderr").asText()).isEqualTo("err\n");
    assertThat(job.get("stdout_bytes").asInt()).isEqualTo(4);
    assertThat(job.get("finished_at").asText()).matches(TIME);
    assertThat(job.get("duration_seconds").asDouble()).isPositive();
    HttpResponse<String> again = server.get("/v1/jobs/" + id);
    assertThat(again.headers().firstValue("Retry-After")).isEmpty();
  }

  @Test
  void secretsAreInNoAnswer() {
    String secret = "canary-" + UUID.randomUUID();
    String id =
        server.submit("true", Map.of("env", Map.of("PASSWORD", secret), "stdin", secret + "\n"));
    JsonNode job = server.awaitEnd(id);
    assertThat(job.get("env_names").get(0).asText()).isEqualTo("PASSWORD");
    assertThat(job.get("stdin_bytes").asInt()).isEqualTo(secret.length() + 1);
    for (String path : List.of("", "/attempts", "/output")) {
      assertThat(server.get("/v1/jobs/" + id + path).body()).doesNotContain(secret);
    }
    assertThat(server.get("/v1/jobs").body()).doesNotContain(secret);
    assertThat(server.log()).doesNotContain(secret);
  }

  @Test
  void outputIsServedByteForByteAndSafely() throws Exception {
    String id = server.submit("printf 'a\\000b\\377<script>'; printf err >&2", Map.of());
    server.awaitEnd(id);
    HttpResponse<byte[]> raw =
        server
            .http()
            .send(
                server.request("/v1/jobs/" + id + "/output?stream=stdout&attempt=1").build(),
                BodyHandlers.ofByteArray());
    assertThat(Base64.getEncoder().encodeToString(raw.body()))
        .isEqualTo(
            Base64.getEncoder()
                .encodeToString(
                    "a\0b\u00ff<script>".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)));
    assertThat(raw.headers().firstValue("Content-Type").orElse("")).startsWith("text/plain");
    assertThat(raw.headers().firstValue("Content-Disposition").orElse("")).startsWith("attachment");
    assertThat(raw.headers().firstValue("Cache-Control")).contains("no-store");
    assertThat(raw.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
    assertThat(server.get("/v1/jobs/" + id + "/output?stream=stderr").body()).isEqualTo("err");
    assertThat(server.job(id).get("stdout").asText()).isEqualTo("a\0b\ufffd<script>");
    assertProblem(server.get("/v1/jobs/" + id + "/output?stream=both"), 400);
    assertProblem(server.get("/v1/jobs/" + id + "/output?attempt=9"), 404);
  }

  @Test
  void loudOutputKeepsHeadAndTailWithTheGapMarked() {
    String id =
        server.submit(
            "printf begin; head -c 1000000 /dev/zero | tr '\\0' x; printf end",
            Map.of("stdout_limit_bytes", 100));
    JsonNode job = server.awaitEnd(id);
    assertThat(job.get("stdout_bytes").asLong()).isEqualTo(1_000_008);
    assertThat(job.get("stdout_dropped_bytes").asLong()).isEqualTo(999_908);
    assertThat(job.get("stdout").asText())
        .startsWith("beginx")
        .endsWith("xend")
        .contains("\n[... 999908 bytes dropped ...]\n");
  }

  @Test
  void attemptsAreListedOldestFirstWithWhatTheyUsed() {
    String id =
        server.submit(
            "echo try $ERRAND_ATTEMPT; exit 1",
            Map.of("max_attempts", 3, "backoff", Map.of("base_seconds", 0)));
    JsonNode job = server.awaitEnd(id);
    assertThat(job.get("attempt").asInt()).isEqualTo(3);
    assertThat(job.get("charged_attempts").asInt()).isEqualTo(3);
    JsonNode attempts = json(server.get("/v1/jobs/" + id + "/attempts")).get("attempts");
    assertThat(attempts.findValuesAsText("attempt")).containsExactly("1", "2", "3");
    assertThat(attempts.findValuesAsText("outcome"))
        .containsExactly("exit_code", "exit_code", "exit_code");
    assertThat(attempts.get(0).get("cpu_user_seconds").asDouble()).isNotNegative();
    assertThat(server.get("/v1/jobs/" + id + "/output?attempt=2").body()).isEqualTo("try 2\n");
  }

  @Test
  void aRunningJobIsCancelledOnceItsTreeHasEnded() {
    String id = server.submit("sleep 600 & sleep 600", Map.of());
    server.awaitState(id, "running");
    HttpResponse<String> answer = server.post("/v1/jobs/" + id + "/cancel", "");
    assertThat(answer.statusCode()).isEqualTo(202);
    JsonNode job = server.awaitEnd(id);
    assertThat(job.get("state").asText()).isEqualTo("cancelled");
    assertThat(server.post("/v1/jobs/" + id + "/cancel", "").statusCode()).isEqualTo(200);
    assertThat(
            json(server.get("/v1/jobs/" + id + "/attempts"))
                .get("attempts")
                .get(0)
                .get("outcome")
                .asText())
        .isEqualTo("cancelled");
  }

  @Test
  void arrowsThatDoNotExistAreRefused() {
    String done = server.submit("true", Map.of());
    server.awaitEnd(done);
    assertProblem(server.post("/v1/jobs/" + done + "/cancel", ""), 409);
    assertProblem(server.post("/v1/jobs/" + done + "/release", ""), 409);
    String waiting = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    assertProblem(server.post("/v1/jobs/" + waiting + "/retry", ""), 409);
    assertProblem(server.post("/v1/jobs/" + waiting + "/release", ""), 409);
    assertProblem(server.post("/v1/jobs/" + UUID.randomUUID() + "/cancel", ""), 404);
    assertProblem(server.post("/v1/jobs/" + UUID.randomUUID() + "/retry", ""), 404);
  }

  @Test
  void aRetryIsANewJobThatNamesItsOrigin() {
    String id = server.submit("cat; exit 1", Map.of("max_attempts", 1, "stdin", "hello"));
    server.awaitEnd(id);
    String key = UUID.randomUUID().toString();
    HttpResponse<String> answer =
        server.post("/v1/jobs/" + id + "/retry", "", "Idempotency-Key", key);
    assertThat(answer.statusCode()).isEqualTo(202);
    JsonNode fresh = json(answer);
    assertThat(fresh.get("retry_of").asText()).isEqualTo(id);
    assertThat(fresh.get("id").asText()).isNotEqualTo(id);
    assertThat(answer.headers().firstValue("Location").orElse(""))
        .endsWith(fresh.get("id").asText());
    assertThat(server.awaitEnd(fresh.get("id").asText()).get("stdout").asText()).isEqualTo("hello");
    HttpResponse<String> again =
        server.post("/v1/jobs/" + id + "/retry", "", "Idempotency-Key", key);
    assertThat(json(again).get("id")).isEqualTo(fresh.get("id"));
  }

  @Test
  void aMissingBinaryFailsAtOnceAndSaysWhy() {
    HttpResponse<String> answer = server.post("/v1/jobs", "{\"command\":[\"no-such-program\"]}");
    JsonNode job = server.awaitEnd(json(answer).get("id").asText());
    assertThat(job.get("reason").asText()).isEqualTo("spawn_failed");
    assertThat(job.get("attempt").asInt()).isEqualTo(1);
    assertThat(job.get("detail").asText()).contains("not found");
  }

  @Test
  void aJobsLogLinesCarryItsIdAndAttempt() {
    String id = server.submit("true", Map.of());
    server.awaitEnd(id);
    await() // the line comes once the end is written, which is when the answer comes too
        .untilAsserted(
            () ->
                assertThat(server.log().lines().filter(line -> line.contains(id)))
                    .isNotEmpty()
                    .allMatch(line -> line.contains("attempt=1")));
  }

  @Test
  void aCancelThatRacesTheClaimIsNeverAnError() {
    for (int i = 0; i < 40; i++) {
      String id = server.submit("exec sleep 600", Map.of());
      HttpResponse<String> answer = server.post("/v1/jobs/" + id + "/cancel", "");
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
      assertThat(server.awaitEnd(id).get("state").asText()).isEqualTo("cancelled");
    }
  }

  @Test
  void jobsOfOneConcurrencyKeyFollowEachOtherWithoutWaitingForAPoll() {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      ids.add(server.submit("true", Map.of("concurrency_key", "one-at-a-time")));
    }
    List<String> starts = new ArrayList<>();
    ids.forEach(id -> starts.add(server.awaitEnd(id).get("started_at").asText()));
    assertThat(starts).doesNotHaveDuplicates();
  }

  @Test
  void theMemoryOfAnAttemptIsNeverTheServers() {
    for (int i = 0; i < 20; i++) {
      String id = server.submit("true", Map.of());
      server.awaitEnd(id);
      JsonNode memory =
          json(server.get("/v1/jobs/" + id + "/attempts"))
              .get("attempts")
              .get(0)
              .get("memory_peak_bytes");
      assertThat(memory.isNull() || memory.asLong() < 50_000_000).as(memory.toString()).isTrue();
    }
  }

  @Test
  void howATreeWasEndedIsTold() {
    String id =
        server.submit(
            "trap '' TERM; sleep 600 & while :; do sleep 0.1; done",
            Map.of("timeout_seconds", 0.3, "kill_grace_seconds", 0.2, "max_attempts", 1));
    assertThat(server.awaitEnd(id).get("reason").asText()).isEqualTo("timeout");
    JsonNode attempt = json(server.get("/v1/jobs/" + id + "/attempts")).get("attempts").get(0);
    assertThat(attempt.get("tree_empty").asBoolean()).isTrue();
    assertThat(attempt.get("signals_sent").findValuesAsText("signal"))
        .containsExactly("SIGTERM", "SIGKILL");
    assertThat(attempt.get("signals_sent").get(0).get("processes").asInt()).isGreaterThan(1);
  }

  @Test
  void moreMemoryThanAllowedIsOutOfMemoryAndFailsAtOnce() {
    String id =
        server.submit(
            "head -c 400000000 /dev/zero | tail -c 399999999 | sleep 600",
            Map.of("limits", Map.of("memory_bytes", 60_000_000)));
    JsonNode job = server.awaitEnd(id);
    assertThat(job.get("reason").asText()).isEqualTo("out_of_memory");
    assertThat(job.get("attempt").asInt()).isEqualTo(1);
  }

  @Test
  void whatTheWorkerCannotDoIsRefusedWithTheReason() {
    String nobody = server.submit("true", Map.of("user", "no-such-user"));
    boolean root = System.getProperty("user.name").equals("root");
    assertThat(server.awaitEnd(nobody).get("detail").asText())
        .contains(root ? "no user no-such-user" : "the server does not run as root");
    String processes = server.submit("true", Map.of("limits", Map.of("processes", 5)));
    JsonNode job = server.awaitEnd(processes);
    assertThat(job.get("reason").asText()).isEqualTo("spawn_failed");
    assertThat(job.get("detail").asText()).contains("needs a user");
  }

  @Test
  void aCommandKnowsWhoItIsAndCarriesAValidTraceparent() {
    String id = server.submit("echo $ERRAND_JOB_ID $ERRAND_ATTEMPT $TRACEPARENT", Map.of());
    assertThat(server.awaitEnd(id).get("stdout").asText())
        .matches(id + " 1 00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]\n");
  }
}
