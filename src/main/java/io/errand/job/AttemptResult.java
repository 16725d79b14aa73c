package io.errand.job;

import org.jspecify.annotations.Nullable;

/**
 * What one attempt came to, as far as the decision about its job needs to know.
 *
 * @param outcome how it ended
 * @param exitCode 0 to 255, or null where it did not exit by itself
 * @param signal a name such as {@code SIGKILL}, or null where no signal ended it
 * @param started whether the command was ever started
 * @param detail one line for people, or null
 */
public record AttemptResult(
    Outcome outcome,
    @Nullable Integer exitCode,
    @Nullable String signal,
    boolean started,
    @Nullable String detail) {

  /** Refuses an exit code beside a signal. */
  public AttemptResult {
    if (exitCode != null && signal != null) {
      throw new IllegalArgumentException("A process exits or is ended by a signal, never both");
    }
  }

  /** An attempt whose worker fell silent; whether the command had started cannot be known. */
  public static AttemptResult lost() {
    return lost(null);
  }

  /** The same, with what is known about the loss. */
  public static AttemptResult lost(@Nullable String detail) {
    return new AttemptResult(Outcome.LOST, null, null, true, detail);
  }
}
