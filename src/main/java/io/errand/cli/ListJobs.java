package io.errand.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code errand list}. */
@Command(name = "list", description = "List jobs, the newest first.")
final class ListJobs implements Callable<Integer> {
  private static final int USUAL = 20;
  private static final int MOST_LOOKS = 20;

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Option(
      names = {"-s", "--state"},
      paramLabel = "STATE",
      description = "Only in this state.")
  @Nullable String state;

  @Option(
      names = {"-q", "--queue"},
      paramLabel = "NAME",
      description = "Only of this queue.")
  @Nullable String queue;

  @Option(
      names = {"-l", "--label"},
      paramLabel = "NAME=VALUE",
      description = "Only with this label; may be repeated.")
  List<String> labels = List.of(); // a map would keep one of two values, and say nothing

  @Option(
      names = "--search",
      paramLabel = "TEXT",
      description =
          "Eight or more digits of the beginning of an id, or a part of the command in the"
              + " 10,000 newest jobs.")
  @Nullable String text;

  @Option(
      names = "--reason",
      paramLabel = "REASON",
      description = "Only with this reason, such as exit_code.")
  @Nullable String reason;

  @Option(
      names = "--worker",
      paramLabel = "NAME",
      description = "Only those whose latest attempt was on this worker.")
  @Nullable String worker;

  @Option(
      names = "--concurrency-key",
      paramLabel = "KEY",
      description = "Only with this concurrency key.")
  @Nullable String concurrencyKey;

  @Option(names = "--schedule", paramLabel = "NAME", description = "Only of this schedule.")
  @Nullable String schedule;

  @Option(
      names = "--principal",
      paramLabel = "NAME",
      description = "Only those that this caller has submitted.")
  @Nullable String principal;

  @Option(
      names = "--created-after",
      paramLabel = "TIME",
      description = "Only created after this RFC 3339 time.")
  @Nullable String createdAfter;

  @Option(
      names = "--created-before",
      paramLabel = "TIME",
      description = "Only created before this RFC 3339 time.")
  @Nullable String createdBefore;

  @Option(
      names = {"-n", "--limit"},
      paramLabel = "N",
      description = "At most so many jobs, from 1 to 500 (20).")
  @Nullable Integer limit;

  @Override
  public Integer call() {
    StringBuilder path = new StringBuilder();
    add(path, "state", state);
    add(path, "queue", queue);
    add(path, "q", text);
    add(path, "reason", reason);
    add(path, "worker", worker);
    add(path, "concurrency_key", concurrencyKey);
    add(path, "schedule", schedule);
    add(path, "principal", principal);
    add(path, "created_after", createdAfter);
    add(path, "created_before", createdBefore);
    JobOptions.labels(labels);
    labels.forEach(label -> add(path, "label", label.replaceFirst("=", ":")));
    Map<String, Object> page;
    try {
      page = read(Http.connect(), path.toString());
    } catch (ClientException e) {
      throw OptionNames.ofList(e);
    }
    output.print(Client.list(page, "jobs"), page);
    if (page.get("searched_to") != null) {
      System.err.println(
          "errand: looked at the jobs back to "
              + page.get("searched_to")
              + "; older ones are listed with --created-before");
    } else if (limit == null
        && !"".equals(page.get("next_page_token"))
        && !output.format.saysMore()) {
      System.err.println("errand: there are more; narrow the list or raise --limit");
    }
    return ExitCodes.OK;
  }

  /**
   * A page. The server looks at a bounded number of jobs for it, so while jobs are missing it is
   * asked to go on, a bounded number of times.
   */
  private Map<String, Object> read(Http http, String filter) {
    int wanted = limit == null ? USUAL : limit;
    Map<String, Object> page = http.get("/v1/jobs?page_size=" + wanted + filter);
    List<Object> jobs = new ArrayList<>(Client.list(page, "jobs"));
    for (int looks = 1; looks < MOST_LOOKS && page.get("searched_to") != null; looks++) {
      if (jobs.size() >= wanted) {
        break;
      }
      String token = Http.encode(String.valueOf(page.get("next_page_token")));
      int missing = wanted - jobs.size();
      page = http.get("/v1/jobs?page_size=" + missing + filter + "&page_token=" + token);
      jobs.addAll(Client.list(page, "jobs"));
    }
    Map<String, Object> all = new LinkedHashMap<>(page);
    all.put("jobs", jobs);
    return all;
  }

  private static void add(StringBuilder path, String name, @Nullable String value) {
    if (value != null) {
      path.append('&').append(name).append('=').append(Http.encode(value));
    }
  }
}
