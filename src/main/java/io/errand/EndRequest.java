package io.errand;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;

/**
 * The request to end this process: the first SIGTERM, SIGINT or SIGHUP; later ones change nothing.
 * One that comes during the start is remembered until the start can end without faults of its own.
 */
final class EndRequest {
  /** How long the start may go on after the request. */
  private static final long MOST_SECONDS = 20;

  private static boolean received;
  private static @Nullable Runnable drain;

  private EndRequest() {}

  /**
   * Takes the signals from now on.
   *
   * @param giveUp ends the process at once, where the start has gone on for {@value #MOST_SECONDS}
   *     s after the request
   */
  static void listen(Runnable giveUp) {
    for (String name : new String[] {"TERM", "INT", "HUP"}) {
      Signal.handle(new Signal(name), signal -> receive(giveUp));
    }
  }

  /** Whether it has been received. */
  static synchronized boolean isReceived() {
    return received;
  }

  /** The start is over: the drain begins with the request, which may have come by now. */
  static void whenReceived(Runnable begin) {
    synchronized (EndRequest.class) {
      drain = begin;
      EndRequest.class.notifyAll();
      if (!received) {
        return;
      }
    }
    begin.run();
  }

  /** On a thread of this signal's own. */
  private static void receive(Runnable giveUp) {
    Runnable begin;
    synchronized (EndRequest.class) {
      if (received) {
        return;
      }
      received = true;
      begin = drain;
      if (begin == null && awaitEndOfStart()) {
        return;
      }
    }
    if (begin == null) {
      giveUp.run();
    } else {
      begin.run();
    }
  }

  /** Whether the start is over in time; who ends it takes note of the request. */
  private static boolean awaitEndOfStart() {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
    try {
      while (drain == null) {
        long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        if (left <= 0) {
          return false;
        }
        EndRequest.class.wait(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return true;
  }
}
