package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.errand.exec.EventLoop.Timer;
import io.errand.exec.EventLoop.Watch;
import io.errand.exec.Spawner.Spawned;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A command from its start to the last of its processes. All of it belongs to the event loop's
 * thread, except {@link #end}, which asks the loop.
 *
 * <p>It has ended when three things are true: its first process was reaped, nothing of its tree
 * runs, and both pipes are at end-of-file or were emptied. The tree comes before the pipes, because
 * a grandchild that lives on may hold them open for ever.
 */
final class LinuxCommand implements RunningCommand {
  private static final int READ_SIZE = 1 << 16;
  private static final int READS_PER_EVENT = 16;
  private static final long LEFTOVER_GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long GIVE_UP_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final LinuxLauncher launcher;
  private final EventLoop loop;
  private final CommandSpec spec;
  private final CommandListener listener;
  private final OutputBuffer stdout;
  private final OutputBuffer stderr;

  private @Nullable Path temporaryDirectory;
  private @Nullable ProcessTree tree;
  private int pid;
  private long startedNanos;
  private long endedNanos;
  private boolean reaped;
  private int status;
  private long cpuUserMicros;
  private long cpuSystemMicros;
  private long maxResidentBytes;
  private long sampledBytes;
  private boolean reported;
  private boolean treeGone;

  private @Nullable Watch stdoutWatch;
  private @Nullable Watch stderrWatch;
  private @Nullable Watch stdinWatch;
  private @Nullable Watch exitWatch;
  private int stdinWritten;
  private @Nullable Timer timeoutTimer;
  private @Nullable Timer killTimer;
  private @Nullable Timer sampleTimer;
  private @Nullable Timer checkTimer;

  private @Nullable EndCause endCause;
  private Duration endGrace = Duration.ZERO;
  private boolean termSent;
  private boolean killing;
  private long checkDelayNanos = TimeUnit.MILLISECONDS.toNanos(2);
  private long killingSinceNanos;

  LinuxCommand(LinuxLauncher launcher, CommandSpec spec, CommandListener listener) {
    this.launcher = launcher;
    this.loop = launcher.loop();
    this.spec = spec;
    this.listener = listener;
    this.stdout = new OutputBuffer(spec.stdoutLimit());
    this.stderr = new OutputBuffer(spec.stderrLimit());
  }

  CommandSpec spec() {
    return spec;
  }

  /** Of its first process; 0 before it was started. */
  int pid() {
    return pid;
  }

  @Override
  public void end(EndCause cause, Duration grace) {
    loop.execute(() -> beginEnd(cause, grace));
  }

  /** The spawner says that there is no process. */
  void refused(Spawned.Refused refused) {
    reported = true;
    treeGone = true;
    launcher.forget(this);
    listener.onEnd(CommandResult.notStarted(refused.cause(), refused.detail()));
    listener.onGone();
  }

  /** The spawner says that it runs. */
  void started(Spawned.Started started, @Nullable Path temporary) {
    temporaryDirectory = temporary;
    pid = started.pid();
    startedNanos = started.startedNanos();
    tree = new ProcessTree(pid, spec.cookie());
    int out = started.stdout();
    int err = started.stderr();
    stdoutWatch = loop.watch(out, LibC.EPOLLIN, () -> stdoutWatch = pump(out, stdout, stdoutWatch));
    stderrWatch = loop.watch(err, LibC.EPOLLIN, () -> stderrWatch = pump(err, stderr, stderrWatch));
    exitWatch = loop.watch(started.pidDescriptor(), LibC.EPOLLIN, this::onExit);
    if (started.stdin() >= 0) {
      stdinWatch = loop.watch(started.stdin(), LibC.EPOLLOUT, () -> feed(started.stdin()));
    }
    timeoutTimer =
        loop.after(spec.timeout().toNanos(), () -> beginEnd(EndCause.TIMEOUT, spec.killGrace()));
    scheduleSample(TimeUnit.MILLISECONDS.toNanos(10));
    if (endCause != null) {
      carryOutEnd();
    }
  }

  private void beginEnd(EndCause cause, Duration grace) {
    if (reported) {
      return;
    }
    boolean first = endCause == null;
    if (first && !reaped) {
      endCause = cause;
    }
    if (first || grace.compareTo(endGrace) < 0) {
      endGrace = grace;
      if (tree != null && !killing) {
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
      tree().signal(LibC.SIGTERM);
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
    checkDelayNanos = TimeUnit.MILLISECONDS.toNanos(2);
    check();
  }

  /** Looks whether the tree is gone, and if not, looks again at growing intervals. */
  private void check() {
    cancel(checkTimer);
    if (killing && !tree().isEmpty()) {
      tree().signal(LibC.SIGKILL);
    }
    if (reaped && tree().isEmpty()) {
      treeIsGone();
      return;
    }
    if (killing && !reported && System.nanoTime() - killingSinceNanos > GIVE_UP_NANOS) {
      report();
    }
    long longest = TimeUnit.MILLISECONDS.toNanos(killing && reported ? 1_000 : 100);
    checkTimer = loop.after(checkDelayNanos, this::check);
    checkDelayNanos = Math.min(checkDelayNanos * 2, longest);
  }

  private void onExit() {
    try (Memory result = new Memory(8);
        Memory usage = new Memory(256)) {
      int got = LibC.wait4(pid, result, LibC.WNOHANG, usage);
      if (got == 0) {
        return;
      }
      endedNanos = System.nanoTime();
      if (got == pid) {
        status = result.getInt(0);
        cpuUserMicros = usage.getLong(0) * 1_000_000 + usage.getLong(8);
        cpuSystemMicros = usage.getLong(16) * 1_000_000 + usage.getLong(24);
        maxResidentBytes = usage.getLong(32) * 1024;
      }
    }
    reaped = true;
    tree().leaderReaped();
    exitWatch = closed(exitWatch);
    stdinWatch = closed(stdinWatch);
    cancel(timeoutTimer);
    cancel(sampleTimer);
    if (tree().isEmpty()) {
      treeIsGone();
    } else {
      if (!killing && !termSent) {
        // What a command leaves behind is a leak, but it may want to say goodbye.
        terminate(Math.min(LEFTOVER_GRACE_NANOS, spec.killGrace().toNanos()));
      }
      check();
    }
  }

  private void treeIsGone() {
    treeGone = true;
    cancel(killTimer);
    cancel(checkTimer);
    if (reported) {
      launcher.forget(this);
      listener.onGone();
      return;
    }
    drain();
    if (stdoutWatch != null || stderrWatch != null) {
      // Somebody outside the tree holds a pipe: one more second for what is on its way.
      loop.after(DRAIN_NANOS, this::report);
    } else {
      report();
    }
  }

  /** Nothing of the tree writes any more, so what the pipes hold now is all. */
  private void drain() {
    while (stdoutWatch != null && readOnce(stdoutWatch.descriptor(), stdout) > 0) {}
    while (stderrWatch != null && readOnce(stderrWatch.descriptor(), stderr) > 0) {}
  }

  private void report() {
    if (reported) {
      return;
    }
    reported = true;
    stdoutWatch = closed(stdoutWatch);
    stderrWatch = closed(stderrWatch);
    stdinWatch = closed(stdinWatch);
    cancel(sampleTimer);
    if (!reaped) {
      endedNanos = System.nanoTime();
    }
    CommandResult result = result();
    boolean gone = treeGone;
    if (gone) {
      launcher.forget(this);
    }
    launcher.afterwards(
        temporaryDirectory,
        () -> {
          listener.onEnd(result);
          if (gone) {
            listener.onGone();
          }
        });
  }

  private CommandResult result() {
    boolean signalled = reaped && (status & 0x7f) != 0;
    String detail =
        treeGone
            ? null
            : tree().members().size() + " processes could not be ended; this slot waits for them";
    return new CommandResult(
        endCause == null ? EndCause.ITSELF : endCause,
        reaped && !signalled ? (status >> 8) & 0xff : null,
        signalled ? Signals.name(status & 0x7f) : null,
        detail,
        new CommandResult.Usage(
            Duration.ofNanos(endedNanos - startedNanos),
            Duration.ofNanos(cpuUserMicros * 1_000),
            Duration.ofNanos(cpuSystemMicros * 1_000),
            memoryPeak()),
        stdout.captured(),
        stderr.captured());
  }

  /**
   * A spawned process begins with the peak of its spawner, which is ours, so what {@code wait4}
   * says is about the command only where it exceeds that; below, what was sampled while it ran.
   */
  private @Nullable Long memoryPeak() {
    if (maxResidentBytes > launcher.ownPeakBytes()) {
      return Math.max(maxResidentBytes, sampledBytes);
    }
    return sampledBytes > 0 ? sampledBytes : null;
  }

  private void scheduleSample(long delayNanos) {
    sampleTimer =
        loop.after(
            delayNanos,
            () -> {
              sampledBytes = Math.max(sampledBytes, tree().memoryBytes());
              long age = System.nanoTime() - startedNanos;
              scheduleSample(
                  Math.max(TimeUnit.MILLISECONDS.toNanos(10), Math.min(age / 5, 1_000_000_000L)));
            });
  }

  /** Reads what is there, up to a bound, so that one loud command does not starve the others. */
  private @Nullable Watch pump(int descriptor, OutputBuffer buffer, @Nullable Watch watch) {
    for (int i = 0; i < READS_PER_EVENT; i++) {
      long count = readOnce(descriptor, buffer);
      if (count == 0) {
        return closed(watch);
      }
      if (count < READ_SIZE) {
        return watch;
      }
    }
    return watch;
  }

  /** The number of bytes read, 0 at end-of-file, negative where there is nothing now. */
  private long readOnce(int descriptor, OutputBuffer buffer) {
    Pointer target = launcher.readBuffer();
    long count = LibC.read(descriptor, target, READ_SIZE);
    if (count > 0) {
      ByteBuffer bytes = launcher.readBytes();
      bytes.clear().limit((int) count);
      buffer.append(bytes);
    } else if (count < 0 && !isPassing(Native.getLastError())) {
      return 0;
    }
    return count;
  }

  private void feed(int descriptor) {
    byte[] bytes = spec.stdin();
    while (stdinWritten < bytes.length) {
      int length = Math.min(READ_SIZE, bytes.length - stdinWritten);
      launcher.readBuffer().write(0, bytes, stdinWritten, length);
      long count = LibC.write(descriptor, launcher.readBuffer(), length);
      if (count < 0) {
        if (isPassing(Native.getLastError())) {
          return;
        }
        break; // nobody reads any more
      }
      stdinWritten += (int) count;
    }
    stdinWatch = closed(stdinWatch);
  }

  private static boolean isPassing(int error) {
    return error == LibC.EAGAIN || error == LibC.EINTR;
  }

  private ProcessTree tree() {
    if (tree == null) {
      throw new IllegalStateException("Not started");
    }
    return tree;
  }

  private static @Nullable Watch closed(@Nullable Watch watch) {
    if (watch != null) {
      watch.close();
    }
    return null;
  }

  private static void cancel(@Nullable Timer timer) {
    if (timer != null) {
      timer.cancel();
    }
  }
}
