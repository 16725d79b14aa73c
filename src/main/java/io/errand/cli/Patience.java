package io.errand.cli;

import java.util.concurrent.TimeUnit;

/**
 * How long a client that waits for a job goes on while the server does not answer: {@value
 * #MOST_MINUTES} minutes without any answer, as a restart of the server needs less.
 */
final class Patience {
  private static final int MOST_MINUTES = 10;
  private static final long LONGEST_PAUSE_MILLIS = 2_000;

  private final Http http;
  private boolean failing;
  private long failingSinceNanos;
  private long pauseMillis;

  Patience(Http http) {
    this.http = http;
  }

  /** The server has answered. */
  void answered() {
    if (failing) {
      failing = false;
      EachJob.say("the server answers again");
    }
    pauseMillis = 0;
  }

  /**
   * The server did not answer: pauses, and finds out whether it is at another address by now.
   *
   * @throws ClientException the fault, if it has been so for too long or from the first call, or is
   *     of another kind
   */
  void failed(ClientException fault) {
    if (fault.exitCode() != ExitCodes.UNAVAILABLE || !http.hasAnswered()) {
      throw fault;
    }
    long now = System.nanoTime();
    if (!failing) {
      failing = true;
      failingSinceNanos = now;
      EachJob.say(fault.getMessage() + "; waiting for it");
    } else if (now - failingSinceNanos > TimeUnit.MINUTES.toNanos(MOST_MINUTES)) {
      throw fault;
    }
    pause();
    http.lookAgain();
  }

  /** Pauses for a moment, each time a little longer until the server answers. */
  void pause() {
    pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, pauseMillis + 100);
    try {
      TimeUnit.MILLISECONDS.sleep(pauseMillis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
