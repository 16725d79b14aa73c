package io.errand.exec;

import io.errand.exec.CommandResult.SignalSent;
import io.errand.exec.EventLoop.Timer;
import io.errand.exec.Spawner.Spawned;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A command from its start to the last of its processes. All of it is guarded by the lock of the
 * event loop; the methods of {@link RunningCommand} ask the loop. Calls on pipes give up that lock,
 * so whatever is to happen in any case is done before they are made.
 *
 * <p>It has ended when three things are true: its first process has ended, nothing of its tree
 * runs, and both pipes are at end-of-file or were emptied. The tree comes before the pipes, because
 * a grandchild that lives on may hold them open for ever.
 */
final class LinuxCommand implements RunningCommand {
  private static final long MILLISECOND = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long FIRST_CHECK_NANOS = 2 * MILLISECOND;
  private static final long LEFTOVER_GRACE_NANOS = 500 * MILLISECOND;
  private static final long DRAIN_NANOS = 1_000 * MILLISECOND;
  private static final int MOST_DRAINS = 5;
  private static final int REST = 4;
  private static final long GIVE_UP_NANOS = 10_000 * MILLISECOND;

  private static final String KILLED = Signals.name(LibC.SIGKILL);

  private final LinuxLauncher launcher;
  private final EventLoop loop;
  private volatile CommandSpec spec; // read by the threads that spawn
  private final CommandListener listener;
  private final CommandStreams streams;

  private volatile @Nullable ProcessTree tree; // read by who asks for its processes
  private int pid;
  private long startedNanos;
  private long endedNanos;
  private @Nullable ExitStatus exitStatus;
  private boolean reported;
  private boolean treeGone;
  private int drains;

  /** Until nothing is left: the tree, the pipes, and the private directory. */
  private final AtomicInteger unsettled = new AtomicInteger(3);

  private @Nullable Timer timeoutTimer;
  private @Nullable Timer killTimer;
  private @Nullable Timer checkTimer;
  private @Nullable CommandMeasures measures;

  private @Nullable EndCause endCause;
  private @Nullable String excess;
  private Duration endGrace = Duration.ZERO;
  private final StartWait startWait;
  private boolean termSent;
  private boolean killing;
  private final Set<Integer> terminated = new HashSet<>(0);
  private final Set<Integer> killed = new HashSet<>(0);
  private long checkDelayNanos = FIRST_CHECK_NANOS;
  private long killingSinceNanos;

  LinuxCommand(LinuxLauncher launcher, CommandSpec spec, CommandListener listener) {
    this.launcher = launcher;
    this.loop = launcher.loop();
    this.spec = spec;
    this.listener = listener;
    this.startWait = new StartWait(listener);
    this.streams = new CommandStreams(loop, spec, this::onStreamsClosed, this::settled);
  }

  CommandSpec spec() {
    return spec;
  }

  /** Of its first process; 0 before it was started. */
  int pid() {
    return pid;
  }

  /** Why somebody wants it to end, or null. */
  @Nullable EndCause ending() {
    return endCause;
  }

  @Override
  public void end(EndCause cause, Duration grace) {
    loop.execute(() -> beginEnd(cause, grace));
  }

  @Override
  public ProcessListing processes() {
    ProcessTree now = tree;
    List<Integer> sampled = now == null ? List.of() : now.lastSampled();
    if (sampled.size() > ProcessListing.MOST_SHOWN) {
      return ProcessListing.of(sampled, spec.mask()); // finding all would keep others waiting
    }
    CompletableFuture<Collection<Integer>> members = new CompletableFuture<>();
    loop.execute(() -> members.complete(tree == null || reported ? List.of() : tree().members()));
    members.completeOnTimeout(sampled, 2, TimeUnit.SECONDS);
    return ProcessListing.of(members.join(), spec.mask());
  }

  @Override
  public void addListener(OutputListener listener) {
    loop.execute(
        () -> {
          if (!reported) {
            streams.addListener(listener);
          }
        });
  }

  @Override
  public void removeListener(OutputListener listener) {
    loop.execute(() -> streams.removeListener(listener));
  }

