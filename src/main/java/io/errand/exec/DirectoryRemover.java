package io.errand.exec;

import io.errand.exec.TreeRemoval.Result;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Removes directory trees on a thread of its own. Each gets a turn of five seconds at most, then
 * the next, so that a very large one does not keep the others waiting. What cannot be removed is
 * left and told once. Safe from any thread.
 */
final class DirectoryRemover implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(DirectoryRemover.class);
  private static final long TURN_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int MOST_WAITING = 256;

  private final Deque<Tree> waiting = new ArrayDeque<>(); // at most that, and one for each slot
  private final Thread thread = new Thread(this::run, "errand-remove");
  private final long turnNanos;
  private volatile boolean closed;

  private record Tree(Path path, Runnable taken) {}

  DirectoryRemover() {
    this(TURN_NANOS);
  }

  /** With another length of a turn. */
  DirectoryRemover(long turnNanos) {
    this.turnNanos = turnNanos;
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Has a tree removed.
   *
   * @param taken runs at once, or, where too many wait, when this tree has been removed
   */
  void add(Path path, Runnable taken) {
    boolean room;
    synchronized (waiting) {
      room = waiting.size() < MOST_WAITING || closed;
      waiting.addLast(new Tree(path, room ? () -> {} : taken));
      waiting.notifyAll();
    }
    if (room) {
      taken.run();
    }
  }

  private void run() {
    try {
      while (!closed) {
        turn(next());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Tree next() throws InterruptedException {
    synchronized (waiting) {
      while (waiting.isEmpty()) {
        waiting.wait();
      }
      return waiting.removeFirst();
    }
  }

  private void turn(Tree tree) {
    try {
      long end = System.nanoTime() + turnNanos;
      Result result = TreeRemoval.remove(tree.path(), () -> !closed && System.nanoTime() - end < 0);
      if (result == Result.UNFINISHED) {
        synchronized (waiting) {
          waiting.addLast(tree);
        }
        return;
      }
      if (result == Result.STUCK) {
        LOG.warnf(
            "A part of the temporary directory %s cannot be removed, an immutable file or a mount:"
                + " it stays until somebody removes it",
            tree.path());
      }
    } catch (RuntimeException | Error e) {
      LOG.error("A temporary directory stays", e);
    }
    tree.taken().run();
  }

  /** Stops at the next name. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
