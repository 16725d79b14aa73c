package io.errand.traces;

import io.errand.job.Call;
import io.errand.job.TraceContext;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The span of a submit that has not ended, which may be none. */
public final class SubmitSpan {
  private final Call call;
  private final Span span;

  SubmitSpan(Call call, Span span) {
    this.call = call;
    this.span = span;
  }

  /** What is kept with the job: the call, in the place of this span. */
  public Call call() {
    return call;
  }

  /** Whether it is recorded: else there is nothing to say to it. */
  public boolean isRecorded() {
    return span.isRecording();
  }

  /** It has to do with another trace. */
  public void link(@Nullable TraceContext other) {
    if (other != null) {
      span.addLink(Traces.context(other));
    }
  }

  /**
   * Ends it.
   *
   * @param result what became of it, in one word
   * @param job the job that is there now, or null
   */
  public void end(String result, @Nullable UUID job) {
    if (job != null) {
      span.setAttribute(SpanKeys.JOB, job.toString());
      span.setAttribute(SpanKeys.MESSAGE, job.toString());
    }
    end(result);
  }

  /**
   * Ends that of a batch.
   *
   * @param jobs how many
   */
  public void end(String result, int jobs) {
    span.setAttribute(SpanKeys.BATCH, (long) jobs);
    end(result);
  }

  private void end(String result) {
    if (call.requestId() != null) {
      span.setAttribute(SpanKeys.REQUEST, call.requestId());
    }
    span.setAttribute(SpanKeys.RESULT, result);
    span.end();
  }

  /** Ends that of a submit that a fault has ended. */
  public void fail(Throwable fault) {
    span.setAttribute(SpanKeys.ERROR, fault.getClass().getName());
    span.setStatus(StatusCode.ERROR);
    end("fault");
  }
}
