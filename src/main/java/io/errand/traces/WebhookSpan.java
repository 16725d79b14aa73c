package io.errand.traces;

import io.errand.job.TraceContext;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import org.jspecify.annotations.Nullable;

/** The span of a try of a webhook that has not ended, which may be none. */
public final class WebhookSpan {
  private static final int LEAST_FAULT = 400;

  private final @Nullable TraceContext sent;
  private final Span span;

  WebhookSpan(@Nullable TraceContext sent, Span span) {
    this.sent = sent;
    this.span = span;
  }

  /** What the receiver may continue, or null where the job has no trace. */
  public @Nullable TraceContext sent() {
    return sent;
  }

  /**
   * Ends it.
   *
   * @param status of the answer, or null where there was none
   */
  public void end(@Nullable Integer status) {
    if (status != null) {
      span.setAttribute(SpanKeys.STATUS, (long) status);
    }
    if (status == null || status >= LEAST_FAULT) {
      span.setAttribute(SpanKeys.ERROR, status == null ? "no_answer" : status.toString());
      span.setStatus(StatusCode.ERROR);
    }
    span.end();
  }
}
