package io.errand.worker;

import io.errand.disk.FreeSpace;
import io.errand.exec.EndCause;
import io.errand.job.JobState;
import io.errand.job.Outcome;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.DatabaseCheck;
import io.errand.store.Notifications;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.Wanted;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.CompleteAndClaimStore;
import io.errand.store.claim.CompleteAndClaimStore.Done;
import io.errand.store.claim.CompleteStore;
import io.errand.store.claim.Completion;
import io.errand.store.control.CircuitStore;
import io.errand.store.workers.WatchStore;
import java.sql.SQLException;
import java.time.Duration;
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
  private final CommandMemory memory;
  private final FreeSpace space;
  private final AttemptSpans spans;
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
  private boolean polled; // the next claim is made because a poll was due
  private final NextClaim nextClaim;
  private final CircuitRecords circuits;
  private boolean rehearsed;
  private @Nullable Rehearsal rehearsal;
  private @Nullable Slots slots;
  private @Nullable Lease lease;

  Dispatcher(
      ClaimStore claims,
      CompleteStore completes,
      CompleteAndClaimStore completeAndClaim,
      WatchStore watches,
      CircuitStore circuits,
      Notifications notifications,
      WorkerMeters meters,
      Duration poll,
      String workerName,
      Collection<String> queues,
      CommandMemory memory,
      FreeSpace space,
      AttemptSpans spans) {
    this.completes = completes;
    this.completeAndClaim = completeAndClaim;
    this.notifications = notifications;
    this.meters = meters;
    this.poll = poll;
    this.workerName = workerName;
    this.nextClaim = new NextClaim(workerName, queues, System::nanoTime);
    this.circuits = new CircuitRecords(circuits);
    this.memory = memory;
    this.spans = spans;
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

  /** The fault of this host that keeps the worker from claiming; null where there is none. */
  @Nullable String claimsNothingBecause() {
    Slots held = slots;
    if (space.isShort()) {
      return "its disk is almost full";
    }
    return held != null && held.areHeldUp()
        ? "commands can be neither started nor ended now"
        : pauses.reason();
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
        meters.turnFailed();
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
    boolean polls = !held.hasEnded() && !wakeUps.await(poll);
    polled = polls && !mayHaveReady;
    if (polls) {
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
    Claims claims;
    try (Reservation reserved = memory.forClaim(limit)) {
      long begun = System.nanoTime();
      try {
        done =
            holder == null
                ? Done.completed(completes.complete(batch, "worker " + workerName))
                : completeAndClaim.run(
                    batch,
                    nextClaim.claimer(holder),
                    new Wanted(limit, room.atOnce(), reserved.bytes()));
      } catch (SQLException | RuntimeException | Error e) {
        held.putBack(batch);
        throw e;
      }
      claims = done.claims();
      meters.turn(System.nanoTime() - begun, batch.size(), claims.jobs().size(), polled);
      polled = false;
      if (limit > 0) {
        mayHaveReady |= nextClaim.claimed(claims, limit);
        wakeUpAfter(claims.untilNext());
        noteMemory(claims.someLeft(), held.held() - batch.size() + claims.jobs().size());
      }
      recorded(held, batch, done.completed());
      for (ClaimedJob job : claims.jobs()) {
        begin(held, right, Objects.requireNonNull(holder), job, reserved.split(job.memoryBytes()));
      }
    } // what no job has taken of it is free again
    if (limit > 0) {
      lastWaiting = held.waiting();
      startWatch.watch(held);
    }
    return mayHaveReady && (limit > 0 || !batch.isEmpty());
  }

  /** How many jobs to claim, once these ends are stored. */
  private Wanted room(Slots held, List<Completion> batch) {
    Slots.Room room = held.room(batch);
    int ahead = nextClaim.someForLater() ? 0 : room.ahead();
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
    meters.claimed(job);
    nextClaim.began(job.queue());
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
    if (circuits.report()) {
      mayHaveReady = true;
      notifications.send(Notifications.Topic.READY);
    }
  }

  private void report(Slots held, Completion completion, boolean ours) {
    ClaimedJob job = held.job(completion.token());
    if (job != null) {
      AttemptLog.ended(job, completion, ours);
      if (ours) {
        spans.ended(job, workerName, completion);
      } else {
        meters.claimLost();
      }
      Completion.Usage usage = completion.usage();
      nextClaim.ended(job.queue(), usage == null ? 0 : usage.durationSeconds(), job.limited());
      circuits.add(job, completion);
      mayHaveReady |= job.limited(); // the next of its key was let go with it
      boolean givenBack = completion.result().outcome() == Outcome.RELEASED;
      if (job.limited() || givenBack) {
        // The next of its key or queue may run now, or another worker may run this one.
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
    if (JobState.CLAIMABLE.contains(next)) {
      wakeUpAfter(delay);
    }
  }

  /** Something is due after this time. If that is before the next poll, it needs an alarm. */
  private void wakeUpAfter(@Nullable Duration delay) {
    if (delay != null && delay.compareTo(poll) < 0 && !stopped) {
      // A moment later, because the database's clock decides.
      alarms.schedule(this::workArrived, delay.toMillis() + 2, TimeUnit.MILLISECONDS);
    }
  }
}
