package io.errand.exec;

import io.errand.exec.TreeRemoval.Result;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * Removes directory trees on a thread of its own. Each gets a turn of five seconds at most, then
 * the next, so that a very large one does not keep the others waiting. Nor does one that a command
 * keeps locked: the thread that sleeps is replaced. What cannot be removed is left and told once.
 * Safe from any thread.
 */
final class DirectoryRemover implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(DirectoryRemover.class);
  private static final long TURN_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int MOST_WAITING = 256;
  private static final int MOST_ASLEEP = 64; // of what an earlier server left

  private final ReplacingThreads threads = ReplacingThreads.named(1, "errand-remove");
  private final AtomicInteger waiting = new AtomicInteger(); // those that sleep too
  private final Queue<Path> earlier = new ConcurrentLinkedQueue<>();
  private final AtomicInteger asleep = new AtomicInteger();
  private final long turnNanos;
  private volatile boolean closed;

  DirectoryRemover() {
    this(TURN_NANOS);
  }

  /** With another length of a turn. */
  DirectoryRemover(long turnNanos) {
    this.turnNanos = turnNanos;
  }

  /**
   * Has a tree removed.
   *
   * @param taken runs at once, or, where too many wait or sleep, when this tree has been removed
   */
  void add(Path path, Runnable taken) {
    boolean room = waiting.getAndIncrement() < MOST_WAITING || closed;
    threads.execute(() -> turn(path, room ? () -> {} : taken));
    if (room) {
      taken.run();
    }
  }

  private void turn(Path path, Runnable taken) {
    if (removed(path)) {
      waiting.decrementAndGet();
      taken.run();
    } else {
      threads.execute(() -> turn(path, taken));
    }
  }

  /** Has trees removed that nobody waits for, between those that somebody waits for. */
  void addEarlier(Collection<Path> paths) {
    earlier.addAll(paths);
    threads.execute(new Earlier());
  }

  private final class Earlier implements ReplacingThreads.Task {
    @Override
    public void run() {
      Path path = earlier.poll();
      if (path != null) {
        if (!removed(path)) {
          earlier.add(path);
        }
        threads.execute(new Earlier());
      }
    }

    @Override
    public void sleeps(int thread, long sinceNanos) {
      if (asleep.incrementAndGet() < MOST_ASLEEP) {
        threads.execute(new Earlier());
      }
    }
  }

  /** One turn; false if there is more to remove. */
  private boolean removed(Path path) {
    try {
      long end = System.nanoTime() + turnNanos;
      Result result = TreeRemoval.remove(path, () -> !closed && System.nanoTime() - end < 0);
      if (result == Result.STUCK) {
        LOG.warnf(
            "A part of the temporary directory %s cannot be removed, an immutable file or a mount:"
                + " it stays until somebody removes it",
            path);
      }
      return result != Result.UNFINISHED || closed;
    } catch (RuntimeException | Error e) {
      LOG.error("A temporary directory stays", e);
      return true;
    }
  }

  /**
   * Closes this and removes what is left, for five seconds at most.
   *
   * @param root holds all of it
   */
  void removeLast(Path root) {
    closed = true;
    long end = System.nanoTime() + TURN_NANOS;
    threads.execute(() -> TreeRemoval.remove(root, () -> System.nanoTime() - end < 0));
    close();
  }

  /** Stops at the next name. */
  @Override
  public void close() {
    closed = true;
    threads.close();
    try {
      if (!threads.awaitIdle(TURN_NANOS)) {
        LOG.warn("The removal of temporary directories has not come to its end within 5 seconds");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
