package io.errand.worker;

import io.errand.disk.FreeSpace;
import io.errand.exec.EndCause;
import io.errand.job.JobState;
import io.errand.job.Outcome;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.DatabaseCheck;
import io.errand.store.Notifications;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.Wanted;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.CompleteAndClaimStore;
import io.errand.store.claim.CompleteAndClaimStore.Done;
import io.errand.store.claim.CompleteStore;
import io.errand.store.claim.Completion;
import io.errand.store.workers.WatchStore;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The thread that speaks with the database for a worker: it stores the completions that have come
 * in, all in one statement, and in the same statement claims jobs for the slots that they free. So
 * batches form by themselves under load, and a single job does not wait.
 *
 * <p>An answer that did not come means nothing here. A completion that may not have been stored is
 * stored again: its token fences it. A claim that may have been made is looked up by this
 * incarnation's id.
 */
final class Dispatcher {
  private static final Logger LOG = Logger.getLogger(Dispatcher.class);
  private static final int MOST_AT_ONCE = 200;
  private static final Wanted NOTHING = new Wanted(0, 0, 0);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

  private final CompleteStore completes;
  private final CompleteAndClaimStore completeAndClaim;
  private final Notifications notifications;
  private final WorkerMeters meters;
  private final Duration poll;
  private final String workerName;
  private final Collection<String> queues;
  private final CommandMemory memory;
  private final FreeSpace space;
  private final UnknownClaims unknown;

  private final JobRequests jobRequests;
  private final StartWatch startWatch;
  private final WakeUps wakeUps = new WakeUps();
  private final Thread thread = new Thread(this::run, "errand-dispatch");
  private final ScheduledThreadPoolExecutor alarms =
      new ScheduledThreadPoolExecutor(
          1,
          task -> {
            Thread alarm = new Thread(task, "errand-worker-alarm");
            alarm.setDaemon(true);
            return alarm;
          });

  private volatile boolean claiming = true;
  private volatile boolean stopped;
  private volatile boolean mayHaveReady = true;
  private volatile boolean hasRequests = true;
  private final ClaimPauses pauses = new ClaimPauses(); // the rest belongs to the thread
  private int lastBatch;
  private int lastWaiting;
  private boolean memoryShort;
  private boolean someForLater; // what is ready next must not be claimed before it can start
  private String firstQueue = "";
  private final ScanStart scanStart = new ScanStart();
  private boolean rehearsed;
  private @Nullable Rehearsal rehearsal;
  private @Nullable Slots slots;
  private @Nullable Lease lease;

  Dispatcher(
      ClaimStore claims,
      CompleteStore completes,
      CompleteAndClaimStore completeAndClaim,
      WatchStore watches,
      Notifications notifications,
      WorkerMeters meters,
      Duration poll,
      String workerName,
      Collection<String> queues,
      CommandMemory memory,
      FreeSpace space) {
    this.completes = completes;
    this.completeAndClaim = completeAndClaim;
    this.notifications = notifications;
    this.meters = meters;
    this.poll = poll;
    this.workerName = workerName;
    this.queues = queues;
    this.memory = memory;
    this.space = space;
    this.unknown = new UnknownClaims(claims, memory);
    this.startWatch = new StartWatch(claims, alarms, wakeUps::wake);
    this.jobRequests = new JobRequests(claims, watches, notifications, alarms);
    thread.setDaemon(true);
  }

  void start(Slots workersSlots, Lease workersLease, Rehearsal workersRehearsal) {
    slots = workersSlots;
    lease = workersLease;
    rehearsal = workersRehearsal;
    alarms.prestartCoreThread(); // later there may be no thread to be had
    thread.start();
  }

  /**
   * From now on completions are stored and nothing is claimed; what waits for a slot is given back.
   */
  void stopClaiming() {
    claiming = false;
    Slots held = slots;
    if (held != null) {
      held.giveBackWaiting(Duration.ZERO);
    }
  }

  void stop() {
    stopped = true;
    wakeUps.wake();
    alarms.shutdownNow();
  }

