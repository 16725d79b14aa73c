package io.errand.worker;

import io.errand.job.AttemptResult;
import io.errand.job.TraceContext;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import java.util.List;
import org.jboss.logging.Logger;
import org.jboss.logging.MDC;
import org.jspecify.annotations.Nullable;

/**
 * The log lines about attempts, each with the job's id, the attempt's number, the queue, the
 * worker, and the request and the trace that the job has come with.
 */
final class AttemptLog {
  // The category stays the one that operators filter by.
  private static final Logger LOG = Logger.getLogger(Dispatcher.class);

  private static final List<String> NAMES =
      List.of("job_id", "attempt", "queue", "worker", "request_id", "trace_id");

  private static volatile @Nullable String worker;

  private AttemptLog() {}

  static void claimed(ClaimedJob job) {
    if (LOG.isDebugEnabled()) {
      logged(job, () -> LOG.debugf("Claimed from queue %s: %s", job.queue(), job.command().get(0)));
    }
  }

  /**
   * Reports a completion that has been written.
   *
   * @param ours whether the claim was still this worker's
   */
  static void ended(ClaimedJob job, Completion completion, boolean ours) {
    logged(
        job,
        () -> {
          if (ours) {
            ended(completion);
          } else {
            LOG.warn("The claim was lost to another worker; this result is dropped");
          }
        });
  }

  private static void ended(Completion completion) {
    AttemptResult result = completion.result();
    String how =
        result.exitCode() != null
            ? " " + result.exitCode()
            : result.signal() != null ? " " + result.signal() : "";
    String detail = result.detail() == null ? "" : " (" + result.detail() + ")";
    LOG.infof(
        "Ended: %s%s, job becomes %s%s",
        result.outcome().wireName(),
        how,
        completion.decision().transition().to().wireName(),
        detail);
  }

  /** The name of the worker of this process, for the lines that follow. */
  static void ofWorker(String name) {
    worker = name;
  }

  /** Logs lines about an attempt of this worker. */
  static void logged(ClaimedJob job, Runnable line) {
    logged(job, worker, line);
  }

  /**
   * Logs lines about an attempt.
   *
   * @param worker whose attempt it is, or null where that is not known
   */
  static void logged(ClaimedJob job, @Nullable String worker, Runnable line) {
    MDC.put("job_id", job.id().toString());
    MDC.put("attempt", Integer.toString(job.attempt()));
    MDC.put("queue", job.queue());
    put("worker", worker);
    put("request_id", job.call().requestId());
    TraceContext trace = job.call().trace();
    put("trace_id", trace == null ? null : trace.traceId());
    try {
      line.run();
    } finally {
      for (String name : NAMES) {
        MDC.remove(name);
      }
    }
  }

  private static void put(String name, @Nullable String value) {
    if (value != null) {
      MDC.put(name, value);
    }
  }
}
