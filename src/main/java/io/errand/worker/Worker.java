package io.errand.worker;

import io.errand.exec.CommandListener;
import io.errand.exec.CommandResult;
import io.errand.exec.EndCause;
import io.errand.exec.Launcher;
import io.errand.exec.LinuxLauncher;
import io.errand.exec.RunningCommand;
import io.errand.job.AttemptResult;
import io.errand.job.JobState;
import io.errand.job.Outcome;
import io.errand.store.Bell;
import io.errand.store.ClaimStore;
import io.errand.store.ClaimedJob;
import io.errand.store.CompleteStore;
import io.errand.store.Completion;
import io.errand.store.WorkerStore;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jboss.logging.MDC;
import org.jspecify.annotations.Nullable;

/**
 * Claims jobs for its free slots, has them run, and writes how they ended.
 *
 * <p>One thread does all of the talking to the database, in turn: first the ends that have come in,
 * all at once, then a claim for the slots that these freed. So batches form by themselves when the
 * work is dense, and a lone job waits for nobody. A slot is free only when its job's end is
 * acknowledged and its process tree is gone. When the database is away, ends wait in memory, one
 * for each slot at most, and are written under their tokens when it is back.
 */
@ApplicationScoped
public class Worker {
  private static final Logger LOG = Logger.getLogger(Worker.class);
  private static final Duration RELEASE_GRACE = Duration.ofSeconds(5);
  private static final int MOST_PER_CLAIM = 200;

  private final WorkerConfig config;
  private final ClaimStore claims;
  private final CompleteStore completes;
  private final WorkerStore workers;
  private final Bell bell;
  private final WorkerMeters meters;

