package io.errand.worker;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** How the thread of the dispatcher waits. Any thread may wake it. */
final class WakeUps {
  private static final long GATHER_NANOS = 2_000_000;
  private static final long GATHER_NANOS_AHEAD = 8_000_000;
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private final Semaphore semaphore = new Semaphore(0);

  void wake() {
    semaphore.release();
  }

  /** Wake-ups that have come are no reason to go on. */
  void forget() {
    semaphore.drainPermits();
  }

  /**
   * Waits for a wake-up, or for about the given time.
   *
   * @return false if the time is up
   */
  boolean await(Duration time) {
    try {
      return semaphore.tryAcquire(jittered(time), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  /**
   * Gathers more completions under load: where the last statement stored several, this one waits
   * until half of the commands have ended, for two milliseconds at most. While claims wait, the
   * slots have work without this thread; it waits until half of them have started then, for eight
   * milliseconds at most. A completion that comes alone never waits.
   *
   * @param lastBatch how many completions the last statement stored
   * @param lastWaiting how many claims waited after it
   */
  void gather(Slots held, int lastBatch, int lastWaiting) {
    long begun = System.nanoTime();
    try {
      while (lastBatch > 1 && held.hasEnded()) {
        int waiting = held.waiting();
        boolean enough = waiting > 0 ? waiting * 2 <= lastWaiting : held.ended() * 2 >= held.busy();
        long left = begun + (waiting > 0 ? GATHER_NANOS_AHEAD : GATHER_NANOS) - System.nanoTime();
        if (enough || left <= 0 || !semaphore.tryAcquire(left, TimeUnit.NANOSECONDS)) {
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for about the given time, five seconds at most, whatever wakes it. */
  void pause(Duration time) {
    try {
      TimeUnit.NANOSECONDS.sleep(
          jittered(time.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : time));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static long jittered(Duration time) {
    return (long) (time.toNanos() * ThreadLocalRandom.current().nextDouble(0.75, 1.25));
  }
}
