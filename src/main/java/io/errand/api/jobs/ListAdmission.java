package io.errand.api.jobs;

import io.errand.api.problem.Problem;
import jakarta.inject.Singleton;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Bounds how many lists of jobs the database works on at once. To select the jobs of a page may
 * take it a second where jobs are large or a text is searched for, and many such selections at once
 * would take its processors from submits and claims. Safe from any thread.
 */
@Singleton
class ListAdmission {
  private static final int PART_OF_POOL = 8;
  private static final int MOST_WAITING = 32;
  private static final int MOST_SECONDS = 2;

  private final Semaphore free;

  ListAdmission(@ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    free = new Semaphore(Math.max(2, pool / PART_OF_POOL), true);
  }

  /** The right to have one page selected. */
  interface Permit extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Waits for a permit.
   *
   * @throws Problem 503 where too many wait already, or where none comes in time
   */
  Permit enter() {
    try {
      if (free.getQueueLength() < MOST_WAITING && free.tryAcquire(MOST_SECONDS, TimeUnit.SECONDS)) {
        return free::release;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw Problem.tooManyLists();
  }
}
