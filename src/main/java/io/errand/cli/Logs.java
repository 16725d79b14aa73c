package io.errand.cli;

import io.errand.cli.JobOutput.Selection;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand logs}: what a job printed. */
@Command(
    name = "logs",
    description = {
      "Print what a job printed: stdout and stderr, as they were.",
      "Without -f, of a running attempt: what it has printed so far."
    },
    footer = {
      "",
      "Exit status: 0 if all of it was printed; 74 if bytes are missing, and stderr says how many;"
          + " 1 if there is no such job or attempt.",
      "With -f: if the reader of the output ends, or at Ctrl-C, the client ends with 141 or 130, and"
          + " the job goes on."
    })
final class Logs implements Callable<Integer> {
  @Parameters(paramLabel = "ID")
  String id = "";

  @Option(names = "--attempt", paramLabel = "N", description = "Of this attempt (the latest).")
  @Nullable Integer attempt;

  @Option(
      names = {"-f", "--follow"},
      description = "Go on as it prints, until it has finished; with --attempt, until that has.")
  boolean follow;

  @Option(names = "--stdout", description = "Only stdout.")
  boolean onlyStdout;

  @Option(names = "--stderr", description = "Only stderr, and it is printed on stdout.")
  boolean onlyStderr;

  @Override
  public Integer call() {
    EachJob.id(id);
    if (attempt != null && attempt < 1) {
      throw new ClientException(ExitCodes.USAGE, "--attempt is a number from 1");
    }
    Http http = Http.connect();
    JobOutput output =
        new JobOutput(
            http, id, new Selection(attempt, onlyStdout || !onlyStderr, onlyStderr || !onlyStdout));
    if (follow) {
      follow(http, output);
    } else {
      printNow(http, output);
    }
    return output.reportMissing(ExitCodes.OK);
  }

  private void follow(Http http, JobOutput output) {
    try (Detach detach = new Detach(http, id)) {
      try {
        Map<String, Object> job = output.follow();
        if (!job.isEmpty()) { // else it ended at what a later attempt printed
          requireAttempt(job);
        }
      } catch (ClientException e) {
        if (e.isOfOutput()) {
          detach.sayNow();
        }
        throw e;
      }
    }
  }

  private void printNow(Http http, JobOutput output) {
    Map<String, Object> job = http.get("/v1/jobs/" + id);
    requireAttempt(job);
    int latest = JobOutput.number(job, "attempt");
    int number = attempt == null ? latest : attempt;
    if (number == 0) {
      EachJob.say(
          JobOutput.isFinal(job)
              ? "the job is " + job.get("state") + " and never started: it has no output"
              : "the job is "
                  + job.get("state")
                  + " and has not started: there is no output yet; -f waits for it");
    } else if (number == latest && "running".equals(job.get("state"))) {
      output.printSoFar();
      EachJob.say("the job is running: this is what it has printed by now; -f goes on");
    } else {
      output.print(number);
    }
  }

  private void requireAttempt(Map<String, Object> job) {
    if (attempt != null && attempt > JobOutput.number(job, "attempt")) {
      throw new ClientException(ExitCodes.FAILED, "job " + id + " has no attempt " + attempt);
    }
  }
}
