package io.errand.cli;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Jobs of {@code errand demo}: some of each kind, and then one after the other. */
final class DemoJobs {
  private static final String STREAM =
      "i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo \"frame $i of 600\"; sleep 0.5; done";
  private static final String FLAKY =
      "echo \"attempt $ERRAND_ATTEMPT\"; [ \"$ERRAND_ATTEMPT\" -ge 3 ] || { echo 'the mail server"
          + " is busy' >&2; exit 75; }";
  private static final String TREE = "sleep 45 & sleep 50 & wait";

  private final Http http;
  private int count;

  DemoJobs(Http http) {
    this.http = http;
  }

  /** Queues, a schedule, and one job of each kind. */
  void begin() {
    http.patch("/v1/queues/media", Map.of("max_running", 2));
    http.patch("/v1/queues/reports", Map.of("paused", true));
    http.json(
        "POST",
        "/v1/schedules",
        Map.of(
            "name",
            "heartbeat",
            "cron",
            "@every 10s",
            "job",
            job("schedule", "default", "date", Map.of())),
        null);
    submit("stream", "media", STREAM, Map.of("timeout_seconds", 600));
    String first = submit("tree", "media", TREE, Map.of());
    submit("waits", "media", "echo at last", Map.of());
    submit("after", "default", "echo the tree has ended", Map.of("after", List.of(first)));
    submit(
        "later",
        "default",
        "echo tomorrow",
        Map.of("run_at", Instant.now().plusSeconds(86_400).toString()));
    submit("paused", "reports", "echo report", Map.of());
    submit("timeout", "default", "sleep 60", Map.of("timeout_seconds", 5, "max_attempts", 1));
    for (int i = 0; i < 5; i++) {
      feed();
    }
  }

  /**
   * One more job.
   *
   * @throws ClientException if the server does not take it
   */
  void feed() {
    switch (count++ % 5) {
      case 0, 2 -> submit("succeeds", "default", "sleep 1; echo done", Map.of());
      case 1 ->
          submit(
              "retries",
              "mail",
              FLAKY,
              Map.of("backoff", Map.of("base_seconds", 3, "jitter", "none")));
      case 3 ->
          submit(
              "fails",
              "default",
              "echo 'no such file: in.png' >&2; exit 3",
              Map.of("max_attempts", 1));
      default -> submit("waits", "media", "sleep 3; echo resized", Map.of());
    }
  }

  private String submit(String kind, String queue, String script, Map<String, Object> more) {
    return String.valueOf(
        http.json("POST", "/v1/jobs", job(kind, queue, script, more), null).get("id"));
  }

  private static Map<String, Object> job(
      String kind, String queue, String script, Map<String, Object> more) {
    Map<String, Object> job = new LinkedHashMap<>(more);
    job.put("command", List.of("sh", "-c", script));
    job.put("queue", queue);
    job.put("labels", Map.of("demo", kind));
    return job;
  }
}
