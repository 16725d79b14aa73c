package io.errand.exec;

import java.util.concurrent.TimeUnit;

/**
 * How long threads that must go on may wait for reads that sleep: a tenth of the time, and 200 ms
 * at once. Safe from any thread.
 */
final class WaitingBudget {
  private static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long SHARE = 10;

  private long leftNanos = MOST_NANOS;
  private long countedNanos = System.nanoTime();
  private long spentNanos;

  /** How long one may wait now: this time, or less, or not at all. */
  synchronized long most(long wantedNanos) {
    refill();
    return Math.max(0, Math.min(wantedNanos, leftNanos));
  }

  /** One has waited for a read that slept. */
  synchronized void spend(long nanos) {
    refill();
    leftNanos -= nanos;
    spentNanos += nanos;
  }

  private void refill() {
    long now = System.nanoTime();
    leftNanos = Math.min(MOST_NANOS, leftNanos + (now - countedNanos) / SHARE);
    countedNanos = now;
  }

  /** In all. */
  synchronized long spentNanos() {
    return spentNanos;
  }
}
