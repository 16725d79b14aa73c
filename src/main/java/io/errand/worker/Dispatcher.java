package io.errand.worker;

import io.errand.exec.EndCause;
import io.errand.job.AttemptResult;
import io.errand.job.JobState;
import io.errand.job.Outcome;
import io.errand.store.Bell;
import io.errand.store.ClaimStore;
import io.errand.store.ClaimedJob;
import io.errand.store.CompleteStore;
import io.errand.store.Completion;
import io.errand.store.WatchStore;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jboss.logging.MDC;
import org.jspecify.annotations.Nullable;

/**
 * The thread that speaks with the database for a worker: first it writes the ends that have come
 * in, all at once, then it claims for the slots that these freed. So batches form by themselves
 * when the work is dense, and a lone job waits for nobody.
 *
 * <p>Nothing here trusts an answer that did not come. An end that may not have been written is
 * written again: its token fences it. A claim that may have been made is looked up by this
 * incarnation's id.
 */
final class Dispatcher {
  private static final Logger LOG = Logger.getLogger(Dispatcher.class);
  private static final int MOST_AT_ONCE = 200;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private final ClaimStore claims;
  private final CompleteStore completes;
  private final Bell bell;
  private final WorkerMeters meters;
  private final Duration poll;
  private final String workerName;
  private final Collection<String> queues;

  private final Attention attention;

