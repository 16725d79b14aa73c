package io.errand.client;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.TimeUnit;

/**
 * How long a call goes on while the server does not answer: {@value #MOST_MINUTES} minutes, as a
 * restart needs less. The first call of all must be answered.
 */
final class Patience {
  private static final int MOST_MINUTES = 10;
  private static final long LONGEST_PAUSE_MILLIS = 2_000;
  private static final int UNAVAILABLE = 503;

  private boolean hasAnswered;
  private boolean isFailing;
  private long failingSinceNanos;
  private long pauseMillis;

  void answered() {
    hasAnswered = true;
    isFailing = false;
    pauseMillis = 0;
  }

  /** No answer came: pauses, or throws the fault where that is of no use any more. */
  void failed(IOException fault) throws IOException {
    if (!mayGoOn()) {
      throw fault;
    }
    pause();
  }

  /** The server has refused: pauses where it may answer later, or throws. */
  void failed(ProblemException fault) throws IOException {
    if (fault.status() != UNAVAILABLE || !mayGoOn()) {
      throw fault;
    }
    pause();
  }

  private boolean mayGoOn() {
    long now = System.nanoTime();
    if (!isFailing) {
      isFailing = true;
      failingSinceNanos = now;
    }
    return hasAnswered
        && !Thread.currentThread().isInterrupted()
        && now - failingSinceNanos < TimeUnit.MINUTES.toNanos(MOST_MINUTES);
  }

  /** Pauses for a moment, each time a little longer until the server answers. */
  void pause() throws IOException {
    pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, pauseMillis + 100);
    try {
      TimeUnit.MILLISECONDS.sleep(pauseMillis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for the server");
    }
  }
}
