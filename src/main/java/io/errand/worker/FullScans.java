package io.errand.worker;

import org.jspecify.annotations.Nullable;

/**
 * Whether a claim scans the index of ready jobs from its beginning, as it does by default. While a
 * transaction is left open anywhere, PostgreSQL keeps every index entry that the transaction might
 * still see: the beginning of the index fills with entries of jobs that have run, and each claim
 * reads all of them.
 *
 * <p>Once a full scan has taken long, the next scans are partial (see {@link KnownPlaces}), as long
 * as that is faster. Where it is not, the database is slow for another reason, and it is not tried
 * again for ten seconds. What a partial scan leaves out, such as a job with a {@code run_at} in the
 * past, is found by the full scan that still comes every two seconds, or less often where it takes
 * long: full scans take a twentieth of the time at most.
 *
 * <p>For one thread.
 */
final class FullScans {
  private static final long WORTH_A_TRY_NANOS = 3_000_000;
  private static final double FASTER = 1.5;
  private static final long LEAST_BETWEEN_NANOS =
      2_000_000_000; // of 100 a second less than 1 in 100
  private static final long NEXT_TRY_NANOS = 10_000_000_000L;
  private static final int SHARE = 20;

  private boolean partialNext;
  private boolean letGo;
  private long fullScanAtNanos;
  private @Nullable Long noTryBeforeNanos;
  private long partialScans; // since the full one, and how long they took
  private long partialNanos;

  /** Whether the next scan is a full one. */
  boolean isNext(long nowNanos) {
    return !partialNext || letGo || nowNanos - fullScanAtNanos >= 0;
  }

  /** Jobs that became ready long ago may be claimed now: the next scan is a full one. */
  void jobsLetGo() {
    letGo = true;
  }

  /** A partial scan has ended, which took so long. */
  void partial(long tookNanos) {
    partialScans++;
    partialNanos += tookNanos;
  }

  /**
   * A full scan has ended.
   *
   * @param tookNanos how long it took
   */
  void full(long nowNanos, long tookNanos) {
    letGo = false;
    partialNext = pays(nowNanos, tookNanos);
    partialScans = 0;
    partialNanos = 0;
    fullScanAtNanos = nowNanos + Math.max(LEAST_BETWEEN_NANOS, SHARE * tookNanos);
  }

  private boolean pays(long nowNanos, long fullNanos) {
    if (fullNanos <= WORTH_A_TRY_NANOS) {
      return false;
    }
    if (!partialNext) {
      return noTryBeforeNanos == null || nowNanos - noTryBeforeNanos >= 0;
    }
    if (partialScans > 0 && fullNanos < FASTER * partialNanos / partialScans) {
      noTryBeforeNanos = nowNanos + NEXT_TRY_NANOS;
      return false;
    }
    return true;
  }
}
