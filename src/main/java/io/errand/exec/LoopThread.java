package io.errand.exec;

import org.jspecify.annotations.Nullable;

/** A thread of an event loop, with the memory that it reads into and writes from. */
final class LoopThread extends Thread {
  private final IoBuffer io;
  private long runDelayNanos; // the thread's own

  /** The only pipe that it serves, once it does not run the loop. Guarded by the loop's lock. */
  @Nullable CommandPipe own;

  LoopThread(Runnable body, String name, int bufferSize) {
    super(body, name);
    io = IoBuffer.allocate(bufferSize);
    setDaemon(true);
  }

  /** The memory of the calling thread, which is one of these. */
  static IoBuffer buffer() {
    if (Thread.currentThread() instanceof LoopThread thread) {
      return thread.io;
    }
    throw new IllegalStateException("Not a thread of an event loop");
  }

  /** Whether the calling thread serves nothing but this pipe. */
  static boolean serves(CommandPipe pipe) {
    return Thread.currentThread() instanceof LoopThread thread && thread.own == pipe;
  }

  /**
   * How much of a call that has just returned the calling thread has slept: it may have waited for
   * a processor too. Short by what it has waited for one since this was last asked.
   */
  static long sleptNanos(long tookNanos) {
    if (!(Thread.currentThread() instanceof LoopThread thread)) {
      return 0;
    }
    long before = thread.runDelayNanos;
    thread.runDelayNanos = ProcFs.ownRunDelayNanos();
    return tookNanos - (thread.runDelayNanos - before);
  }
}