  /** The spawner says that there is no process. */
  void refused(Spawned.Refused refused) {
    reported = true;
    treeGone = true;
    cancel(timeoutTimer);
    launcher.forget(this);
    if (!startWait.isAnswered()) {
      listener.onEnd(CommandResult.notStarted(refused.cause(), refused.detail()));
    }
    listener.onGone();
  }

  /** Whether somebody still wants it to be started. From any thread. */
  boolean isWanted() {
    return !startWait.isAnswered();
  }

  /**
   * Its start, which began then, sleeps (see {@link StartWait}). From now on its timeout runs. Its
   * slot stays taken until the start has come to its end.
   */
  void startSleeps(long sinceNanos, Runnable abort) {
    if (tree != null || reported) {
      return;
    }
    startWait.sleeps(abort);
    if (endCause == null || !startWait.answer(endCause)) {
      cancel(timeoutTimer);
      long left = spec.timeout().toNanos() - (System.nanoTime() - sinceNanos);
      timeoutTimer = loop.after(left, () -> beginEnd(EndCause.TIMEOUT, spec.killGrace()));
    }
  }

  /** Whether a process carries this command's cookie by right, see {@link ProcessTree#isMarked}. */
  boolean isMarked(int process, String cookie) {
    return tree != null && tree.isMarked(process, cookie);
  }

  /**
   * The spawner says that it runs.
   *
   * @param uid of the account that it runs as
   */
  void started(Spawned.Started started, int uid) {
    pid = started.pid();
    startedNanos = started.startedNanos();
    tree =
        new ProcessTree(
            pid,
            spec.cookie(),
            spec.confinement().sandbox() != null,
            uid,
            launcher.orphans(),
            launcher.scratch());
    streams.open(started);
    spec = spec.withoutInputs(); // the streams let go of stdin when it is written
    new ExitWatch(loop, pid, started.pidDescriptor(), launcher.scratch(), this::onExit);
    cancel(timeoutTimer);
    timeoutTimer =
        loop.after(spec.timeout().toNanos(), () -> beginEnd(EndCause.TIMEOUT, spec.killGrace()));
    measures = CommandMeasures.begin(launcher, this, tree, startedNanos);
    if (startWait.isAnswered()) {
      beginKilling(); // it is too late
    } else if (endCause != null) {
      carryOutEnd();
    }
  }

  /** It has passed a limit. */
  void endFor(EndCause cause, String found) {
    if (endCause == null) {
      excess = found;
    }
    beginEnd(cause, Duration.ZERO);
  }

  private void stopMeasuring() {
    if (measures != null) {
      measures.stop();
    }
  }

  private void beginEnd(EndCause cause, Duration grace) {
    if (reported) {
      return;
    }
    boolean first = endCause == null;
    if (first && exitStatus == null) {
      endCause = cause;
    }
    if (first || grace.compareTo(endGrace) < 0) {
      endGrace = grace;
      if (tree == null) {
        startWait.answer(endCause == null ? cause : endCause);
      } else if (!killing) {
        carryOutEnd();
      }
    }
  }

  private void carryOutEnd() {
    if (endGrace.isZero()) {
      beginKilling();
    } else {
      terminate(endGrace.toNanos());
    }
  }

  private void terminate(long graceNanos) {
    if (!termSent) {
      termSent = true;
      terminated.addAll(tree().signal(LibC.SIGTERM));
    }
    cancel(killTimer);
    killTimer = loop.after(graceNanos, this::beginKilling);
  }

  private void beginKilling() {
    if (killing || treeGone) {
      return;
    }
    killing = true;
    cancel(killTimer);
    killingSinceNanos = System.nanoTime();
    checkDelayNanos = FIRST_CHECK_NANOS;
    check();
  }

