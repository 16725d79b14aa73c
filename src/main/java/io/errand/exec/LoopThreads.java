package io.errand.exec;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The threads of an {@link EventLoop} (ADR 23). One of them runs the loop. It has the loop's lock
 * all the time, except while it waits for events and during system calls on the pipes of commands,
 * because a command can make such a call sleep.
 *
 * <p>A second thread stands by. It looks at how long such a call has taken. After half a second it
 * runs the loop itself, and a new thread stands by. The thread whose call has slept takes the lock
 * when the call returns and finishes what it was doing. From then on it serves that one pipe, until
 * the pipe is closed.
 */
final class LoopThreads {
  private static final Logger LOG = Logger.getLogger(LoopThreads.class);
  private static final int BUFFER_SIZE = 1 << 18;
  private static final long LOOK_MILLIS = 100;
  private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /** After a call that slept, others are likely: they get less patience for a while. */
  private static final long SHORT_PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private static final long SUSPICION_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final EventLoop loop;
  private final Runnable work;
  private final ReentrantLock lock = new ReentrantLock();
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile @Nullable LoopThread standby;
  private volatile boolean closed;
  private @Nullable LoopThread runner; // this and what follows is guarded by the lock
  private @Nullable CommandPipe called; // what the runner makes a call on now
  private long calls;
  private long sleptNanos = System.nanoTime() - SUSPICION_NANOS;

  /**
   * Threads that do not run yet.
   *
   * @param work runs the loop, with its lock, until {@link #isRunner} is false or it is closed
   */
  LoopThreads(EventLoop loop, Runnable work) {
    this.loop = loop;
    this.work = work;
  }

  void start() {
    LoopThread first = new LoopThread(this::runFirst, "errand-exec-loop", BUFFER_SIZE);
    runner = first;
    first.start();
    startStandby();
  }

  void lock() {
    lock.lock();
  }

  void unlock() {
    lock.unlock();
  }

  /** Whether the calling thread, which has the lock, is the one that runs the loop. */
  boolean isRunner() {
    return Thread.currentThread() == runner;
  }

  /** The calling thread gives up the lock for a call on a pipe that can sleep. */
  void enter(CommandPipe pipe) {
    if (isRunner()) {
      called = pipe;
      calls++;
    }
    lock.unlock();
  }

  /** That call has returned. The thread has the lock again, but may not run the loop any more. */
  void leave() {
    lock.lock();
    if (isRunner()) {
      called = null;
    }
  }

  /** Starts a thread that serves one pipe, soon if there is none to be had now. */
  void serve(CommandPipe pipe) {
    try {
      LoopThread thread = new LoopThread(() -> attend(pipe), "errand-exec-pipe", BUFFER_SIZE);
      thread.own = pipe;
      thread.start();
    } catch (OutOfMemoryError e) {
      LOG.errorf("No thread is to be had for a pipe, trying again: %s", e.getMessage());
      loop.after(RETRY_NANOS, () -> serve(pipe));
    }
  }

  private void attend(CommandPipe pipe) {
    lock.lock();
    try {
      pipe.attend();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the end of the thread that runs the loop, for five seconds at most. */
  void close() {
    try {
      if (!ended.await(5, TimeUnit.SECONDS)) {
        LOG.warn("The event loop has not come to its end within 5 seconds");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    closed = true;
    Thread second = standby;
    if (second != null) {
      second.interrupt();
    }
  }

  private void startStandby() {
    try {
      LoopThread thread = new LoopThread(this::standBy, "errand-exec-standby", BUFFER_SIZE);
      standby = thread;
      thread.start();
    } catch (OutOfMemoryError e) {
      LOG.errorf("No thread is to be had to stand by, trying again: %s", e.getMessage());
      loop.after(RETRY_NANOS, this::startStandby);
    }
  }

  private void runFirst() {
    lock.lock();
    try {
      run();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    work.run();
    CommandPipe own = LoopThread.class.cast(Thread.currentThread()).own;
    if (own == null) {
      ended.countDown();
    } else {
      own.attend();
    }
  }

  /** Looks at the runner's calls until one sleeps or the loop is closed. */
  private void standBy() {
    long seen = -1;
    long seenNanos = 0;
    try {
      while (!closed) {
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        if (!lock.tryLock(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
          continue; // it works
        }
        try {
          long now = System.nanoTime();
          if (called == null || calls != seen) {
            seen = called == null ? -1 : calls;
            seenNanos = now;
          } else if (now - seenNanos >= patienceNanos(now)) {
            takeOver(called);
            return;
          }
        } finally {
          lock.unlock();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the loop is closed
    }
  }

  private long patienceNanos(long now) {
    return now - sleptNanos < SUSPICION_NANOS ? SHORT_PATIENCE_NANOS : PATIENCE_NANOS;
  }

  private void takeOver(CommandPipe pipe) {
    LoopThread sleeping = runner;
    LoopThread self = LoopThread.class.cast(Thread.currentThread());
    if (sleeping == null) {
      return;
    }
    sleptNanos = System.nanoTime();
    sleeping.own = pipe;
    sleeping.setName("errand-exec-pipe");
    self.setName("errand-exec-loop");
    runner = self;
    called = null;
    standby = null;
    startStandby();
    pipe.slept();
    run();
  }
}
