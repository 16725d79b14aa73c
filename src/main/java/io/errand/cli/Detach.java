package io.errand.cli;

/**
 * While this is open, the end of the client is not the end of its job: Ctrl-C, and a reader of our
 * output that has ended, say how to come back to it.
 */
final class Detach implements AutoCloseable {
  private final String id;
  private final Thread note = new Thread(this::say);

  Detach(String id) {
    this.id = id;
    Runtime.getRuntime().addShutdownHook(note);
  }

  /** For a reader that has ended. */
  void sayNow() {
    close();
    try {
      say();
    } catch (ClientException e) {
      return; // nobody reads standard error either
    }
  }

  private void say() {
    EachJob.say(
        "detached, the job goes on; come back with `errand logs -f "
            + id
            + "`, or end it with `errand cancel "
            + id
            + "`");
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(note);
    } catch (IllegalStateException e) {
      return; // the end has begun already
    }
  }
}
