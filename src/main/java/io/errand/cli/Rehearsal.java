package io.errand.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * For the build: what people call most, one after the other in one process, so that the archive of
 * class data has the classes of all of them.
 */
final class Rehearsal {
  private static final List<String> LINES =
      List.of(
          "run -- echo ready",
          "submit -- true",
          "list",
          "list -o jsonl",
          "queues",
          "queues resume default",
          "schedules",
          "workers",
          "context",
          "complete -- list --",
          "run --help");

  private Rehearsal() {}

  /** Calls them; 0 if all of them ended well. */
  static int run(ToIntFunction<String[]> call) {
    List<Integer> codes = new ArrayList<>();
    LINES.forEach(line -> codes.add(call.applyAsInt(line.split(" "))));
    List<Map<String, Object>> jobs =
        Client.list(Http.connect().get("/v1/jobs?page_size=1"), "jobs");
    for (String verb : List.of("wait", "get", "logs", "events", "explain")) {
      codes.add(call.applyAsInt(new String[] {verb, String.valueOf(jobs.get(0).get("id"))}));
    }
    return codes.stream().allMatch(code -> code == ExitCodes.OK) ? ExitCodes.OK : ExitCodes.FAILED;
  }
}
