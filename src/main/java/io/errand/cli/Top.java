package io.errand.cli;

import io.errand.cli.Printer.Format;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand top}: the processes of running jobs. */
@Command(name = "top", description = "Show the live processes of running jobs.")
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

  @Parameters(arity = "0..*", paramLabel = "ID", description = "Of these jobs; else of all (20).")
  List<String> ids = List.of();

  @Option(
      names = {"-w", "--watch"},
      paramLabel = "SECONDS",
      description = "Show them again and again.")
  double watchSeconds;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "table or json.")
  Format format = Format.table;

  @Override
  public Integer call() throws InterruptedException {
    Http http = Http.connect();
    int exitCode = show(http);
    while (watchSeconds > 0) {
      TimeUnit.MILLISECONDS.sleep(Math.max(200, (long) (watchSeconds * 1000)));
      if (System.console() != null) {
        System.out.print("\033[H\033[2J");
      }
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
      Printer.print(format, rows, rows, "pid", COLUMNS, List.of());
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
