package io.errand.api.request;

import io.errand.api.problem.Problem;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Bounds how many calls of a kind the database works on at once, so that they leave processors and
 * connections to others. Safe from any thread.
 */
public class Admission {
  private static final int PART_OF_POOL = 8;
  private static final int MOST_WAITING = 32;
  private static final int MOST_SECONDS = 2;

  private final Semaphore free;
  private final String what;

  /**
   * An eighth of the connections, two at least.
   *
   * @param pool how many connections there are
   * @param what they are, for the sentence of a refusal
   */
  public Admission(int pool, String what) {
    this.free = new Semaphore(Math.max(2, pool / PART_OF_POOL), true);
    this.what = what;
  }

  /** The right to go on. */
  public interface Permit extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Waits for a permit.
   *
   * @throws Problem 503 where too many wait already, or where none comes in time
   */
  public Permit enter() {
    try {
      if (free.getQueueLength() < MOST_WAITING && free.tryAcquire(MOST_SECONDS, TimeUnit.SECONDS)) {
        return free::release;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw Problem.tooMany(what);
  }
}
