package io.errand.exec;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Threads for system calls on files and directories of commands (ADR 30). A command can make such a
 * call sleep for as long as it runs, and nothing can interrupt it then. So a few of these threads
 * work at a time, and one whose task has taken half a second and that sleeps does not count any
 * more: another takes its place. It goes on with its task when the call returns, and then is spare.
 *
 * <p>So there are never more threads than those that work and one for each task that sleeps.
 * Whoever adds tasks bounds these. A thread does not end before all of them are closed, because a
 * sandbox ends with the thread that started it. Safe from any thread.
 */
final class ReplacingThreads implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(ReplacingThreads.class);
  private static final long LOOK_MILLIS = 100;
  private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /** After one that slept, others are likely: they get less patience for a while. */
  private static final long SHORT_PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private static final long SUSPICION_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** What is to be done. */
  interface Task {
    void run();

    /**
     * It sleeps, and its thread has been replaced. Called at most once, by another thread, also
     * when the task has just come to its end.
     *
     * @param thread the number of the thread that it runs on
     * @param sinceNanos when it began, by the monotonic clock
     */
    default void sleeps(int thread, long sinceNanos) {}
  }

  private final int most;
  private final ThreadFactory factory;
  private final Thread watch = new Thread(this::watch, "errand-sleep-watch");
  private final Deque<Task> waiting = new ArrayDeque<>(); // this and what follows: guarded by this
  private final List<Worker> working = new ArrayList<>();
  private int busy; // of those, without those that sleep
  private int spare;
  private long sleptNanos = System.nanoTime() - SUSPICION_NANOS;
  private boolean closed;

  /** A thread at a task. */
  private static final class Worker {
    private final Task task;
    private final int thread;
    private final long sinceNanos = System.nanoTime();
    private boolean replaced;

    private Worker(Task task, int thread) {
      this.task = task;
      this.thread = thread;
    }
  }

  /** A task that sleeps, and where. */
  private record Asleep(Task task, int thread, long sinceNanos) {}

  /**
   * Threads that do not run yet.
   *
   * @param most how many work at a time
   * @param factory makes them
   */
  ReplacingThreads(int most, ThreadFactory factory) {
    this.most = most;
    this.factory = factory;
    watch.setDaemon(true);
  }

  /** The same for daemon threads of this name. */
  static ReplacingThreads named(int most, String name) {
    ReplacingThreads threads =
        new ReplacingThreads(
            most,
            body -> {
              Thread thread = new Thread(body, name);
              thread.setDaemon(true);
              return thread;
            });
    threads.start();
    return threads;
  }

  /** Starts all that work at a time: later there may be no thread to be had. */
  synchronized void start() {
    for (int i = 0; i < most; i++) {
      addThread();
    }
    watch.start();
  }

  private void addThread() {
    spare++;
    factory.newThread(this::work).start();
  }

  /** Has a task done, after those that were added before it; dropped once closed. */
  synchronized void execute(Task task) {
    if (!closed) {
      waiting.addLast(task);
      notify();
    }
  }

  private void work() {
    int thread = (int) LibC.syscall(LibC.SYS_GETTID, 0, 0);
    Worker worker = next(thread);
    while (worker != null) {
      try {
        worker.task.run();
      } catch (RuntimeException | Error e) {
        LOG.error("A thread goes on after a fault of its own", e);
      }
      done(worker);
      worker = next(thread);
    }
  }

  private synchronized @Nullable Worker next(int thread) {
    try {
      while (waiting.isEmpty() || busy >= most) {
        if (closed && waiting.isEmpty()) {
          return null;
        }
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
    Worker worker = new Worker(waiting.removeFirst(), thread);
    working.add(worker);
    busy++;
    spare--;
    return worker;
  }

  private synchronized void done(Worker worker) {
    working.remove(worker);
    busy -= worker.replaced ? 0 : 1;
    spare++;
    notifyAll(); // whoever waits for the last of them too
  }

  private void watch() {
    try {
      while (!isDone()) {
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        for (Asleep one : replaceSleeping()) {
          guardedSleeps(one);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // they are closed
    }
  }

  private synchronized boolean isDone() {
    return closed && waiting.isEmpty() && working.isEmpty();
  }

  private static void guardedSleeps(Asleep one) {
    try {
      one.task.sleeps(one.thread, one.sinceNanos);
    } catch (RuntimeException | Error e) {
      LOG.error("The watch of sleeping threads goes on after a fault of its own", e);
    }
  }

  private synchronized List<Asleep> replaceSleeping() {
    List<Asleep> asleep = new ArrayList<>(0);
    long patience =
        System.nanoTime() - sleptNanos < SUSPICION_NANOS ? SHORT_PATIENCE_NANOS : PATIENCE_NANOS;
    for (Worker worker : working) {
      if (!worker.replaced
          && System.nanoTime() - worker.sinceNanos > patience
          && ProcFs.isAsleep(worker.thread)) {
        if (spare == 0) {
          try {
            addThread();
          } catch (OutOfMemoryError e) {
            spare--;
            LOG.errorf("No thread is to be had in place of one that sleeps: %s", e.getMessage());
            return asleep; // the next look tries again
          }
        }
        worker.replaced = true;
        busy--;
        sleptNanos = System.nanoTime();
        asleep.add(new Asleep(worker.task, worker.thread, worker.sinceNanos));
        notifyAll();
      }
    }
    return asleep;
  }

  /** Takes no more tasks; what was added before is done. */
  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Waits until nothing is left to do but what sleeps; returns whether that is so in time. */
  synchronized boolean awaitIdle(long nanos) throws InterruptedException {
    long end = System.nanoTime() + nanos;
    while (busy > 0 || !waiting.isEmpty()) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        return false;
      }
      wait(Math.min(left, LOOK_MILLIS));
    }
    return true;
  }
}
