package io.errand.cli;

import java.util.List;

/**
 * While this is open, the end of the client is not the end of its jobs: Ctrl-C, and a reader of our
 * output that has ended, say whether they go on and how to come back to them.
 */
final class Detach implements AutoCloseable {
  private final Http http;
  private final List<String> ids;
  private final Thread note = new Thread(this::say);

  Detach(Http http, List<String> ids) {
    this.http = http;
    this.ids = ids;
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
    String all = String.join(" ", ids);
    String again = "`errand logs -f " + all + "`";
    String end = "`errand cancel " + all + "`";
    if (ids.size() > 1) {
      EachJob.say(
          "detached, the jobs go on; come back with " + again + ", or end them with " + end);
      return;
    }
    String state = http.stateNow(all);
    if (state.isEmpty()) {
      EachJob.say(
          "detached; whether the job has finished is not known, as the server does not answer; come"
              + " back with "
              + again
              + ", or end it with "
              + end);
    } else if (JobOutput.isFinal(state)) {
      EachJob.say(
          "detached; the job has finished (" + state + "); " + JobOutput.whereOutputIsKept(all));
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
