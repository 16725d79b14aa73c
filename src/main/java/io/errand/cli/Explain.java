package io.errand.cli;

import io.errand.text.Visible;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "explain",
    description = "Say why a job does not run: what it waits for, in order, and when it may start.")
final class Explain implements Callable<Integer> {
  private static final List<String> COLUMNS =
      List.of("id", "state", "blockers", "jobs_ahead", "summary");

  @Parameters(paramLabel = "ID")
  String id = "";

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Override
  public Integer call() {
    Map<String, Object> answer = Http.connect().get("/v1/jobs/" + EachJob.id(id) + "/explain");
    if (output.format != Printer.Format.table) {
      Map<String, Object> row = new Printer.Row(answer);
      row.put("id", id);
      row.put("blockers", kinds(answer));
      Printer.print(output.format, List.of(row), answer, "id", COLUMNS, List.of());
      return ExitCodes.OK;
    }
    print(answer.get("state") + ": " + answer.get("summary"));
    List<Map<String, Object>> blockers = Client.list(answer, "blockers");
    for (int i = 0; i < blockers.size(); i++) {
      Map<String, Object> blocker = blockers.get(i);
      Object until = blocker.get("until");
      print(
          "  %d. %s: %s%s"
              .formatted(
                  i + 1,
                  blocker.get("kind"),
                  blocker.get("detail"),
                  until == null ? "" : " (until " + until + ")"));
    }
    Object ahead = answer.get("jobs_ahead");
    if (ahead != null) {
      boolean exact = Boolean.TRUE.equals(answer.get("jobs_ahead_is_exact"));
      print("  jobs ahead: " + (exact ? "" : "about ") + ahead);
    }
    if (answer.get("expires_at") != null) {
      print("  expires: " + answer.get("expires_at") + ", if it has not started");
    }
    if (answer.get("start") instanceof Map<?, ?> start) {
      Object because = start.get("unknown_because");
      print(
          because == null
              ? "  start: between " + start.get("earliest") + " and " + start.get("latest")
              : "  start: unknown, " + because);
    }
    return ExitCodes.OK;
  }

  private static List<Object> kinds(Map<String, Object> answer) {
    return Client.list(answer, "blockers").stream().map(one -> one.get("kind")).toList();
  }

  private static void print(String line) {
    System.out.println(Visible.line(line));
  }
}
