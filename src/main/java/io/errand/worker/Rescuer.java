package io.errand.worker;

import io.errand.job.AttemptResult;
import io.errand.store.Notifications;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.CompleteStore;
import io.errand.store.claim.Completion;
import io.errand.store.claim.ConcurrencyKeys;
import io.errand.store.control.ControlStore;
import io.errand.store.control.Housekeeping;
import io.errand.store.workers.WatchStore;
import io.errand.store.workers.WorkerStore;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jboss.logging.Logger;

/**
 * Does what time demands, whichever process comes first: gives up silent workers and their claims,
 * and expires what never started. Every write is guarded, so that many rescuers do no harm.
 */
@ApplicationScoped
public class Rescuer {
  private static final Logger LOG = Logger.getLogger(Rescuer.class);
  private static final int BATCH = 500;
  private static final int UNFOLDED_COUNTS = 300;
  private static final int MOST_COUNTS = 50_000;
  private static final int MOST_PAGES_OF_KEYS = 20;

  private final WorkerStore workers;
  private final ClaimStore claims;
  private final ConcurrencyKeys keys;
  private final CompleteStore completes;
  private final ControlStore control;
  private final WatchStore watches;
  private final Housekeeping housekeeping;
  private final Notifications notifications;
  private final OperationRunner operations;

  // Where the next pages of keys begin; for the thread of lookOften.
  private volatile String firstReadyKey = "";
  private volatile String firstWaitingKey = "";

  Rescuer(
      WorkerStore workers,
      ClaimStore claims,
      ConcurrencyKeys keys,
      CompleteStore completes,
      ControlStore control,
      WatchStore watches,
      Housekeeping housekeeping,
      Notifications notifications,
      OperationRunner operations) {
    this.workers = workers;
    this.claims = claims;
    this.keys = keys;
    this.completes = completes;
    this.control = control;
    this.watches = watches;
    this.housekeeping = housekeeping;
    this.notifications = notifications;
    this.operations = operations;
  }

  @Scheduled(every = "1.5s", concurrentExecution = ConcurrentExecution.SKIP)
  void lookOften() {
    try {
      Housekeeping.Due due = housekeeping.due(UNFOLDED_COUNTS);
      if (due.silent() || due.lost()) {
        rescue();
      }
      if (due.expired() && control.expire(BATCH) > 0) {
        notifications.send(Notifications.Topic.FINISHED);
      }
      if (due.readyKeys()) {
        setKeysAside();
      }
      if (due.waitingKeys()) {
        letKeysGo();
      }
      if (due.operations()) {
        operations.wake();
      }
      if (due.counts()) {
        housekeeping.foldCounts(MOST_COUNTS);
      }
    } catch (SQLException e) {
      LOG.debugf("Nothing was rescued this time: %s", e.getMessage());
    }
  }

  private void setKeysAside() throws SQLException {
    for (int i = 0; i < MOST_PAGES_OF_KEYS; i++) {
      ConcurrencyKeys.Done done = keys.setAside(firstReadyKey);
      if (!done.isFull()) {
        firstReadyKey = Objects.requireNonNullElse(done.nextKey(), "");
        return;
      }
    }
  }

  private void letKeysGo() throws SQLException {
    ConcurrencyKeys.Done done = keys.letGo(firstWaitingKey);
    firstWaitingKey = Objects.requireNonNullElse(done.nextKey(), "");
    if (done.jobs() > 0) {
      notifications.send(Notifications.Topic.READY);
    }
  }

  @Scheduled(every = "30s", concurrentExecution = ConcurrentExecution.SKIP)
  void everyHalfMinute() {
    try {
      watches.forget(10_000);
    } catch (SQLException e) {
      LOG.debugf("Old live output stays for another while: %s", e.getMessage());
    }
  }

  /** F15: nothing breaks, and everything gets slower, so the log says it. */
  @Scheduled(every = "5m", delayed = "5m", concurrentExecution = ConcurrentExecution.SKIP)
  void everyFiveMinutes() {
    try {
      housekeeping
          .openTransactions()
          .forEach(open -> LOG.warnf("%s: %s", open.name(), open.problem()));
    } catch (SQLException e) {
      LOG.debugf("Open transactions could not be looked up: %s", e.getMessage());
    }
  }

  @Scheduled(every = "1h", concurrentExecution = ConcurrentExecution.SKIP)
  void everyHour() {
    try {
      workers.forgetEnded();
    } catch (SQLException e) {
      LOG.debugf("Old worker rows stay for another hour: %s", e.getMessage());
    }
  }

  /**
   * Gives up silent workers, and decides about the jobs that were theirs.
   *
   * @return how many jobs were changed
   */
  public int rescue() throws SQLException {
    int givenUp = workers.giveUpSilent();
    if (givenUp > 0) {
      LOG.warnf("%d workers fell silent and were given up", givenUp);
    }
    List<ClaimedJob> lost = claims.lost(BATCH);
    if (lost.isEmpty()) {
      return 0;
    }
    List<Completion> completions =
        lost.stream()
            .map(job -> Commands.withoutCommand(job, job.startedAt(), AttemptResult.lost()))
            .toList();
    Set<UUID> changed = completes.complete(completions, "rescuer");
    for (ClaimedJob job : lost) {
      if (changed.contains(job.id())) {
        LOG.warnf("Job %s lost its worker in attempt %d", job.id(), job.attempt());
      }
    }
    notifications.send(Notifications.Topic.FINISHED);
    notifications.send(Notifications.Topic.READY);
    return changed.size();
  }
}
