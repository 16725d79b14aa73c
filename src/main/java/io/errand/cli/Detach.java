package io.errand.cli;

/**
 * While this is open, the end of the client is not the end of its job: Ctrl-C, and a reader of our
 * output that has ended, say whether the job goes on and how to come back to it.
 */
final class Detach implements AutoCloseable {
  private final Http http;
  private final String id;
  private final Thread note = new Thread(this::say);

  Detach(Http http, String id) {
    this.http = http;
    this.id = id;
    Runtime.getRuntime().addShutdownHook(note);
  }

  /** For a reader that has ended. */
  void sayNow() {
    close();
    try {
      say();
    } catch (ClientException e) {
      return; // standard error has no reader either
    }
  }

  private void say() {
    String state = http.stateNow(id);
    String again = "`errand logs -f " + id + "`";
    String end = "`errand cancel " + id + "`";
    if (state.isEmpty()) {
      EachJob.say(
          "detached; whether the job has finished is not known, as the server does not answer; come"
              + " back with "
              + again
              + ", or end it with "
              + end);
    } else if (JobOutput.isFinal(state)) {
      EachJob.say(
          "detached; the job has finished (" + state + "); " + JobOutput.whereOutputIsKept(id));
    } else {
      EachJob.say("detached, the job goes on; come back with " + again + ", or end it with " + end);
    }
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