  private final Map<UUID, Execution> executions = new ConcurrentHashMap<>(); // by claim token
  private final ConcurrentLinkedQueue<Completion> ended = new ConcurrentLinkedQueue<>();
  private final Semaphore wakeUp = new Semaphore(0);
  private final ScheduledExecutorService alarms =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "errand-worker-alarm");
            thread.setDaemon(true);
            return thread;
          });
  private final Thread dispatcher = new Thread(this::dispatch, "errand-dispatch");

  private volatile boolean started;
  private volatile boolean draining;
  private volatile boolean stopped;
  private volatile boolean mayHaveWork = true;
  private volatile boolean mayHaveCancels = true;
  private volatile boolean mayHoldUnknown;
  private volatile long noClaimBeforeNanos = System.nanoTime();
  private int unavailableInARow;
  private @Nullable Launcher launcher;
  private @Nullable Lease lease;

  Worker(
      WorkerConfig config,
      ClaimStore claims,
      CompleteStore completes,
      WorkerStore workers,
      Bell bell,
      WorkerMeters meters) {
    this.config = config;
    this.claims = claims;
    this.completes = completes;
    this.workers = workers;
    this.bell = bell;
    this.meters = meters;
  }

  void start(@Observes StartupEvent event) throws IOException {
    config.check();
    if (!config.roles().contains("worker")) {
      return;
    }
    launcher = new LinuxLauncher(Path.of(config.home()).resolve("tmp"));
    meters.watchSlots(config.slots(), executions::size);
    bell.onRing(Bell.Ring.READY, this::workArrived);
    bell.onRing(
        Bell.Ring.CANCEL,
        () -> {
          mayHaveCancels = true;
          wakeUp.release();
        });
    lease =
        new Lease(
            workers,
            config.leaseSeconds(),
            this::incarnation,
            executions::size,
            new Lease.Listener() {
              @Override
              public void onGranted(UUID workerId) {
                LOG.infof(
                    "Worker %s serves queues %s with %d slots",
                    workerId, config.workerQueues(), config.slots());
                workArrived();
              }

              @Override
              public void onLost() {
                meters.leaseLost();
                endAll(EndCause.LEASE_LOST, Duration.ZERO);
              }
            });
    lease.start();
    dispatcher.setDaemon(true);
    dispatcher.start();
    started = true;
  }

  /**
   * Stops claiming, lets running commands finish for the drain time, then ends them and gives their
   * jobs back. Returns when all of that is written, or cannot be.
   */
  public void drain() {
    if (!started || draining) {
      return;
    }
    draining = true;
    LOG.infof(
        "Draining: %d commands may run on for %s s", executions.size(), config.drainSeconds());
    awaitIdle((long) (config.drainSeconds() * 1e9));
    if (!executions.isEmpty()) {
      LOG.infof("Drain time is over: %d commands are ended and given back", executions.size());
      endAll(EndCause.RELEASED, RELEASE_GRACE);
      awaitIdle(RELEASE_GRACE.plusSeconds(15).toNanos());
    }
    stopped = true;
    wakeUp.release();
    UUID holder = lease == null ? null : lease.holder();
    if (lease != null) {
      lease.stop();
    }
    if (holder != null) {
      try {
        workers.stop(holder);
      } catch (SQLException e) {
        LOG.warnf("The worker's row stays until its lease ends: %s", e.getMessage());
      }
    }
    if (launcher != null) {
      launcher.close();
    }
    alarms.shutdownNow();
  }

  private void awaitIdle(long nanos) {
    long deadline = System.nanoTime() + nanos;
    try {
      while (!executions.isEmpty() && System.nanoTime() - deadline < 0) {
        TimeUnit.MILLISECONDS.sleep(20);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void endAll(EndCause cause, Duration grace) {
    for (Execution execution : executions.values()) {
      RunningCommand command = execution.command();
      if (command != null) {
        command.end(cause, grace);
      }
    }
  }

  private WorkerStore.Incarnation incarnation(UUID id) {
    return new WorkerStore.Incarnation(
        id,
        config.workerName().orElseGet(Worker::hostName),
        config.slots(),
        config.workerQueues(),
        config.leaseSeconds(),
        config.version(),
        ProcessHandle.current().pid(),
        "subreaper");
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }

  private void workArrived() {
    mayHaveWork = true;
    wakeUp.release();
  }

  private void dispatch() {
    int failures = 0;
    while (!stopped) {
      try {
        recordEnds();
        UUID holder = lease == null ? null : lease.holder();
        if (holder != null) {
          carryOutCancels(holder);
          adoptUnknown(holder);
          claim(holder);
        }
        failures = 0;
        awaitWork(Duration.ofNanos((long) (config.pollSeconds() * 1e9)));
      } catch (SQLException e) {
        failures++;
        LOG.warnf("The database does not answer the worker: %s", e.getMessage());
        mayHoldUnknown = true;
        awaitWork(Duration.ofMillis(Math.min(5_000, 100L << Math.min(failures, 6))));
      } catch (RuntimeException e) {
        LOG.error("The worker goes on after a fault of its own", e);
        awaitWork(Duration.ofSeconds(1));
      }
    }
  }

  /**
   * Waits until somebody rings, or for about the given time. After that time, everything is due.
   */
  private void awaitWork(Duration time) {
    long nanos = (long) (time.toNanos() * ThreadLocalRandom.current().nextDouble(0.75, 1.25));
    try {
      if (ended.isEmpty() && !wakeUp.tryAcquire(nanos, TimeUnit.NANOSECONDS)) {
        mayHaveWork = true;
        mayHaveCancels = true;
      }
      wakeUp.drainPermits();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void claim(UUID holder) throws SQLException {
    while (mayHaveWork && !draining && System.nanoTime() - noClaimBeforeNanos >= 0) {
      int free = Math.min(MOST_PER_CLAIM, config.slots() - executions.size());
      if (free <= 0) {
        return;
      }
      mayHaveWork = false;
      List<ClaimedJob> claimed =
          claims.claim(
              holder, config.workerName().orElseGet(Worker::hostName), config.workerQueues(), free);
      claimed.forEach(this::run);
      if (claimed.size() == free) {
        mayHaveWork = true;
      }
      if (!ended.isEmpty()) {
        return;
      }
    }
  }

  /** After an unknown answer: claims that the database gave us and we never heard of. */
  private void adoptUnknown(UUID holder) throws SQLException {
    if (!mayHoldUnknown) {
      return;
    }
    for (ClaimedJob job : claims.heldBy(holder)) {
      if (!executions.containsKey(job.token())) {
        run(job);
      }
    }
    mayHoldUnknown = false;
  }

  private void carryOutCancels(UUID holder) throws SQLException {
    if (!mayHaveCancels || executions.isEmpty()) {
      return;
    }
    mayHaveCancels = false;
    for (UUID token : claims.cancelsOf(holder)) {
      Execution execution = executions.get(token);
      RunningCommand command = execution == null ? null : execution.command();
      if (execution != null && command != null) {
        command.end(EndCause.CANCELLED, execution.job().killGrace());
      }
    }
  }

  private void run(ClaimedJob job) {
    meters.claimed(job.waited());
    Execution execution = new Execution(job);
    executions.put(job.token(), execution);
    logged(job, () -> LOG.infof("Claimed from queue %s: %s", job.queue(), job.command().get(0)));
    Lease current = lease;
    if (launcher == null || current == null || current.holder() == null) {
      AttemptResult released = new AttemptResult(Outcome.RELEASED, null, null, false, null);
      end(execution, Commands.withoutCommand(job, released), Duration.ZERO);
      free(execution, execution.gone());
      return;
    }
    execution.launched(
        launcher.launch(
            Commands.spec(job),
            new CommandListener() {
              @Override
              public void onEnd(CommandResult result) {
                CommandResult.Usage usage = result.usage();
                end(
                    execution,
                    Commands.completion(job, result),
                    usage == null ? Duration.ZERO : usage.wall());
              }

              @Override
              public void onGone() {
                free(execution, execution.gone());
              }
            }));
    if (current.holder() == null) {
      endAll(EndCause.LEASE_LOST, Duration.ZERO); // it was lost while this one was being launched
    }
  }

  private void end(Execution execution, Completion completion, Duration ran) {
    meters.ended(completion.result().outcome(), ran);
    ended.add(completion);
    wakeUp.release();
  }

  private void free(Execution execution, boolean freed) {
    if (freed) {
      executions.remove(execution.job().token());
      wakeUp.release();
    }
  }

  private void recordEnds() throws SQLException {
    List<Completion> batch = new ArrayList<>();
    for (Completion next = ended.peek();
        next != null && batch.size() < MOST_PER_CLAIM;
        next = ended.peek()) {
      batch.add(next);
      ended.poll();
    }
    if (batch.isEmpty()) {
      return;
    }
    Set<UUID> changed;
    try {
      changed = completes.complete(batch);
    } catch (SQLException | RuntimeException e) {
      ended.addAll(batch); // harmless to write again: the token fences it
      throw e;
    }
    boolean anyFinal = false;
    for (Completion completion : batch) {
      Execution execution = executions.get(completion.token());
      if (execution != null) {
        boolean ours = changed.contains(completion.jobId());
        logged(execution.job(), () -> report(completion, ours));
        free(execution, execution.recorded());
      }
      anyFinal |= completion.decision().ifCancelRequested().arrow().to().isFinal();
      after(completion);
    }
    if (anyFinal) {
      bell.ring(Bell.Ring.FINISHED);
    }
  }

  /** What an end means for this worker's own next steps. */
  private void after(Completion completion) {
    boolean unavailable = completion.result().outcome() == Outcome.WORKER_UNAVAILABLE;
    if (unavailable) {
      unavailableInARow = Math.min(unavailableInARow + 1, 6);
      Duration pause = Duration.ofMillis(500L << unavailableInARow);
      noClaimBeforeNanos = System.nanoTime() + pause.toNanos();
      LOG.warnf(
          "This worker claims nothing for %d ms: %s",
          pause.toMillis(), completion.result().detail());
      wakeLater(pause);
    } else if (completion.result().started()) {
      unavailableInARow = 0;
    }
    JobState next = completion.decision().arrow().to();
    if (JobState.CLAIMABLE.contains(next)) {
      wakeLater(completion.decision().delay());
    }
  }

  /**
   * The job comes back before the next poll: look then, and a moment later for the clocks' sake.
   */
  private void wakeLater(Duration delay) {
    if (!stopped && delay.toNanos() < config.pollSeconds() * 1e9) {
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
    LOG.infof(
        "Ended: %s%s, job becomes %s%s",
        result.outcome().wireName(),
        result.exitCode() != null
            ? " " + result.exitCode()
            : result.signal() != null ? " " + result.signal() : "",
        completion.decision().arrow().to().wireName(),
        result.detail() == null ? "" : " (" + result.detail() + ")");
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