  private final Semaphore wakeUp = new Semaphore(0);
  private final Thread thread = new Thread(this::run, "errand-dispatch");
  private final ScheduledExecutorService alarms =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread alarm = new Thread(task, "errand-worker-alarm");
            alarm.setDaemon(true);
            return alarm;
          });

  private volatile boolean claiming = true;
  private volatile boolean stopped;
  private volatile boolean mayHaveWork = true;
  private volatile boolean isWanted = true;
  private boolean mayHoldUnknown; // the rest belongs to the thread
  private long noClaimBeforeNanos = System.nanoTime();
  private int unavailableInARow;
  private @Nullable Slots slots;
  private @Nullable Lease lease;

  Dispatcher(
      ClaimStore claims,
      CompleteStore completes,
      WatchStore watches,
      Bell bell,
      WorkerMeters meters,
      Duration poll,
      String workerName,
      Collection<String> queues) {
    this.claims = claims;
    this.completes = completes;
    this.bell = bell;
    this.meters = meters;
    this.poll = poll;
    this.workerName = workerName;
    this.queues = queues;
    this.attention = new Attention(claims, watches, bell, alarms);
    thread.setDaemon(true);
  }

  void start(Slots workersSlots, Lease workersLease) {
    slots = workersSlots;
    lease = workersLease;
    thread.start();
  }

  /** From now on only ends are written. */
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
    mayHaveWork = true;
    wakeUp.release();
  }

  /** Somebody may want something of a running job. */
  void attentionWanted() {
    isWanted = true;
    wakeUp.release();
  }

  /** There is an end to write, or a slot has become free. */
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
        recordEnds(held);
        UUID holder = right.holder();
        if (holder != null) {
          payAttention(held, holder);
          adoptUnknown(held, right, holder);
          claim(held, right, holder);
        }
        failures = 0;
        await(held, poll);
      } catch (SQLException e) {
        failures = Math.min(failures + 1, 6);
        LOG.warnf("The database does not answer the worker: %s", e.getMessage());
        mayHoldUnknown = true;
        pause(FIRST_PAUSE.multipliedBy(1L << failures));
      } catch (RuntimeException e) {
        LOG.error("The worker goes on after a fault of its own", e);
        mayHoldUnknown = true;
        pause(Duration.ofSeconds(1));
      }
    }
  }

  /** Waits until somebody rings, or for about the given time. After that time everything is due. */
  private void await(Slots held, Duration time) {
    try {
      if (!held.hasEnded() && !wakeUp.tryAcquire(jittered(time), TimeUnit.NANOSECONDS)) {
        mayHaveWork = true;
        isWanted = true;
      }
      wakeUp.drainPermits();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits whoever rings, so that a database that is coming back is not run over. */
  private void pause(Duration time) {
    try {
      Duration bounded = time.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : time;
      TimeUnit.NANOSECONDS.sleep(jittered(bounded));
      mayHaveWork = true;
      isWanted = true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static long jittered(Duration time) {
    return (long) (time.toNanos() * ThreadLocalRandom.current().nextDouble(0.75, 1.25));
  }

  private void claim(Slots held, Lease right, UUID holder) throws SQLException {
    while (mayHaveWork && claiming && System.nanoTime() - noClaimBeforeNanos >= 0) {
      int limit = Math.min(MOST_AT_ONCE, held.free());
      if (limit <= 0) {
        return;
      }
      mayHaveWork = false;
      List<ClaimedJob> claimed = claims.claim(holder, workerName, queues, limit);
      claimed.forEach(job -> begin(held, right, holder, job));
      if (claimed.size() == limit) {
        mayHaveWork = true;
      }
      if (held.hasEnded()) {
        return;
      }
    }
  }

  /** After an answer that did not come: claims that the database gave us and we never heard of. */
  private void adoptUnknown(Slots held, Lease right, UUID holder) throws SQLException {
    if (!mayHoldUnknown) {
      return;
    }
    for (ClaimedJob job : claims.heldBy(holder)) {
      if (!held.holds(job.token())) {
        begin(held, right, holder, job);
      }
    }
    mayHoldUnknown = false;
  }

  private void begin(Slots held, Lease right, UUID holder, ClaimedJob job) {
    meters.claimed(job.waited());
    logged(job, () -> LOG.infof("Claimed from queue %s: %s", job.queue(), job.command().get(0)));
    held.run(job, () -> holder.equals(right.holder()));
    if (!holder.equals(right.holder())) {
      // It was lost while this one was being launched, and the listener may have missed it.
      held.endAll(EndCause.LEASE_LOST, Duration.ZERO);
    }
  }

  private void payAttention(Slots held, UUID holder) throws SQLException {
    if (isWanted && held.busy() > 0) {
      isWanted = false;
      attention.pay(held, holder);
    }
  }

  private void recordEnds(Slots held) throws SQLException {
    List<Completion> batch = held.takeEnded(MOST_AT_ONCE);
    if (batch.isEmpty()) {
      return;
    }
    Set<UUID> changed;
    try {
      changed = completes.complete(batch);
    } catch (SQLException | RuntimeException e) {
      held.putBack(batch);
      throw e;
    }
    boolean anyFinal = false;
    for (Completion completion : batch) {
      ClaimedJob job = held.job(completion.token());
      if (job != null) {
        boolean ours = changed.contains(completion.jobId());
        logged(job, () -> report(completion, ours));
        if (job.keyed()) {
          bell.ring(Bell.Ring.READY); // the next of its concurrency key may run now
        }
      }
      attention.forget(held, completion.token());
      held.recorded(completion.token());
      anyFinal |= completion.decision().ifCancelRequested().arrow().to().isFinal();
      planNextLook(completion);
    }
    if (anyFinal) {
      bell.ring(Bell.Ring.FINISHED);
    }
  }

  /** What an end means for when this worker claims next. */
  private void planNextLook(Completion completion) {
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
    JobState next = completion.decision().arrow().to();
    Duration delay = completion.decision().delay();
    if (JobState.CLAIMABLE.contains(next) && delay.compareTo(poll) < 0 && !stopped) {
      // It is due before the next poll; a moment later, because the database's clock decides.
      alarms.schedule(this::workArrived, delay.toMillis() + 2, TimeUnit.MILLISECONDS);
    }
  }

  private void report(Completion completion, boolean ours) {
    if (!ours) {
      meters.claimLost();
      LOG.warn("The claim was lost to another worker; this result is dropped");
      return;
    }
    AttemptResult result = completion.result();
    String how =
        result.exitCode() != null
            ? " " + result.exitCode()
            : result.signal() != null ? " " + result.signal() : "";
    String detail = result.detail() == null ? "" : " (" + result.detail() + ")";
    LOG.infof(
        "Ended: %s%s, job becomes %s%s",
        result.outcome().wireName(), how, completion.decision().arrow().to().wireName(), detail);
  }

  private static void logged(ClaimedJob job, Runnable line) {
    MDC.put("job_id", job.id().toString());
    MDC.put("attempt", Integer.toString(job.attempt()));
    try {
      line.run();
    } finally {
      MDC.remove("job_id");
      MDC.remove("attempt");
    }
  }
}
