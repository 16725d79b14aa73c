package io.errand.cli;

import java.util.Map;
import java.util.Set;

/** Waits for jobs, and prints what their attempts printed, byte for byte. */
final class JobOutput {
  private static final Set<String> FINAL = Set.of("succeeded", "failed", "cancelled");

  private final Http http;
  private final String id;
  private int printed;

  JobOutput(Http http, String id) {
    this.http = http;
    this.id = id;
  }

  static boolean isFinal(Map<String, Object> job) {
    return FINAL.contains(String.valueOf(job.get("state")));
  }

  /** Waits until the job has finished; prints each attempt's output once it has ended. */
  Map<String, Object> follow() {
    Map<String, Object> job = http.get(path() + "?wait_seconds=1");
    while (true) {
      printEnded(job);
      if (isFinal(job)) {
        return job;
      }
      job = http.get(path() + "?wait_seconds=" + (number(job, "attempt") == 0 ? 2 : 20));
    }
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

  private void printEnded(Map<String, Object> job) {
    if (number(job, "attempt") <= printed) {
      return;
    }
    for (Map<String, Object> attempt : Client.list(http.get(path() + "/attempts"), "attempts")) {
      int number = number(attempt, "attempt");
      if (number > printed && attempt.get("outcome") != null) {
        print(number, true, true);
        printed = number;
      }
    }
  }

  static int number(Map<String, Object> object, String field) {
    return object.get(field) instanceof Number number ? number.intValue() : 0;
  }

  private String path() {
    return "/v1/jobs/" + id;
  }
}
