package io.errand.api.jobs;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** What the thread that serves all waiting clients sleeps on. */
public final class WakeUp {
  private final Semaphore calls = new Semaphore(0);

  /** Wakes the thread, soon. */
  public void call() {
    calls.release();
  }

  /**
   * Sleeps until called, for ever while there is no client.
   *
   * @param hasClients whether anybody waits
   * @param pollMillis the longest sleep while there is one
   * @param pauseMillis a moment more, so that calls that come together are answered together
   */
  public void await(boolean hasClients, long pollMillis, long pauseMillis)
      throws InterruptedException {
    if (hasClients) {
      calls.tryAcquire(pollMillis, TimeUnit.MILLISECONDS);
      TimeUnit.MILLISECONDS.sleep(pauseMillis);
    } else {
      calls.acquire();
    }
    calls.drainPermits();
  }
}
