package io.errand.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Set;

/** Waits for jobs, and prints what they print, byte for byte. */
final class JobOutput {
  private static final Set<String> FINAL = Set.of("succeeded", "failed", "cancelled");
  private static final String FROM_THE_FIRST_ATTEMPT = "1:0:0";

  private final Http http;
  private final String id;

  JobOutput(Http http, String id) {
    this.http = http;
    this.id = id;
  }

  static boolean isFinal(Map<String, Object> job) {
    return FINAL.contains(String.valueOf(job.get("state")));
  }

  /**
   * Prints what the job prints, as it prints it, until it has finished.
   *
   * @param all whether from its first attempt; else from its latest
   * @return the finished job
   */
  Map<String, Object> follow(boolean all) {
    EventStream events = new EventStream(http, path(), all ? FROM_THE_FIRST_ATTEMPT : "");
    return events.readToEnd(
        (name, data) -> {
          switch (name) {
            case "stdout" -> write(System.out, data);
            case "stderr" -> write(System.err, data);
            case "gap" ->
                System.err.println(
                    "errand: bytes "
                        + data.get("from")
                        + " to "
                        + data.get("to")
                        + " of "
                        + data.get("stream")
                        + " were not kept");
            default -> {} // states, and what later servers may add
          }
        });
  }

  private static void write(PrintStream target, Map<String, Object> data) {
    Object exact = data.get("base64");
    byte[] bytes =
        exact == null
            ? String.valueOf(data.get("text")).getBytes(StandardCharsets.UTF_8)
            : Base64.getDecoder().decode(exact.toString());
    target.write(bytes, 0, bytes.length);
    target.flush();
  }

  /** Waits until the job has finished. */
  Map<String, Object> await() {
    Map<String, Object> job = http.get(path());
    while (!isFinal(job)) {
      job = http.get(path() + "?wait_seconds=30");
    }
    return job;
  }

  /** Prints one stream of one attempt, or both. */
  void print(int attempt, boolean stdout, boolean stderr) {
    if (stdout) {
      http.copy(path() + "/output?stream=stdout&attempt=" + attempt, System.out);
    }
    if (stderr) {
      http.copy(path() + "/output?stream=stderr&attempt=" + attempt, System.err);
    }
  }

  static int number(Map<String, Object> object, String field) {
    return object.get(field) instanceof Number number ? number.intValue() : 0;
  }

  private String path() {
    return "/v1/jobs/" + id;
  }
}