  /** Looks whether the tree is gone, and if not, looks again at growing intervals. */
  private void check() {
    cancel(checkTimer);
    long begun = System.nanoTime();
    if (killing && !tree().isEmpty()) {
      if (killed.addAll(tree().kill())) {
        checkDelayNanos = FIRST_CHECK_NANOS; // there are new ones: look again without much pause
      }
    }
    if (exitStatus != null && tree().isEmpty()) {
      treeIsGone();
      return;
    }
    if (killing && !reported && System.nanoTime() - killingSinceNanos > GIVE_UP_NANOS) {
      tree().killTracers();
      report();
    }
    long rest = REST * (System.nanoTime() - begun); // a look at a large tree takes long
    checkTimer = loop.after(Math.max(checkDelayNanos, rest), this::check);
    checkDelayNanos = Math.min(checkDelayNanos * 2, (reported ? 1_000 : 100) * MILLISECOND);
  }

  private void onExit(ExitStatus status) {
    endedNanos = System.nanoTime();
    exitStatus = status;
    if (endCause == null
        && KILLED.equals(status.signal())
        && launcher.guardianMayHaveEnded(startedNanos, endedNanos)) {
      endCause = EndCause.LEASE_LOST;
    }
    tree().leaderEnded();
    cancel(timeoutTimer);
    stopMeasuring();
    if (tree().isEmpty()) {
      treeIsGone();
    } else {
      if (!killing && !termSent) {
        // What a command leaves behind is a leak, but it may want to say goodbye.
        terminate(Math.min(LEFTOVER_GRACE_NANOS, spec.killGrace().toNanos()));
      }
      check();
    }
    streams.closeStdin();
  }

  private void treeIsGone() {
    if (treeGone) {
      return;
    }
    treeGone = true;
    cancel(killTimer);
    cancel(checkTimer);
    if (reported) {
      launcher.forget(this);
      settled();
      return;
    }
    if (!streams.areClosed()) {
      // Somebody outside the tree may hold a pipe: one more second for what is on its way.
      Timer late = loop.after(DRAIN_NANOS, this::drained);
      streams.drain();
      if (!streams.areClosed()) {
        return;
      }
      late.cancel();
    }
    report();
  }

  /** Threads of their own may need a moment longer to read what the pipes hold. */
  private void drained() {
    drains++;
    if (streams.areSlow() && !streams.areClosed() && drains < MOST_DRAINS) {
      loop.after(DRAIN_NANOS, this::drained);
    } else {
      report();
    }
  }

  private void onStreamsClosed() {
    if (treeGone) {
      report();
    }
  }

  private void report() {
    if (reported) {
      return;
    }
    reported = true;
    stopMeasuring();
    if (exitStatus == null) {
      endedNanos = System.nanoTime();
    }
    CommandResult result = result();
    boolean gone = treeGone;
    if (gone) {
      launcher.forget(this);
      settled();
    }
    Runnable ended = startWait.isAnswered() ? () -> {} : () -> listener.onEnd(result);
    launcher.afterwards(this, gone, ended, this::settled);
    streams.close();
  }

  /** Its slot is free once nothing is left of it. From any thread. */
  private void settled() {
    if (unsettled.decrementAndGet() == 0) {
      listener.onGone();
    }
  }

  private CommandResult result() {
    ExitStatus status = exitStatus;
    String detail =
        treeGone
            ? LimitReached.detail(endCause, excess, status, tree(), spec.confinement().limits())
            : tree().members().size() + " processes could not be ended; this slot waits for them";
    return new CommandResult(
        endCause == null ? EndCause.ITSELF : endCause,
        status == null ? null : status.exitCode(),
        status == null ? null : status.signal(),
        detail,
        new CommandResult.Usage(
            Duration.ofNanos(endedNanos - startedNanos),
            tree().orphansCpuUser().plus(status == null ? Duration.ZERO : status.cpuUser()),
            tree().orphansCpuSystem().plus(status == null ? Duration.ZERO : status.cpuSystem()),
            measures == null ? null : measures.peak(status)),
        SignalSent.list(terminated.size(), killed.size()),
        treeGone,
        streams.takeStdout(),
        streams.takeStderr());
  }

  private ProcessTree tree() {
    if (tree == null) {
      throw new IllegalStateException("Not started");
    }
    return tree;
  }

  private static void cancel(@Nullable Timer timer) {
    if (timer != null) {
      timer.cancel();
    }
  }
}
