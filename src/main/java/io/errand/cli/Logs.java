package io.errand.cli;

import io.errand.cli.JobOutput.Selection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand logs}: what jobs printed. */
@Command(
    name = "logs",
    description = {
      "Print what jobs printed: stdout and stderr, as they were.",
      "Without -f, of a running attempt: what it has printed so far.",
      "Of several jobs, each line begins with the end of the id of its job."
    },
    footer = {
      "",
      "Exit status: 0 if all of it was printed; 74 if bytes are missing, and stderr says how many;"
          + " 1 if there is no such job or attempt.",
      "With -f: if the reader of the output ends, or at Ctrl-C, the client ends with 141 or 130, and"
          + " the job goes on."
    })
final class Logs implements Callable<Integer> {
  static final int MOST_JOBS = 20;
  private static final int MOST_TAIL = 100_000;

  @Parameters(arity = "1..*", paramLabel = "ID", description = "Up to " + MOST_JOBS + " jobs.")
  List<String> ids = List.of();

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

  @Option(
      names = "--tail",
      paramLabel = "N",
      description = "Of what there is already only the last N lines of each stream.")
  @Nullable Integer tail;

  @Option(
      names = "--since-byte",
      paramLabel = "N",
      description = "Leave out the first N bytes of each stream of the attempt.")
  long sinceByte;

  @Override
  public Integer call() {
    ids.forEach(EachJob::id);
    List<String> wanted = List.copyOf(new LinkedHashSet<>(ids));
    if (attempt != null && attempt < 1) {
      throw new ClientException(ExitCodes.USAGE, "--attempt is a number from 1");
    }
    if (sinceByte < 0 || (tail != null && (tail < 0 || tail > MOST_TAIL))) {
      throw new ClientException(
          ExitCodes.USAGE,
          "--since-byte is a number from 0, and --tail one from 0 to " + MOST_TAIL);
    }
    if (wanted.size() > MOST_JOBS) {
      throw new ClientException(ExitCodes.USAGE, "at most " + MOST_JOBS + " jobs at once");
    }
    Selection selection =
        new Selection(
            attempt, onlyStdout || !onlyStderr, onlyStderr || !onlyStdout, sinceByte, tail);
    Http http = Http.connect();
    if (wanted.size() > 1) {
      return new LogsOfMany(http, wanted, selection, this).print();
    }
    String id = wanted.get(0);
    JobOutput output = new JobOutput(http, id, selection);
    if (follow) {
      followOne(http, id, output);
    } else {
      printNow(http, id, output);
    }
    return output.reportMissing(ExitCodes.OK);
  }

  private void followOne(Http http, String id, JobOutput output) {
    try (Detach detach = new Detach(http, List.of(id))) {
      try {
        follow(id, output);
      } catch (ClientException e) {
        if (e.isOfOutput()) {
          detach.sayNow();
        }
        throw e;
      }
    }
  }

  void follow(String id, JobOutput output) {
    Map<String, Object> job = output.follow();
    if (!job.isEmpty()) { // else it ended at what a later attempt printed
      requireAttempt(id, job);
    }
  }

  void printNow(Http http, String id, JobOutput output) {
    Map<String, Object> job = http.get("/v1/jobs/" + id);
    requireAttempt(id, job);
    int latest = JobOutput.number(job, "attempt");
    int number = attempt == null ? latest : attempt;
    String which = ids.size() == 1 ? "the job" : "job " + id;
    if (number == 0) {
      EachJob.say(
          JobOutput.isFinal(job)
              ? which + " is " + job.get("state") + " and never started: it has no output"
              : which
                  + " is "
                  + job.get("state")
                  + " and has not started: there is no output yet; -f waits for it");
    } else if (number == latest && "running".equals(job.get("state"))) {
      output.printSoFar();
      EachJob.say(which + " is running: this is what it has printed by now; -f goes on");
    } else {
      output.print(number);
    }
  }

  private void requireAttempt(String id, Map<String, Object> job) {
    if (attempt != null && attempt > JobOutput.number(job, "attempt")) {
      throw new ClientException(ExitCodes.FAILED, "job " + id + " has no attempt " + attempt);
    }
  }
}