  /** There may be jobs to claim. */
  void workArrived() {
    mayHaveReady = true;
    wakeUps.wake();
  }

  /** A client may have requested something of a running job. */
  void requestsArrived() {
    hasRequests = true;
    wakeUps.wake();
  }

  /** There is a completion to store, or a slot has become free. */
  void slotChanged() {
    wakeUps.wake();
  }

  private void run() {
    Slots held = slots;
    Lease right = lease;
    if (held == null || right == null) {
      return;
    }
    int failures = 0;
    while (!stopped) {
      try {
        UUID holder = right.holder();
        if (holder == null) {
          take(held, right, null);
        } else {
          boolean more = true;
          while (more) {
            unknown.begin(
                held, holder, (job, reserved) -> begin(held, right, holder, job, reserved));
            startWatch.store(held);
            more = take(held, right, holder);
            handleRequests(held, holder);
            if (more) {
              wakeUps.gather(held, lastBatch, lastWaiting);
            }
          }
          rehearse(held, holder);
        }
        failures = 0;
        await(held);
        wakeUps.gather(held, lastBatch, lastWaiting);
      } catch (SQLException e) {
        failures = Math.min(failures + 1, 6);
        LOG.warnf("The worker will try again: %s", DatabaseCheck.description(e));
        unknown.expect();
        pause(FIRST_PAUSE.multipliedBy(1L << failures));
      } catch (RuntimeException | Error e) {
        LOG.error("The worker goes on after a fault of its own", e);
        unknown.expect();
        pause(Duration.ofSeconds(1));
      }
    }
  }

  /** Once, unless there was a job to run at the start. */
  private void rehearse(Slots held, UUID holder) {
    Rehearsal once = rehearsal;
    if (!rehearsed && once != null && claiming && !space.isShort()) {
      rehearsed = true;
      if (held.held() == 0) {
        once.run(holder);
      }
    }
  }

  /** Waits for a wake-up, or for about the time of a poll. */
  private void await(Slots held) {
    if (!held.hasEnded() && !wakeUps.await(poll)) {
      mayHaveReady = true;
      hasRequests = true;
    }
    wakeUps.forget();
  }

  /** Waits whatever wakes it, so that a database that has just come back is not overloaded. */
  private void pause(Duration time) {
    wakeUps.pause(time);
    mayHaveReady = true;
    hasRequests = true;
  }

  /**
   * Stores completions and claims jobs for the slots that are free or become free by that.
   *
   * @return whether there may be more to claim at once
   */
  private boolean take(Slots held, Lease right, @Nullable UUID holder) throws SQLException {
    List<Completion> batch = held.takeEnded(MOST_AT_ONCE);
    boolean mayClaim =
        holder != null
            && !unknown.areExpected()
            && mayHaveReady
            && claiming
            && !space.isShort()
            && !held.areHeldUp()
            && !pauses.lasts();
    Wanted room = mayClaim ? room(held, batch) : NOTHING;
    int limit = room.most();
    if (batch.isEmpty() && limit <= 0) {
      return false;
    }
    lastBatch = batch.isEmpty() ? lastBatch : batch.size();
    if (limit > 0) {
      mayHaveReady = false;
    }
    Done done;
    long begun = System.nanoTime();
    Instant from = scanStart.next(begun);
    Claims claims;
    try (Reservation reserved = memory.forClaim(limit)) {
      try {
        done =
            holder == null
                ? Done.completed(completes.complete(batch, "worker " + workerName))
                : completeAndClaim.run(
                    batch,
                    new Claimer(holder, workerName, queues, from, firstQueue),
                    new Wanted(limit, room.atOnce(), reserved.bytes()));
      } catch (SQLException | RuntimeException | Error e) {
        held.putBack(batch);
        throw e;
      }
      claims = done.claims();
      if (limit > 0) {
        long now = System.nanoTime();
        int found = claims.someLeft() || claims.someForLater() ? 0 : limit;
        scanStart.scanned(from, now, now - begun, claims.jobs(), found);
        noteMemory(claims.someLeft(), held.held() - batch.size() + claims.jobs().size());
      }
      recorded(held, batch, done.completed());
      for (ClaimedJob job : claims.jobs()) {
        begin(held, right, Objects.requireNonNull(holder), job, reserved.split(job.memoryBytes()));
      }
    } // what no job has taken of it is free again
    if (limit > 0) {
      firstQueue = Objects.requireNonNullElse(claims.nextQueue(), "");
      someForLater = claims.someForLater();
      mayHaveReady |=
          claims.jobs().size() == limit
              || claims.nextQueue() != null
              || someForLater
              || claims.someSetAside();
      lastWaiting = held.waiting();
      startWatch.watch(held);
    }
    return mayHaveReady && (limit > 0 || !batch.isEmpty());
  }

