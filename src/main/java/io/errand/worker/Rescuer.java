package io.errand.worker;

import io.errand.meters.Metric;
import io.errand.store.LoginRights;
import io.errand.store.Notifications;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimStore.LostClaim;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.CompleteStore;
import io.errand.store.claim.Completion;
import io.errand.store.claim.ConcurrencyKeys;
import io.errand.store.control.ControlStore;
import io.errand.store.control.Housekeeping;
import io.errand.store.workers.WatchStore;
import io.errand.store.workers.WorkerStore;
import io.errand.traces.Traces;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * Does what time demands, whichever process comes first: gives up silent workers and their claims,
 * and expires what never started. Every write is guarded, so that many rescuers do no harm. A
 * process whose login may not claim leaves silent workers to the processes of workers.
 */
@ApplicationScoped
public class Rescuer {
  private static final Logger LOG = Logger.getLogger(Rescuer.class);
  private static final int BATCH = 500;
  private static final int UNFOLDED_COUNTS = 300;
  private static final int MOST_COUNTS = 50_000;
  private static final int MOST_PAGES_OF_KEYS = 20;

  /** How many looks are left out where no job is unfinished. */
  private static final int LEFT_OUT = 3;

  private final WorkerStore workers;
  private final ClaimStore claims;
  private final ConcurrencyKeys keys;
  private final CompleteStore completes;
  private final ControlStore control;
  private final WatchStore watches;
  private final Housekeeping housekeeping;
  private final DependencyResolver dependencies;
  private final Notifications notifications;
  private final OperationRunner operations;
  private final Event<Housekeeping.Due> looked;
  private final LoginRights rights;
  private final Counter workersLost;
  private final AttemptSpans spans;

  private final AtomicInteger leftOut = new AtomicInteger();

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
      DependencyResolver dependencies,
      Notifications notifications,
      OperationRunner operations,
      Event<Housekeeping.Due> looked,
      LoginRights rights,
      MeterRegistry registry,
      Traces traces) {
    this.spans = new AttemptSpans(traces);
    this.rights = rights;
    this.workersLost = Metric.WORKERS_LOST.counter(registry);
    this.looked = looked;
    this.workers = workers;
    this.claims = claims;
    this.keys = keys;
    this.completes = completes;
    this.control = control;
    this.watches = watches;
    this.housekeeping = housekeeping;
    this.dependencies = dependencies;
    this.notifications = notifications;
    this.operations = operations;
  }

  void start(@Observes StartupEvent event) {
    notifications.subscribe(Notifications.Topic.READY, () -> leftOut.set(0));
  }

  @Scheduled(every = "1.5s", concurrentExecution = ConcurrentExecution.SKIP)
  void lookOften() {
    if (leftOut.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      return;
    }
    try {
      Housekeeping.Due due = housekeeping.due(UNFOLDED_COUNTS);
      boolean idle =
          !due.unfinished() && !due.silent() && !due.operations() && due.tickSeconds() == null;
      leftOut.set(idle ? LEFT_OUT : 0);
      looked.fire(due); // for those who do what is due in threads of their own
      if (rights.now().mayClaim() && (due.silent() || due.lost())) {
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
      dependencies.expect(due.dependencies());
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

  @Scheduled(every = "60s", concurrentExecution = ConcurrentExecution.SKIP)
  void everyMinute() {
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
    if (!rights.now().mayClaim()) {
      return;
    }
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
      workersLost.increment(givenUp);
      LOG.warnf("%d workers fell silent and were given up", givenUp);
    }
    List<LostClaim> lost = claims.lost(BATCH, Commands.LOST_ALONE);
    if (lost.isEmpty()) {
      return 0;
    }
    List<Completion> completions = lost.stream().map(Commands::lost).toList();
    Set<UUID> changed = completes.complete(completions, "rescuer");
    for (int i = 0; i < lost.size(); i++) {
      LostClaim claim = lost.get(i);
      ClaimedJob job = claim.job();
      if (changed.contains(job.id())) {
        spans.ended(job, null, completions.get(i));
        AttemptLog.logged(
            job,
            null,
            () ->
                LOG.warnf(
                    "Job %s lost its worker in attempt %d%s",
                    job.id(),
                    job.attempt(),
                    claim.holds()
                        ? " and is held, because it was alone on workers that were lost"
                        : ""));
      }
    }
    notifications.send(Notifications.Topic.FINISHED);
    notifications.send(Notifications.Topic.READY);
    return changed.size();
  }
}
