package io.errand.job;

import org.jspecify.annotations.Nullable;

/**
 * The call of a client that has made a job, kept with it so that what becomes of the job can be
 * told to belong to that call.
 *
 * @param requestId of the call, 1 to 128 printable ASCII characters, or null where no request has
 *     made the job
 * @param trace the place in a trace that the attempts of the job continue, or null
 */
public record Call(@Nullable String requestId, @Nullable TraceContext trace) {
  /** None that is known. */
  public static final Call NONE = new Call(null, null);

  /** Reads what is kept with a job. */
  public static Call ofStored(@Nullable String requestId, @Nullable String traceContext) {
    return requestId == null && traceContext == null
        ? NONE
        : new Call(requestId, TraceContext.ofStored(traceContext));
  }

  /** The trace as it is kept with a job, or null. */
  public @Nullable String storedTrace() {
    return trace == null ? null : trace.stored();
  }

  /** How many bytes it takes in the heap, at most. */
  public long heapBytes() {
    String stored = storedTrace();
    return 2L * (requestId == null ? 0 : requestId.length())
        + 2L * (stored == null ? 0 : stored.length());
  }

  /** The same call in another place of a trace. */
  public Call in(@Nullable TraceContext other) {
    return other == trace ? this : new Call(requestId, other);
  }
}
