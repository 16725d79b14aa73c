package io.errand.cli;

import io.errand.cli.Printer.Format;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand top}: the processes of running jobs. */
@Command(
    name = "top",
    description = {
      "Show queues, running jobs and their processes, live in the terminal.",
      "Without a terminal, with -o or --once: the processes of running jobs, once."
    },
    footer = {
      "",
      "Keys: j and k or the arrows move, Tab goes from the jobs to the queues and back, f shows the"
          + " output of the job, t its processes, c cancels it, p pauses or resumes the queue, q"
          + " ends. c and p ask before."
    })
final class Top implements Callable<Integer> {
  private static final List<String> COLUMNS =
      List.of(
          "job",
          "pid",
          "parent_pid",
          "state",
          "threads",
          "cpu_seconds",
          "memory_bytes",
          "open_files",
          "wait_channel",
          "elapsed_seconds",
          "command");

  private static final double LEAST_SECONDS = 0.2;
  private static final double USUAL_SECONDS = 2;
  private static final double MOST_SECONDS = 3600;

  @Parameters(arity = "0..*", paramLabel = "ID", description = "Of these jobs; else of all (20).")
  List<String> ids = List.of();

  @Option(
      names = {"-w", "--watch"},
      paramLabel = "SECONDS",
      description = "Show them again and again; on a terminal every 2 seconds without it.")
  double watchSeconds;

  @Option(names = "--once", description = "Print the processes once, also on a terminal.")
  boolean once;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (table).")
  @Nullable Format format;

  @Override
  public Integer call() throws InterruptedException {
    Http http = Http.connect();
    if (Terminal.canDraw() && format == null && !once) {
      ids.forEach(EachJob::id);
      double seconds = watchSeconds > 0 ? Math.max(LEAST_SECONDS, watchSeconds) : USUAL_SECONDS;
      return new TopSession(http, ids, Math.min(MOST_SECONDS, seconds)).run();
    }
    int exitCode = show(http);
    while (watchSeconds > 0 && !once) {
      TimeUnit.MILLISECONDS.sleep((long) (Math.max(LEAST_SECONDS, watchSeconds) * 1000));
      exitCode = show(http);
    }
    return exitCode;
  }

  /** The exit status: not 0 where a job that was named has no processes to show. */
  private int show(Http http) {
    int exitCode = ExitCodes.OK;
    List<Map<String, Object>> rows = new ArrayList<>();
    for (String id : wanted(http)) {
      try {
        for (Map<String, Object> process :
            Client.list(http.get("/v1/jobs/" + EachJob.id(id) + "/process"), "processes")) {
          Map<String, Object> row = new LinkedHashMap<>();
          row.put("job", id);
          row.putAll(process);
          rows.add(row);
        }
      } catch (ClientException e) {
        if (e.endsAll()) {
          throw e;
        }
        if (!ids.isEmpty()) { // else it ended between the list and the question
          boolean one = ids.size() == 1;
          EachJob.say(EachJob.about(id, e));
          exitCode = one && e.exitCode() == ExitCodes.USAGE ? ExitCodes.USAGE : ExitCodes.FAILED;
        }
      }
    }
    if (exitCode == ExitCodes.OK || ids.size() > 1) {
      Printer.print(format == null ? Format.table : format, rows, rows, "pid", COLUMNS, List.of());
    }
    return exitCode;
  }

  private List<String> wanted(Http http) {
    if (!ids.isEmpty()) {
      return ids;
    }
    return Client.list(http.get("/v1/jobs?state=running&page_size=20"), "jobs").stream()
        .map(job -> String.valueOf(job.get("id")))
        .toList();
  }
}
