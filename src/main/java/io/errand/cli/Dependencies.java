package io.errand.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand dependencies}: what a job waits for, and what waits for it. */
@Command(
    name = "dependencies",
    description =
        "Show the jobs that a job waits for (after), and those that wait for it (before).")
final class Dependencies implements Callable<Integer> {
  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Parameters(paramLabel = "ID")
  String id = "";

  @Option(
      names = {"-n", "--limit"},
      paramLabel = "N",
      defaultValue = "50",
      description = "At most so many of each, from 1 to 500 (50).")
  int limit;

  @Override
  public Integer call() {
    Map<String, Object> answer;
    try {
      answer =
          Http.connect().get("/v1/jobs/" + EachJob.id(id) + "/dependencies?page_size=" + limit);
    } catch (ClientException e) {
      throw OptionNames.ofList(e);
    }
    List<Map<String, Object>> rows = new ArrayList<>();
    for (String relation : List.of("after", "before")) {
      for (Map<String, Object> job : Client.list(answer, relation)) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("relation", relation);
        row.putAll(job);
        rows.add(row);
      }
    }
    Printer.print(output.format, rows, answer, "id", List.of("relation", "id", "state"), List.of());
    if (!"".equals(answer.get("next_page_token")) && !output.format.saysMore()) {
      System.err.println("errand: there are more; raise --limit");
    }
    return ExitCodes.OK;
  }
}
