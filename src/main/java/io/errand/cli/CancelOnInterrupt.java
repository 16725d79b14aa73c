package io.errand.cli;

import java.util.concurrent.atomic.AtomicInteger;
import sun.misc.Signal;

/**
 * Ctrl-C cancels the job, and the client goes on until the job has ended. The second Ctrl-C ends
 * the client.
 */
final class CancelOnInterrupt {
  private final Http http;
  private final String id;
  private final AtomicInteger interrupts = new AtomicInteger();

  private CancelOnInterrupt(Http http, String id) {
    this.http = http;
    this.id = id;
  }

  /** Takes the signal from now on. */
  static CancelOnInterrupt listen(Http http, String id) {
    CancelOnInterrupt made = new CancelOnInterrupt(http, id);
    Signal.handle(new Signal("INT"), signal -> made.interrupt());
    return made;
  }

  /** Whether it was received. */
  boolean isInterrupted() {
    return interrupts.get() > 0;
  }

  /** On a thread of this signal's own. */
  private void interrupt() {
    if (interrupts.incrementAndGet() > 1) {
      System.exit(ExitCodes.INTERRUPTED);
    }
    try {
      http.post("/v1/jobs/" + id + "/cancel");
      EachJob.say("job " + id + " is cancelled; waiting for its end, Ctrl-C does not wait");
    } catch (ClientException e) {
      EachJob.say("job " + id + " could not be cancelled: " + e.getMessage());
    }
  }
}
