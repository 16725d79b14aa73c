package io.errand.cli;

import io.errand.text.Visible;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "explain",
    description = {
      "Say why a job does not run: what it waits for, in order, and when it may start.",
      "Example: errand explain 0199b2c4-0000-7000-8000-000000000001"
    })
final class Explain implements Callable<Integer> {
  /** What can be printed. */
  enum Form {
    text,
    json
  }

  @Parameters(paramLabel = "ID")
  String id = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
      defaultValue = "text")
  Form form = Form.text;

  @Override
  public Integer call() {
    Map<String, Object> answer = Http.connect().get("/v1/jobs/" + EachJob.id(id) + "/explain");
    if (form == Form.json) {
      Printer.json(answer);
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

  private static void print(String line) {
    System.out.println(Visible.line(line));
  }
}
