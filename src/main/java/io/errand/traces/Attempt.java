package io.errand.traces;

import io.errand.job.Outcome;
import io.errand.job.TraceContext;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An attempt that has ended.
 *
 * @param job its id
 * @param trace where the job is in its trace
 * @param worker its name, or null where that is not known
 * @param program the first word of the command
 * @param claimedAt by the database's clock
 * @param startedAt by the database's clock, or null where no command has started
 * @param seconds for which the command ran, or null where that is not known
 * @param nextState that of the job, by wire name
 */
public record Attempt(
    UUID job,
    int number,
    String queue,
    TraceContext trace,
    @Nullable String requestId,
    @Nullable String worker,
    String program,
    Instant claimedAt,
    @Nullable Instant startedAt,
    @Nullable Double seconds,
    Outcome outcome,
    @Nullable Integer exitCode,
    @Nullable String signal,
    String nextState) {

  /** Whether somebody should look at it. */
  boolean isFailure() {
    return switch (outcome) {
      case SUCCESS, CANCELLED, RELEASED -> false;
      default -> true;
    };
  }
}
