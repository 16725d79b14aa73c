package io.errand.cli;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code errand events}: the history of a job. */
@Command(name = "events", description = "Show what has happened to a job, the oldest first.")
final class Events implements Callable<Integer> {
  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Parameters(paramLabel = "ID")
  String id = "";

  @Override
  public Integer call() {
    Map<String, Object> answer = Http.connect().get("/v1/jobs/" + EachJob.id(id) + "/events");
    Printer.print(
        output.format,
        Client.list(answer, "events"),
        answer,
        "to",
        List.of("at", "from", "to", "reason", "attempt", "actor"),
        List.of("detail"));
    return ExitCodes.OK;
  }
}
