package io.errand.exec;

import com.sun.jna.Native;
import io.errand.exec.EventLoop.Watch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * This server's end of one pipe of a command. Guarded by the lock of the event loop.
 *
 * <p>Whoever holds the lock of a pipe in the kernel makes every other call on it sleep, except
 * those that ask whether it is ready. A command can hold it without end: {@code splice(2)} from a
 * socket waits for data with the lock held. So the loop's lock is given up around every call on the
 * pipe, and {@link LoopThreads} lets another thread run the loop if the call sleeps. The pipe is
 * slow from then on: it is not waited for by the loop any more, and only a thread of its own makes
 * calls on it, closing it among them.
 */
final class CommandPipe {
  private static final long LONG_CALL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final int LOOK_MILLIS = 100;
  private static final int POLL_EVENTS = 4; // struct pollfd: int fd; short events; short revents

  private final EventLoop loop;
  private final Owner owner;
  private final int descriptor;
  private final int interest;
  private final Runnable onReady;
  private @Nullable Watch watch;
  private boolean open = true;
  private boolean released;
  private boolean slow;

  /** Who has all pipes of a command. */
  interface Owner {
    /** A call on one of them sleeps. */
    void onSlept();

    /** A call on one of them has slept, too short for the loop to go on without it. */
    void onLongCall(long nanos);

    /** This pipe's descriptor is closed. */
    void onReleased();
  }

  /**
   * Waits for a pipe and takes it over.
   *
   * @param descriptor does not block
   * @param interest EPOLLIN or EPOLLOUT
   * @param onReady reads or writes
   */
  CommandPipe(EventLoop loop, Owner owner, int descriptor, int interest, Runnable onReady) {
    this.loop = loop;
    this.owner = owner;
    this.descriptor = descriptor;
    this.interest = interest;
    this.onReady = onReady;
    watch = loop.watch(descriptor, interest, onReady);
  }

  /** Whether nobody has asked for its close. It can become false during a call. */
  boolean isOpen() {
    return open;
  }

  /** Whether the calling thread may make calls on it. */
  boolean isCallable() {
    return open && (!slow || LoopThread.serves(this));
  }

  /** Calls {@code read(2)}. Where that fails, returns the number of the error, negative. */
  long read(IoBuffer io) {
    long before = enter();
    try {
      return resultOf(LibC.read(descriptor, io.memory(), io.size()));
    } finally {
      leave(before);
    }
  }

  /** Calls {@code write(2)}. Where that fails, returns the number of the error, negative. */
  long write(IoBuffer io, int length) {
    long before = enter();
    try {
      return resultOf(LibC.write(descriptor, io.memory(), length));
    } finally {
      leave(before);
    }
  }

  /** Asks for another size; where that is refused, so be it. */
  void resize(int size) {
    long before = enter();
    try {
      LibC.fcntl(descriptor, LibC.F_SETPIPE_SZ, size);
    } finally {
      leave(before);
    }
  }

  /** Taken at once, as the next call may have another error. */
  private static long resultOf(long count) {
    return count < 0 ? -Native.getLastError() : count;
  }

  private long enter() {
    loop.enter(this);
    return System.nanoTime();
  }

  private void leave(long before) {
    long took = System.nanoTime() - before;
    loop.leave();
    if (took > LONG_CALL_NANOS && !slow) {
      owner.onLongCall(LoopThread.sleptNanos(took));
    }
  }

  /** Closes it: now, or if it is slow, when its thread comes to it. Twice does no harm. */
  void close() {
    if (!open) {
      return;
    }
    boolean now = isCallable();
    open = false;
    leaveLoop();
    if (now) {
      release();
    }
  }

  private void leaveLoop() {
    if (watch != null) {
      watch.leave();
      watch = null;
    }
  }

  /** The last close of an end takes the pipe's lock too. */
  private void release() {
    released = true;
    long before = enter();
    try {
      LibC.close(descriptor);
    } finally {
      leave(before);
    }
    owner.onReleased();
  }

  /** A call on it sleeps, and the thread that made it is its own from now on. */
  void slept() {
    slow = true;
    leaveLoop();
    owner.onSlept();
  }

  /** Another pipe of the command is slow: this one gets a thread of its own before it is. */
  void slowDown() {
    if (!slow && !released) {
      slow = true;
      leaveLoop();
      loop.serve(this);
    }
  }

  /** Serves it until it is closed, on its own thread, which has the lock. */
  void attend() {
    IoBuffer io = LoopThread.buffer();
    while (open && !loop.isClosed()) {
      io.memory().setInt(0, descriptor);
      io.memory().setInt(POLL_EVENTS, interest); // and none have occurred
      loop.unlock();
      int ready;
      try {
        ready = LibC.poll(io.memory(), 1, LOOK_MILLIS);
      } finally {
        loop.lock();
      }
      if (ready > 0 && open) {
        onReady.run();
      }
    }
    if (!released) {
      release();
    }
  }
}
