package io.errand.exec;

import io.errand.exec.EventLoop.Timer;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the tree of a command takes of memory, sampled while it runs. Guarded by the loop's lock.
 */
final class MemorySamples {
  private static final long SHORTEST_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LinuxLauncher launcher;
  private final ProcessTree tree;
  private final long startedNanos;
  private final @Nullable Long limit;
  private final Consumer<String> onExcess;
  private long most;
  private @Nullable Timer timer;

  /**
   * Samples from now on.
   *
   * @param startedNanos when the command started
   * @param limit in bytes, or null
   * @param onExcess hears what was found to be above the limit, once for each sample
   */
  MemorySamples(
      LinuxLauncher launcher,
      ProcessTree tree,
      long startedNanos,
      @Nullable Long limit,
      Consumer<String> onExcess) {
    this.launcher = launcher;
    this.tree = tree;
    this.startedNanos = startedNanos;
    this.limit = limit;
    this.onExcess = onExcess;
    schedule(SHORTEST_NANOS);
  }

  void stop() {
    if (timer != null) {
      timer.cancel();
    }
  }

  /**
   * The peak in bytes, or null where it is not known. A spawned process begins with the peak of its
   * spawner, which is ours, so what {@code wait4} says is about the command only where it exceeds
   * that; below, what was sampled while it ran.
   */
  @Nullable Long peak(@Nullable ExitStatus status) {
    if (status != null && launcher.exceedsOwnPeak(status.maxResidentBytes())) {
      return Math.max(status.maxResidentBytes(), most);
    }
    return most > 0 ? most : null;
  }

  private void schedule(long delayNanos) {
    timer = launcher.loop().after(delayNanos, this::sample);
  }

  private void sample() {
    long now = tree.memoryBytes();
    most = Math.max(most, now);
    if (limit != null) {
      schedule(SHORTEST_NANOS);
      if (now > limit) {
        onExcess.accept(LimitReached.memoryWords(now, limit));
      }
      return;
    }
    long age = System.nanoTime() - startedNanos;
    schedule(Math.max(SHORTEST_NANOS, Math.min(age / 5, LONGEST_NANOS)));
  }
}
