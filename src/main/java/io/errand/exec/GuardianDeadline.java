package io.errand.exec;

import java.util.concurrent.TimeUnit;

/**
 * What the guardian was last told, and so when it may have ended commands. The lease of the worker
 * can hold at that time: then the guardian was not told in time that it was renewed.
 */
final class GuardianDeadline {
  /** A command that was about to start may be among those that the guardian finds. */
  private static final long SLACK_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** The guardian kills for nine seconds at most, and the rest of a look. */
  private static final long KILLING_NANOS = TimeUnit.SECONDS.toNanos(10);

  private boolean told;
  private long deadlineNanos;
  private boolean missed;
  private long missedUntilNanos;

  /** It has been told of a deadline. */
  void told(long newDeadlineNanos, long nowNanos) {
    if (told && nowNanos - deadlineNanos >= 0) {
      missed = true;
      missedUntilNanos = nowNanos;
    }
    told = true;
    deadlineNanos = newDeadlineNanos;
  }

  /**
   * Whether the guardian may have ended a command.
   *
   * @param startedNanos when the command started
   * @param endedNanos when it was noticed, just now, that the command had ended
   */
  boolean mayHaveEnded(long startedNanos, long endedNanos) {
    boolean passed = told && endedNanos - deadlineNanos >= 0;
    boolean ranWhenMissed =
        missed
            && startedNanos - missedUntilNanos <= SLACK_NANOS
            && endedNanos - missedUntilNanos <= KILLING_NANOS;
    return passed || ranWhenMissed;
  }
}
