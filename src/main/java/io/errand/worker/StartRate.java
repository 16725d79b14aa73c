package io.errand.worker;

/**
 * How many claims a worker may hold that wait for a slot: as many as its slots will start within 50
 * ms if the next commands take as long as the recent ones, and none while commands take longer than
 * that. Safe from any thread.
 */
final class StartRate {
  /** What a claim may have to wait for its start, as planned. */
  static final long HORIZON_NANOS = 50_000_000;

  /** More claims would save no further statements, and would hold memory. */
  static final int MOST_PER_SLOT = 5;

  private static final int EVIDENCE = 8;
  private static final int WEIGHT = 8;

  private long meanNanos; // guarded by this, as the other
  private int ended;

  /** A command has left its slot after this time. */
  synchronized void ran(long nanos) {
    meanNanos += (nanos - meanNanos) / (ended == 0 ? 1 : WEIGHT);
    ended = Math.min(ended + 1, EVIDENCE);
  }

  /** Claims had to be given back because they did not start in time. */
  synchronized void misjudged() {
    ended = 0;
  }

  /**
   * How many claims may wait.
   *
   * @param slots how many are free or have a command that runs no longer than the horizon
   */
  synchronized int claims(int slots) {
    if (ended < EVIDENCE || meanNanos > HORIZON_NANOS) {
      return 0;
    }
    return (int)
        Math.min((long) slots * MOST_PER_SLOT, slots * HORIZON_NANOS / Math.max(1, meanNanos));
  }
}
