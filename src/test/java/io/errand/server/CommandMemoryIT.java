package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** With the heap of a plain start, whatever commands print and however much they are to read. */
@Timeout(300)
class CommandMemoryIT {
  private static final int MEBIBYTE = 1 << 20;
  private static final Map<String, String> MANY_SLOTS = Map.of("ERRAND_WORKER_SLOTS", "256");
  private static final String LOUD =
      "head -c 1100000 /dev/zero; head -c 1100000 /dev/zero >&2; sleep 0.5";

  private static ObjectNode loud() {
    ObjectNode job = TestServer.JSON.createObjectNode();
    job.putArray("command").add("sh").add("-c").add(LOUD);
    job.put("stdout_limit_bytes", MEBIBYTE).put("stderr_limit_bytes", MEBIBYTE);
    job.put("max_attempts", 5).put("on_lost", "retry");
    job.putObject("backoff").put("base_seconds", 0.1);
    return job;
  }

  private static void submit(TestServer server, int count, ObjectNode job, String label) {
    job.putObject("labels").put("kind", label);
    ArrayNode jobs = TestServer.JSON.createObjectNode().putArray("jobs");
    for (int i = 0; i < count; i++) {
      jobs.add(job);
    }
    String body = TestServer.JSON.createObjectNode().set("jobs", jobs).toString();
    assertThat(server.post("/v1/jobs/batch", body).statusCode()).isEqualTo(202);
  }

  private static int count(TestServer server, String label, String state) {
    return TestServer.json(
            server.get("/v1/jobs?page_size=500&label=kind:" + label + "&state=" + state))
        .get("jobs")
        .size();
  }

  private static void awaitAll(TestServer server, String label, int count) {
    await()
        .atMost(Duration.ofSeconds(120))
        .pollInterval(Duration.ofMillis(500))
        .until(() -> count(server, label, "succeeded") == count || !isAlive(server));
    assertThat(isAlive(server)).as(server.log()).isTrue();
  }

  private static boolean isAlive(TestServer server) {
    return ProcessHandle.of(server.pid()).isPresent();
  }

  @Test
  void commandsThatPrintAllTheyMayAllEndOnTheSameServerAlsoOnOneThatWasKilled() {
    try (TestServer server = TestServer.start(MANY_SLOTS)) {
      long pid = server.pid();
      submit(server, 300, loud(), "loud");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> count(server, "loud", "succeeded") >= 60 || !isAlive(server));
      assertThat(server.pid()).isEqualTo(pid);
      assertThat(isAlive(server)).as(server.log()).isTrue();
      assertThat(server.log()).contains("the memory of this worker is held");
      server.signal("KILL");
      server.awaitExit();
      server.restart();
      awaitAll(server, "loud", 300);
      assertThat(server.meter("errand_memory_budget_used_bytes{share=\"commands\"}"))
          .isLessThan(server.meter("errand_memory_budget_capacity_bytes{share=\"commands\"}") / 2);
    }
  }

  @Test
  void inputThatNobodyReadsIsHeldOnlyWhereThereIsMemoryForIt() {
    try (TestServer server = TestServer.start(MANY_SLOTS)) {
      ObjectNode job = TestServer.JSON.createObjectNode();
      job.putArray("command").add("sleep").add("0.3");
      job.put("stdin", "x".repeat(1_000_000));
      for (int i = 0; i < 16; i++) {
        submit(server, 16, job, "unread");
      }
      awaitAll(server, "unread", 256);
      assertThat(server.log()).doesNotContain("OutOfMemory");
    }
  }

  @Test
  void slotsThatTheHeapHasNoMemoryForAreRefused() {
    assertThat(TestServer.refusal(Map.of("ERRAND_WORKER_SLOTS", "5000")))
        .contains("ERRAND_WORKER_SLOTS is 5000")
        .contains("ERRAND_JAVA_OPTIONS=-Xmx");
    assertThat(
            TestServer.refusal(
                Map.of("ERRAND_WORKER_SLOTS", "1", "ERRAND_JAVA_OPTIONS", "-Xmx128m")))
        .contains("too small for a worker");
  }

  @Test
  void everyShareHasAMeterAlsoWhereNoCommandRuns() {
    try (TestServer server = TestServer.start(Map.of("ERRAND_ROLES", "api"))) {
      for (String share : List.of("requests", "large_requests", "answers", "commands")) {
        assertThat(server.meter("errand_memory_budget_capacity_bytes{share=\"" + share + "\"}"))
            .isPositive();
      }
    }
  }
}
