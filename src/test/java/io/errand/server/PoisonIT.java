package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Jobs that take their workers down. One server has the API, the database and the rule; another one
 * is the worker, and is killed while it runs them.
 */
@Timeout(300)
class PoisonIT {
  private static final String SCRIPT = "[ $ERRAND_ATTEMPT -gt 2 ] || exec sleep 600";
  private static final String RULE = "{\"hold_after_lost_workers\": 2}";

  private static TestServer server;
  private static TestServer worker;

  @BeforeAll
  static void start() throws IOException {
    server = TestServer.start(Map.of("ERRAND_ROLES", "api"));
    Map<String, String> settings = new HashMap<>(BuiltInDatabase.settingsOf(server));
    settings.put("ERRAND_ROLES", "worker");
    settings.put("ERRAND_TOKEN", server.token());
    settings.put("ERRAND_LEASE_SECONDS", "4");
    settings.put("ERRAND_WORKER_NAME", "victim");
    worker = TestServer.start(settings);
    for (String queue : List.of("alone", "together")) {
      HttpResponse<String> answer = server.call("PATCH", "/v1/queues/" + queue, RULE);
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    }
  }

  @AfterAll
  static void stop() {
    worker.close();
    server.close();
  }

  private static String submit(String queue) {
    return server.submit(
        SCRIPT,
        Map.of(
            "queue",
            queue,
            "max_attempts",
            9,
            "backoff",
            Map.of("base_seconds", 0.1, "factor", 1)));
  }

  /** Kills the worker with -9 in this attempt of the jobs, and waits until their loss is known. */
  private static void killIn(int attempt, List<String> jobs) {
    for (String job : jobs) {
      await("attempt " + attempt + " of " + job + " has started")
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  server.job(job).get("attempt").asInt() == attempt
                      && server.job(job).hasNonNull("started_at")
                      && server.job(job).get("state").asText().equals("running"));
    }
    worker.signal("KILL");
    worker.awaitExit();
    for (String job : jobs) {
      await("attempt " + attempt + " of " + job + " is lost")
          .atMost(Duration.ofSeconds(60))
          .until(() -> lostAttempts(job).size() == attempt);
    }
  }

  /** What is recorded about each, besides that it is lost. */
  private static List<String> lostAttempts(String job) {
    List<String> details = new ArrayList<>();
    JsonNode attempts =
        TestServer.json(server.get("/v1/jobs/" + job + "/attempts")).get("attempts");
    for (JsonNode attempt : attempts) {
      if (attempt.path("outcome").asText().equals("lost")) {
        details.add(attempt.path("detail").asText());
      }
    }
    return details;
  }

  @Test
  void aJobThatWasAloneOnAWorkerThatWasKilledTwiceIsHeldAndGoesOnOnceItIsReleased() {
    String job = submit("alone");
    killIn(1, List.of(job));
    assertThat(server.job(job).get("state").asText()).isIn("queued", "retrying");
    worker.restart();
    killIn(2, List.of(job));
    JsonNode held = server.awaitState(job, "held");
    assertThat(held.get("reason").asText()).isEqualTo("lost");
    assertThat(lostAttempts(job))
        .hasSize(2)
        .allMatch(detail -> detail.equals("its worker was lost while this was its only job"));
    worker.restart();
    String other = server.submit("true", Map.of("queue", "alone"));
    assertThat(server.awaitEnd(other).get("state").asText()).isEqualTo("succeeded");
    assertThat(server.job(job).get("state").asText())
        .isEqualTo("held"); // it takes no third worker down
    assertThat(server.cli("release", job).exitCode()).isZero();
    assertThat(server.awaitEnd(job).get("state").asText()).isEqualTo("succeeded");
  }

  /** Nobody knows which of them it was. */
  @Test
  void jobsThatWereTogetherOnItAreTriedAgain() {
    List<String> jobs = List.of(submit("together"), submit("together"));
    killIn(1, jobs);
    worker.restart();
    killIn(2, jobs);
    worker.restart();
    for (String job : jobs) {
      JsonNode ended = server.awaitEnd(job);
      assertThat(ended.get("state").asText()).isEqualTo("succeeded");
      assertThat(ended.get("attempt").asInt()).isEqualTo(3);
    }
  }
}
