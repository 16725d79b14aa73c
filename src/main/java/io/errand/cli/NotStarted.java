package io.errand.cli;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * While this is open: says once, after {@value #SECONDS} s, that a job has not started, and why. It
 * says nothing of a job that has started or has ended, and nothing where the server does not
 * answer.
 */
final class NotStarted implements AutoCloseable {
  private static final int SECONDS = 2;

  private final Http http;
  private final String id;
  private final CountDownLatch closed = new CountDownLatch(1);

  NotStarted(Http http, String id) {
    this.http = http;
    this.id = id;
    Thread thread = new Thread(this::watch, "errand-not-started");
    thread.setDaemon(true);
    thread.start();
  }

  private void watch() {
    try {
      if (closed.await(SECONDS, TimeUnit.SECONDS)) {
        return;
      }
      Map<String, Object> job = http.get("/v1/jobs/" + id);
      if (!JobOutput.isFinal(job) && JobOutput.number(job, "attempt") == 0) {
        EachJob.say("job " + id + " has not started: " + reason(job) + "; waiting for it");
      }
    } catch (ClientException e) {
      return; // who prints the output says so
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String reason(Map<String, Object> job) {
    String due = String.valueOf(job.get("run_at"));
    if (isLater(due, String.valueOf(job.get("created_at")))) {
      return "it is due at " + due;
    }
    if (job.get("after") instanceof List<?> after && !after.isEmpty()) {
      long waitingFor =
          JobOutput.number(http.get("/v1/jobs/" + id + "/dependencies?page_size=1"), "waiting_for");
      if (waitingFor > 0) {
        return "it waits for " + waitingFor + (waitingFor == 1 ? " other job" : " other jobs");
      }
    }
    String queue = String.valueOf(job.get("queue"));
    return Boolean.TRUE.equals(http.get("/v1/queues/" + queue).get("paused"))
        ? "its queue " + queue + " is paused"
        : "no worker has claimed it yet";
  }

  /** By the clock of the database alone. */
  private static boolean isLater(String due, String created) {
    try {
      return Instant.parse(due).isAfter(Instant.parse(created).plusSeconds(SECONDS));
    } catch (DateTimeException e) {
      return false;
    }
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
