package io.errand.worker;

import io.errand.job.AttemptResult;
import io.errand.job.Outcome;
import java.time.Duration;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * When a worker claims nothing because it could not start what it had claimed: for one second, and
 * twice as long each further time, for 32 seconds at most. For one thread, but for {@link #reason}.
 */
final class ClaimPauses {
  private static final Logger LOG = Logger.getLogger(Dispatcher.class);
  private static final int MOST_DOUBLINGS = 6;

  private long noClaimBeforeNanos = System.nanoTime();
  private int unavailableInARow;
  private volatile @Nullable String reason;

  /** Whether nothing is to be claimed now. */
  boolean lasts() {
    return System.nanoTime() - noClaimBeforeNanos < 0;
  }

  /** Why nothing could be started the last time; null where something could. For any thread. */
  @Nullable String reason() {
    return reason;
  }

  /** An attempt has ended so. */
  void completed(AttemptResult result) {
    if (result.outcome() == Outcome.WORKER_UNAVAILABLE) {
      if (lasts()) {
        return; // of the batch that has already brought the pause about
      }
      unavailableInARow = Math.min(unavailableInARow + 1, MOST_DOUBLINGS);
      Duration pause = Duration.ofMillis(500L << unavailableInARow);
      noClaimBeforeNanos = System.nanoTime() + pause.toNanos();
      reason = result.detail();
      LOG.warnf("This worker claims nothing for %d ms: %s", pause.toMillis(), result.detail());
    } else if (result.started()) {
      unavailableInARow = 0;
      reason = null;
    }
  }
}
