package io.errand.exec;

import java.util.concurrent.TimeUnit;

/**
 * Bounds what looks at the memory of commands cost. One that takes {@value #CHEAP_MILLIS} ms is
 * paid for with a pause nine times as long, in which no other such look begins: together they take
 * a tenth of a core at most. For one thread.
 */
final class SampleTurns {
  private static final int CHEAP_MILLIS = 2;
  private static final long CHEAP_NANOS = TimeUnit.MILLISECONDS.toNanos(CHEAP_MILLIS);
  private static final int REST = 9;

  private long freeNanos = System.nanoTime();

  /**
   * When whoever has looked may look again, by the monotonic clock.
   *
   * @param begunNanos when its look began
   * @param endedNanos when it ended
   */
  long after(long begunNanos, long endedNanos) {
    long took = endedNanos - begunNanos;
    if (took < CHEAP_NANOS) {
      return endedNanos;
    }
    if (freeNanos - endedNanos < 0) {
      freeNanos = endedNanos;
    }
    freeNanos += took * REST;
    return freeNanos;
  }
}
