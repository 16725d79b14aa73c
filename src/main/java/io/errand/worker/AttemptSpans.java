package io.errand.worker;

import io.errand.job.AttemptResult;
import io.errand.job.TraceContext;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import io.errand.traces.Attempt;
import io.errand.traces.Traces;
import org.jspecify.annotations.Nullable;

/** The spans of attempts whose ends are stored. */
final class AttemptSpans {
  private final Traces traces;

  AttemptSpans(Traces traces) {
    this.traces = traces;
  }

  /**
   * Makes those of an attempt.
   *
   * @param worker whose attempt it was, or null where that is not known
   */
  void ended(ClaimedJob job, @Nullable String worker, Completion completion) {
    TraceContext trace = job.call().trace();
    if (trace == null || !traces.isOn()) {
      return;
    }
    AttemptResult result = completion.result();
    Completion.Usage usage = completion.usage();
    traces.ended(
        new Attempt(
            job.id(),
            job.attempt(),
            job.queue(),
            trace,
            job.call().requestId(),
            worker,
            job.command().get(0),
            completion.claimedAt(),
            completion.startedAt(),
            usage == null ? null : usage.durationSeconds(),
            result.outcome(),
            result.exitCode(),
            result.signal(),
            completion.decision().transition().to().wireName()));
  }
}
