package io.errand.worker;

import io.errand.store.ClaimedJob;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a worker begins to look for jobs. As a rule that is the front of the queue. But while a
 * transaction is left open somewhere, PostgreSQL keeps every index entry that it might still see,
 * so that the front fills with jobs that have long run, and each claim walks past all of them.
 *
 * <p>So once a look has taken long, the next ones begin a little before the jobs that it found, as
 * long as that is faster; where it is not, the database is slow for another reason, and it is not
 * tried again for ten seconds. What such a look leaves out, such as a job with a {@code run_at} in
 * the past, is found by the whole look that still comes every two seconds, or less often where that
 * takes long: a twentieth of the time at most.
 *
 * <p>For one thread.
 */
final class QueueFront {
  private static final long WORTH_A_TRY_NANOS = 3_000_000;
  private static final double FASTER = 1.5;
  private static final long LEAST_BETWEEN_NANOS =
      2_000_000_000; // of 100 a second less than 1 in 100
  private static final long NEXT_TRY_NANOS = 10_000_000_000L;
  private static final int SHARE = 20;
  private static final Duration LAG = Duration.ofSeconds(1); // of commits behind their run_at

  private @Nullable Instant from;
  private long wholeLookAtNanos;
  private @Nullable Long noTryBeforeNanos;
  private long shortLooks; // since the whole one, and how long they took
  private long shortNanos;

  /** From where the next look is to be; null is the whole queue. */
  @Nullable Instant next(long nowNanos) {
    return from == null || nowNanos - wholeLookAtNanos >= 0 ? null : from;
  }

  /**
   * A look has been taken.
   *
   * @param start from where it was
   * @param tookNanos how long it took
   * @param claimed what it found
   * @param limit how many it was to find at most; where it found fewer, none was left behind
   */
  void looked(
      @Nullable Instant start, long nowNanos, long tookNanos, List<ClaimedJob> claimed, int limit) {
    if (start != null) {
      shortLooks++;
      shortNanos += tookNanos;
      if (claimed.size() < limit) {
        from = before(claimed);
      }
      return;
    }
    boolean pays = pays(nowNanos, tookNanos);
    shortLooks = 0;
    shortNanos = 0;
    if (!pays) {
      from = null;
      return;
    }
    from = before(claimed);
    wholeLookAtNanos = nowNanos + Math.max(LEAST_BETWEEN_NANOS, SHARE * tookNanos);
  }

  private @Nullable Instant before(List<ClaimedJob> claimed) {
    return claimed.stream()
        .map(job -> job.runAt().minus(LAG))
        .min(Comparator.naturalOrder())
        .orElse(from);
  }

  private boolean pays(long nowNanos, long wholeNanos) {
    if (wholeNanos <= WORTH_A_TRY_NANOS) {
      return false;
    }
    if (from == null) {
      return noTryBeforeNanos == null || nowNanos - noTryBeforeNanos >= 0;
    }
    if (shortLooks > 0 && wholeNanos < FASTER * shortNanos / shortLooks) {
      noTryBeforeNanos = nowNanos + NEXT_TRY_NANOS;
      return false;
    }
    return true;
  }
}
