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
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
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
  private static final long GATHER_NANOS = 2_000_000;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

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
  private final Semaphore wakeUp = new Semaphore(0);
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
  private long noClaimBeforeNanos = System.nanoTime(); // the rest belongs to the thread
  private int unavailableInARow;
  private int lastBatch;
  private boolean memoryShort;
  private String firstQueue = "";
  private final ScanStart scanStart = new ScanStart();
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
    this.jobRequests = new JobRequests(claims, watches, notifications, alarms);
    thread.setDaemon(true);
  }

  void start(Slots workersSlots, Lease workersLease) {
    slots = workersSlots;
    lease = workersLease;
    alarms.prestartCoreThread(); // later there may be no thread to be had
    thread.start();
  }

  /** From now on completions are stored and nothing is claimed. */
  void stopClaiming() {
    claiming = false;
  }

  void stop() {
    stopped = true;
    wakeUp.release();
    alarms.shutdownNow();
  }

  /** There may be jobs to claim. */
  void workArrived() {
    mayHaveReady = true;
    wakeUp.release();
  }

  /** A client may have requested something of a running job. */
  void requestsArrived() {
    hasRequests = true;
    wakeUp.release();
  }

  /** There is a completion to store, or a slot has become free. */
  void slotChanged() {
    wakeUp.release();
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
            more = take(held, right, holder);
            handleRequests(held, holder);
            if (more) {
              gather(held);
            }
          }
        }
        failures = 0;
        await(held, poll);
        gather(held);
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

  /** Waits for a wake-up, or for about the given time. After that time the worker polls. */
  private void await(Slots held, Duration time) {
    try {
      if (!held.hasEnded() && !wakeUp.tryAcquire(jittered(time), TimeUnit.NANOSECONDS)) {
        mayHaveReady = true;
        hasRequests = true;
      }
      wakeUp.drainPermits();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Gathers more completions under load: where the last statement stored several, this one waits
   * until half of the commands have ended, for two milliseconds at most. The others run meanwhile;
   * a completion that comes alone never waits.
   */
  private void gather(Slots held) {
    long until = System.nanoTime() + GATHER_NANOS;
    try {
      while (lastBatch > 1 && held.hasEnded() && held.ended() * 2 < held.busy()) {
        long left = until - System.nanoTime();
        if (left <= 0 || !wakeUp.tryAcquire(left, TimeUnit.NANOSECONDS)) {
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits whatever wakes it, so that a database that has just come back is not overloaded. */
  private void pause(Duration time) {
    try {
      Duration bounded = time.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : time;
      TimeUnit.NANOSECONDS.sleep(jittered(bounded));
      mayHaveReady = true;
      hasRequests = true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static long jittered(Duration time) {
    return (long) (time.toNanos() * ThreadLocalRandom.current().nextDouble(0.75, 1.25));
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
            && System.nanoTime() - noClaimBeforeNanos >= 0;
    int limit = mayClaim ? Math.min(MOST_AT_ONCE, held.free() + held.gone(batch)) : 0;
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
    try (Reservation reserved = memory.forClaim(limit)) {
      try {
        done =
            holder == null
                ? Done.completed(completes.complete(batch, "worker " + workerName))
                : completeAndClaim.run(
                    batch,
                    new Claimer(holder, workerName, queues, from, firstQueue),
                    limit,
                    reserved.bytes());
      } catch (SQLException | RuntimeException | Error e) {
        held.putBack(batch);
        throw e;
      }
      if (limit > 0) {
        long now = System.nanoTime();
        scanStart.scanned(from, now, now - begun, done.claimed(), done.someLeft() ? 0 : limit);
        noteMemory(done.someLeft(), held.busy() - batch.size() + done.claimed().size());
      }
      recorded(held, batch, done.completed());
      for (ClaimedJob job : done.claimed()) {
        begin(held, right, Objects.requireNonNull(holder), job, reserved.split(job.memoryBytes()));
      }
    } // what no job has taken of it is free again
    if (limit > 0) {
      firstQueue = Objects.requireNonNullElse(done.nextQueue(), "");
      mayHaveReady |= done.claimed().size() == limit || done.nextQueue() != null;
    }
    return limit > 0 && mayHaveReady;
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
    if (hasRequests && held.busy() > 0) {
      hasRequests = false;
      jobRequests.handle(held, holder);
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
      if (job.keyed()) {
        notifications.send(
            Notifications.Topic.READY); // the next of its concurrency key may run now
      }
    }
    jobRequests.forget(held, completion.token());
    planNextClaim(completion);
  }

  /** What a completion means for when this worker claims next. */
  private void planNextClaim(Completion completion) {
    if (completion.result().outcome() == Outcome.WORKER_UNAVAILABLE) {
      if (System.nanoTime() - noClaimBeforeNanos < 0) {
        return; // of the batch that has already brought the pause about
      }
      unavailableInARow = Math.min(unavailableInARow + 1, 6);
      Duration pause = Duration.ofMillis(500L << unavailableInARow);
      noClaimBeforeNanos = System.nanoTime() + pause.toNanos();
      LOG.warnf(
          "This worker claims nothing for %d ms: %s",
          pause.toMillis(), completion.result().detail());
    } else if (completion.result().started()) {
      unavailableInARow = 0;
    }
    JobState next = completion.decision().transition().to();
    Duration delay = completion.decision().delay();
    if (JobState.CLAIMABLE.contains(next) && delay.compareTo(poll) < 0 && !stopped) {
      // It is due before the next poll; a moment later, because the database's clock decides.
      alarms.schedule(this::workArrived, delay.toMillis() + 2, TimeUnit.MILLISECONDS);
    }
  }
}
