package io.errand.worker;

import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimStore.Start;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Sees to claims that were made before they could start. Those that have waited for 250 ms are
 * given back. Of those that have started, the start is stored once the command has run for 25 ms;
 * the end of a shorter one says when it started.
 */
final class StartWatch {
  private static final Duration LONGEST_WAIT = Duration.ofMillis(250);
  private static final Duration SHORT_RUN = Duration.ofMillis(25);

  private final ClaimStore claims;
  private final ScheduledExecutorService timer;
  private final Runnable wakeUp;
  private final AtomicBoolean planned = new AtomicBoolean();

  /**
   * For one worker.
   *
   * @param timer runs the checks
   * @param wakeUp called where {@link #store} has something to do
   */
  StartWatch(ClaimStore claims, ScheduledExecutorService timer, Runnable wakeUp) {
    this.claims = claims;
    this.timer = timer;
    this.wakeUp = wakeUp;
  }

  /** Watches the claims that wait now, until none is left. */
  void watch(Slots slots) {
    if (isNeeded(slots) && !timer.isShutdown() && planned.compareAndSet(false, true)) {
      timer.schedule(() -> check(slots), SHORT_RUN.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private static boolean isNeeded(Slots slots) {
    return slots.waiting() > 0 || !slots.unstoredStarts(Duration.ZERO).isEmpty();
  }

  private void check(Slots slots) {
    slots.giveBackWaiting(LONGEST_WAIT);
    if (!slots.unstoredStarts(SHORT_RUN).isEmpty()) {
      wakeUp.run();
    }
    planned.set(false);
    watch(slots);
  }

  /** Stores the starts of those that run for long. For the dispatcher's thread. */
  void store(Slots slots) throws SQLException {
    List<Start> starts = slots.unstoredStarts(SHORT_RUN);
    if (!starts.isEmpty()) {
      claims.started(starts);
      slots.startsStored(starts);
    }
  }
}