  /** How many jobs to claim, once these ends are stored. */
  private Wanted room(Slots held, List<Completion> batch) {
    Slots.Room room = held.room(batch);
    int ahead = someForLater ? 0 : room.ahead();
    return new Wanted(Math.min(MOST_AT_ONCE, room.atOnce() + ahead), room.atOnce(), 0);
  }

  /** Says so where jobs are ready and there is no memory for them. */
  private void noteMemory(boolean someLeft, int busy) {
    memoryShort = someLeft;
    meters.waitsForMemory(someLeft);
    if (someLeft) {
      memory.reportShortage(busy);
    }
  }

  private void begin(Slots held, Lease right, UUID holder, ClaimedJob job, Reservation reserved) {
    meters.claimed(job.waited());
    AttemptLog.claimed(job);
    held.run(job, reserved, () -> holder.equals(right.holder()));
    if (!holder.equals(right.holder())) {
      // It was lost while this one was being launched, and the listener may have missed it.
      held.endAll(EndCause.LEASE_LOST, Duration.ZERO);
    }
  }

  private void handleRequests(Slots held, UUID holder) throws SQLException {
    if (hasRequests && held.held() > 0) {
      hasRequests = false;
      hasRequests |= jobRequests.handle(held, holder);
    }
  }

  /** The completions are stored. The slot of each is freed, also where the rest fails. */
  private void recorded(Slots held, List<Completion> batch, Set<UUID> changed) {
    boolean anyFinal = false;
    mayHaveReady |= memoryShort && !batch.isEmpty(); // what these held is free soon
    for (Completion completion : batch) {
      try {
        report(held, completion, changed.contains(completion.jobId()));
      } catch (RuntimeException | Error e) {
        LOG.error("The worker goes on after a fault of its own", e);
      } finally {
        held.recorded(completion.token());
      }
      anyFinal |= completion.decision().ifCancelRequested().transition().to().isFinal();
    }
    if (anyFinal) {
      notifications.send(Notifications.Topic.FINISHED);
    }
  }

  private void report(Slots held, Completion completion, boolean ours) {
    ClaimedJob job = held.job(completion.token());
    if (job != null) {
      AttemptLog.ended(job, completion, ours);
      if (!ours) {
        meters.claimLost();
      }
      if (job.keyed()) { // the next of its key was let go with it
        mayHaveReady = true;
        scanStart.jobsLetGo();
      }
      boolean givenBack = completion.result().outcome() == Outcome.RELEASED;
      if (job.keyed() || givenBack) {
        // The next of its concurrency key may run now, or another worker may run this one.
        notifications.send(Notifications.Topic.READY);
      }
    }
    jobRequests.forget(held, completion.token());
    planNextClaim(completion);
  }

  /** What a completion means for when this worker claims next. */
  private void planNextClaim(Completion completion) {
    pauses.completed(completion.result());
    JobState next = completion.decision().transition().to();
    Duration delay = completion.decision().delay();
    if (JobState.CLAIMABLE.contains(next) && delay.compareTo(poll) < 0 && !stopped) {
      // It is due before the next poll; a moment later, because the database's clock decides.
      alarms.schedule(this::workArrived, delay.toMillis() + 2, TimeUnit.MILLISECONDS);
    }
  }
}
