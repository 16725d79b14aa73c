package io.errand.queue.catalogue;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * Runs tasks on threads with a stack that is large enough for the largest program. Every wait for
 * them is bounded: few callers may wait at once, each for a time of its own, and a task that does
 * not end is given up. Its thread cannot be stopped, so another takes its place, but only for so
 * many: with more of them every call is refused, until one of them ends. Safe from any thread.
 */
final class PatternThreads {
  private static final Logger LOG = Logger.getLogger(PatternThreads.class);
  private static final int STACK_BYTES = 16 << 20;

  /** How often within the limit those who wait look for tasks that are over it. */
  private static final int LOOKS = 5;

  private static final int MOST_IDLE_SECONDS = 1;

  private final int mostWaiting;
  private final int mostGivenUp;
  private final Duration limit;
  private final Semaphore places;
  private final AtomicInteger callers = new AtomicInteger();
  private final Set<Task<?>> running = ConcurrentHashMap.newKeySet();
  private final ThreadPoolExecutor executor;
  private int givenUp; // guarded by this

  /**
   * Threads that are started when they are needed.
   *
   * @param threads how many tasks run at once
   * @param mostWaiting how many callers may wait, those of tasks that run among them
   * @param mostGivenUp how many threads are replaced
   * @param limit how long a task may run
   */
  PatternThreads(int threads, int mostWaiting, int mostGivenUp, Duration limit) {
    this.mostWaiting = mostWaiting;
    this.mostGivenUp = mostGivenUp;
    this.limit = limit;
    places = new Semaphore(threads, true);
    executor =
        new ThreadPoolExecutor(
            0,
            2 * threads + mostGivenUp,
            30,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            task -> {
              Thread thread = new Thread(null, task, "errand-patterns", STACK_BYTES);
              thread.setDaemon(true);
              return thread;
            },
            PatternThreads::waitForIdle);
  }

  /** A thread has ended the task whose place is free, and is about to be idle. */
  private static void waitForIdle(Runnable task, ThreadPoolExecutor executor) {
    try {
      if (executor.getQueue().offer(task, MOST_IDLE_SECONDS, TimeUnit.SECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new RejectedExecutionException("No thread for a pattern");
  }

  /** A task that has a place. */
  private final class Task<T> implements Runnable {
    private final Callable<T> work;
    private final CompletableFuture<T> result = new CompletableFuture<>();
    private final long startNanos = System.nanoTime();
    private boolean hasPlace = true; // guarded by the threads
    private boolean isGivenUp; // guarded by the threads

    Task(Callable<T> work) {
      this.work = work;
    }

    @Override
    public void run() {
      try {
        result.complete(work.call());
      } catch (Throwable e) {
        result.completeExceptionally(e);
      } finally {
        ended(this);
      }
    }
  }

  /**
   * Runs a task and waits for it.
   *
   * @param patience how long the caller waits at most
   * @throws PatternsBusyException if there is no thread for it, or it takes longer than that; also
   *     if the caller is interrupted, and stays so
   * @throws PatternTimeoutException if it takes longer than any task may
   * @throws RuntimeException that of the task
   */
  <T> T run(Callable<T> work, Duration patience) {
    long endNanos = System.nanoTime() + patience.toNanos();
    if (callers.incrementAndGet() > mostWaiting) {
      callers.decrementAndGet();
      throw new PatternsBusyException();
    }
    try {
      acquire(endNanos);
      return await(start(work), endNanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PatternsBusyException();
    } finally {
      callers.decrementAndGet();
    }
  }

  /** How many wait now. */
  int callers() {
    return callers.get();
  }

  private void acquire(long endNanos) throws InterruptedException {
    while (!places.tryAcquire(lookNanos(endNanos), TimeUnit.NANOSECONDS)) {
      giveUpWhatIsLate();
      if (System.nanoTime() - endNanos >= 0) {
        throw new PatternsBusyException();
      }
    }
  }

  private long lookNanos(long endNanos) {
    long left = Math.max(0, endNanos - System.nanoTime());
    return Math.min(left, limit.toNanos() / LOOKS);
  }

  private <T> Task<T> start(Callable<T> work) {
    Task<T> task = new Task<>(work);
    running.add(task);
    try {
      executor.execute(task);
      return task;
    } catch (RejectedExecutionException | OutOfMemoryError e) { // no thread is to be had
      ended(task);
      throw new PatternsBusyException();
    }
  }

  private <T> T await(Task<T> task, long endNanos) throws InterruptedException {
    while (true) {
      try {
        return task.result.get(lookNanos(endNanos), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        giveUpWhatIsLate();
        if (System.nanoTime() - endNanos >= 0 && !task.result.isDone()) {
          throw new PatternsBusyException();
        }
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException fault) {
          throw fault;
        }
        throw new IllegalStateException("A pattern failed", e.getCause());
      }
    }
  }

  private void giveUpWhatIsLate() {
    for (Task<?> task : running) {
      if (System.nanoTime() - task.startNanos >= limit.toNanos()) {
        giveUp(task);
      }
    }
  }

  private synchronized void giveUp(Task<?> task) {
    if (!running.remove(task)) {
      return;
    }
    givenUp++;
    task.isGivenUp = true;
    if (givenUp <= mostGivenUp) {
      task.hasPlace = false;
      places.release();
    }
    LOG.errorf(
        "A pattern has not been compiled or matched in %d s; its thread is given up, which %d are"
            + " now, and %d may be replaced",
        limit.toSeconds(), givenUp, mostGivenUp);
    task.result.completeExceptionally(new PatternTimeoutException());
  }

  private synchronized void ended(Task<?> task) {
    running.remove(task);
    if (task.isGivenUp) {
      givenUp--;
    }
    if (task.hasPlace) {
      task.hasPlace = false;
      places.release();
    }
  }
}
