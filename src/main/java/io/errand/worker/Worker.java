package io.errand.worker;

import io.errand.disk.FreeSpace;
import io.errand.exec.Accounts;
import io.errand.exec.EndCause;
import io.errand.exec.HostAbilities;
import io.errand.exec.Launcher;
import io.errand.exec.LinuxLauncher;
import io.errand.exec.TrustedPath;
import io.errand.memory.MemoryBudget;
import io.errand.secrets.Secrets;
import io.errand.store.Notifications;
import io.errand.store.RolledBack;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.CompleteAndClaimStore;
import io.errand.store.claim.CompleteStore;
import io.errand.store.control.CircuitStore;
import io.errand.store.workers.WatchStore;
import io.errand.store.workers.WorkerStore;
import io.errand.traces.Traces;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The worker of this process, if it has that role: put together at start, taken apart at the drain.
 */
@ApplicationScoped
public class Worker {
  private static final Logger LOG = Logger.getLogger(Worker.class);
  private static final Duration RELEASE_GRACE = Duration.ofSeconds(5);
  private static final Duration RECORDING_TIME = Duration.ofSeconds(15);

  private final WorkerConfig config;
  private final ClaimStore claims;
  private final CompleteStore completes;
  private final CompleteAndClaimStore completeAndClaim;
  private final WorkerStore workers;
  private final WatchStore watches;
  private final CircuitStore circuits;
  private final Notifications notifications;
  private final WorkerMeters meters;
  private final MemoryBudget budget;
  private final FreeSpace space;
  private final RolledBack rolledBack;
  private final Secrets secrets;
  private final Traces traces;
  private final AtomicBoolean draining = new AtomicBoolean();
  private @Nullable Parts parts;

  /** What a running worker consists of. */
  private record Parts(Launcher launcher, Slots slots, Lease lease, Dispatcher dispatcher) {}

  Worker(
      WorkerConfig config,
      ClaimStore claims,
      CompleteStore completes,
      CompleteAndClaimStore completeAndClaim,
      WorkerStore workers,
      WatchStore watches,
      CircuitStore circuits,
      Notifications notifications,
      WorkerMeters meters,
      MemoryBudget budget,
      FreeSpace space,
      RolledBack rolledBack,
      Secrets secrets,
      Traces traces) {
    this.traces = traces;
    this.config = config;
    this.claims = claims;
    this.completes = completes;
    this.completeAndClaim = completeAndClaim;
    this.workers = workers;
    this.watches = watches;
    this.circuits = circuits;
    this.notifications = notifications;
    this.meters = meters;
    this.budget = budget;
    this.space = space;
    this.rolledBack = rolledBack;
    this.secrets = secrets;
  }

  void check(@Observes StartupEvent event) {
    config.check();
    if (config.isWorker()) {
      slots();
    }
  }

  /** The slots in force. */
  private int slots() {
    return CommandMemory.slots(budget, config.workerSlots(), config.usualSlots());
  }

