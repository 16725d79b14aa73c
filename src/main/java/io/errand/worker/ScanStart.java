package io.errand.worker;

import io.errand.store.claim.ClaimedJob;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code run_at} from which a claim scans the index of ready jobs. By default that is its
 * beginning. While a transaction is left open anywhere, PostgreSQL keeps every index entry that the
 * transaction might still see: the beginning of the index fills with entries of jobs that have run,
 * and each claim reads all of them.
 *
 * <p>Once a scan has taken long, the next scans start a little before the jobs that it found, as
 * long as that is faster. Where it is not, the database is slow for another reason, and it is not
 * tried again for ten seconds. What such a scan leaves out, such as a job with a {@code run_at} in
 * the past, is found by the full scan that still comes every two seconds, or less often where it
 * takes long: full scans take a twentieth of the time at most.
 *
 * <p>For one thread.
 */
final class ScanStart {
  private static final long WORTH_A_TRY_NANOS = 3_000_000;
  private static final double FASTER = 1.5;
  private static final long LEAST_BETWEEN_NANOS =
      2_000_000_000; // of 100 a second less than 1 in 100
  private static final long NEXT_TRY_NANOS = 10_000_000_000L;
  private static final int SHARE = 20;
  private static final Duration LAG = Duration.ofSeconds(1); // of commits behind their run_at

  private @Nullable Instant from;
  private boolean wholeNext;
  private long fullScanAtNanos;
  private @Nullable Long noTryBeforeNanos;
  private long partialScans; // since the full one, and how long they took
  private long partialNanos;

  /** Where the next scan is to start; null is the beginning of the index. */
  @Nullable Instant next(long nowNanos) {
    return from == null || wholeNext || nowNanos - fullScanAtNanos >= 0 ? null : from;
  }

  /** Jobs that became ready long ago may be claimed now: the next scan starts at the beginning. */
  void jobsLetGo() {
    wholeNext = true;
  }

  /**
   * A scan has ended.
   *
   * @param start where it started
   * @param tookNanos how long it took
   * @param claimed what it found
   * @param limit how many it was to find at most; where it found fewer, none was left behind
   */
  void scanned(
      @Nullable Instant start, long nowNanos, long tookNanos, List<ClaimedJob> claimed, int limit) {
    if (start != null) {
      partialScans++;
      partialNanos += tookNanos;
      if (claimed.size() < limit) {
        from = before(claimed);
      }
      return;
    }
    wholeNext = false;
    boolean pays = pays(nowNanos, tookNanos);
    partialScans = 0;
    partialNanos = 0;
    if (!pays) {
      from = null;
      return;
    }
    from = before(claimed);
    fullScanAtNanos = nowNanos + Math.max(LEAST_BETWEEN_NANOS, SHARE * tookNanos);
  }

  private @Nullable Instant before(List<ClaimedJob> claimed) {
    return claimed.stream()
        .map(job -> job.runAt().minus(LAG))
        .min(Comparator.naturalOrder())
        .orElse(from);
  }

  private boolean pays(long nowNanos, long fullNanos) {
    if (fullNanos <= WORTH_A_TRY_NANOS) {
      return false;
    }
    if (from == null) {
      return noTryBeforeNanos == null || nowNanos - noTryBeforeNanos >= 0;
    }
    if (partialScans > 0 && fullNanos < FASTER * partialNanos / partialScans) {
      noTryBeforeNanos = nowNanos + NEXT_TRY_NANOS;
      return false;
    }
    return true;
  }
}
