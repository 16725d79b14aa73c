package io.errand.exec;

import com.sun.jna.Memory;
import io.errand.exec.EventLoop.Watch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Notices the end of a command's first process. Guarded by the lock of the event loop.
 *
 * <p>The kernel shows the end of a process that is traced to its tracer only, until the tracer has
 * waited for it, detaches or ends ({@code ptrace(2)}). The descriptor of the process is readable
 * all that time, so it is not watched any longer; instead the process is looked at, at growing
 * intervals, and after a tenth of a second its status is taken from {@code /proc}.
 */
final class ExitWatch {
  private static final long FIRST_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
  private static final long LONGEST_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final EventLoop loop;
  private final int pid;
  private final Memory scratch;
  private final Consumer<ExitStatus> onExit;
  private final Watch watch;
  private long delayNanos = FIRST_LOOK_NANOS;

  /**
   * Watches from now on.
   *
   * @param pid of a child of this process
   * @param pidDescriptor readable once it has ended; closed here
   * @param scratch at least {@value ExitStatus#SCRATCH_SIZE} bytes
   * @param onExit called once, while the process is a zombie
   */
  ExitWatch(
      EventLoop loop, int pid, int pidDescriptor, Memory scratch, Consumer<ExitStatus> onExit) {
    this.loop = loop;
    this.pid = pid;
    this.scratch = scratch;
    this.onExit = onExit;
    this.watch = loop.watch(pidDescriptor, LibC.EPOLLIN, this::onReadable);
  }

  private void onReadable() {
    watch.close();
    look();
  }

  private void look() {
    ExitStatus status = ExitStatus.peek(pid, scratch);
    if (status == null && delayNanos >= LONGEST_LOOK_NANOS) {
      status = ProcFs.statusOfZombie(pid);
    }
    if (status != null) {
      onExit.accept(status);
      return;
    }
    loop.after(delayNanos, this::look);
    delayNanos = Math.min(delayNanos * 2, LONGEST_LOOK_NANOS);
  }
}