  /** Begins to work, if this process has the role. */
  public void start() throws IOException {
    if (!config.isWorker()) {
      LOG.info(
          "No command runs here, as ERRAND_ROLES has it: jobs wait for a worker process on this"
              + " database");
      return;
    }
    Accounts accounts = Accounts.choose(config.runAs().orElse(null), Path.of(config.home()));
    String name = config.workerName().orElseGet(Worker::hostName);
    AttemptLog.ofWorker(name);
    CommandMemory memory = new CommandMemory(budget);
    Dispatcher dispatcher =
        new Dispatcher(
            claims,
            completes,
            completeAndClaim,
            watches,
            circuits,
            notifications,
            meters,
            Duration.ofNanos((long) (config.pollSeconds() * 1e9)),
            name,
            config.workerQueues(),
            memory,
            space,
            new AttemptSpans(traces));
    Path home = Path.of(config.home());
    TrustedPath.make(config.temporaryRoot()); // before anything is read from it
    LinuxLauncher launcher =
        new LinuxLauncher(home, config.temporaryRoot(), accounts, config.allowUserNamespaces());
    HostAbilities host = launcher.probe();
    describe(host);
    int size = slots();
    describeMemory(size);
    Slots slots =
        new Slots(
            size,
            launcher,
            config.caps(),
            host,
            new CommandInputs(secrets, memory, traces),
            meters,
            dispatcher::slotChanged);
    meters.watchSlots(size, slots::busy, slots::waiting);
    notifications.subscribe(Notifications.Topic.READY, dispatcher::workArrived);
    notifications.subscribe(Notifications.Topic.ATTENTION, dispatcher::requestsArrived);
    Lease lease =
        new Lease(
            workers,
            config.leaseSeconds(),
            id -> incarnation(id, name, host, size),
            () ->
                new WorkerStore.Load(
                    slots.busy(), slots.waiting(), dispatcher.claimsNothingBecause()),
            new Lease.Listener() {
              @Override
              public void onGranted(UUID workerId) {
                LOG.infof(
                    "Worker %s serves queues %s with %d slots",
                    workerId, config.workerQueues(), size);
                dispatcher.workArrived();
              }

              @Override
              public void onRenewed(long deadlineNanos) {
                launcher.aliveUntil(deadlineNanos);
              }

              @Override
              public void onFailure() {
                meters.heartbeatFailed();
              }

              @Override
              public void onLost() {
                meters.leaseLost();
                slots.endAll(EndCause.LEASE_LOST, Duration.ZERO);
              }
            });
    parts = new Parts(launcher, slots, lease, dispatcher);
    meters.watchLease(lease::nanosLeft, launcher::guardianRestarts);
    lease.start();
    dispatcher.start(
        slots, lease, new Rehearsal(rolledBack, launcher, config.caps(), memory, name));
  }

  /**
   * Stops claiming, lets running commands finish for the drain time, then ends them and gives their
   * jobs back. Returns when all of that is written, or cannot be.
   */
  public void drain() {
    Parts running = parts;
    if (running == null || !draining.compareAndSet(false, true)) {
      return;
    }
    running.dispatcher().stopClaiming();
    Slots slots = running.slots();
    LOG.infof("Draining: %d commands may run on for %s s", slots.busy(), config.drainSeconds());
    slots.awaitIdle(Duration.ofNanos((long) (config.drainSeconds() * 1e9)));
    if (slots.held() > 0) {
      LOG.infof("Drain time is over: %d commands are ended and given back", slots.busy());
      slots.endAll(EndCause.RELEASED, RELEASE_GRACE);
      slots.awaitIdle(RELEASE_GRACE.plus(RECORDING_TIME));
    }
    UUID holder = running.lease().holder();
    running.dispatcher().stop();
    running.lease().stop();
    running.launcher().close();
    if (holder != null) {
      try {
        workers.stop(holder);
      } catch (SQLException e) {
        LOG.warnf("The worker's row stays until its lease ends: %s", e.getMessage());
      }
    }
  }

  private void describeMemory(int size) {
    if (size < config.workerSlots().orElse(config.usualSlots())) {
      LOG.infof(
          "The heap has memory for %d slots, not for the usual %d", size, config.usualSlots());
    }
    LOG.infof(
        "Memory is enough for %d commands that keep 64 KiB of each stream, and for at least %d of"
            + " the largest; others wait",
        size, Math.min(size, CommandMemory.largestAtOnce(budget)));
  }

  private static void describe(HostAbilities host) {
    LOG.infof("This host can do for a job that asks: %s", host.present());
    host.reasons()
        .forEach(
            (ability, reason) -> {
              if (reason != null) {
                LOG.infof("No %s here: %s; a job that asks is refused", ability, reason);
              }
            });
    Accounts accounts = host.accounts();
    LOG.log(
        accounts.isTheServers() ? Logger.Level.WARN : Logger.Level.INFO, accounts.description());
  }

  private WorkerStore.Incarnation incarnation(UUID id, String name, HostAbilities host, int size) {
    return new WorkerStore.Incarnation(
        id,
        name,
        size,
        config.workerQueues(),
        config.leaseSeconds(),
        config.version(),
        ProcessHandle.current().pid(),
        "guardian, subreaper",
        host.present());
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }
}
