package io.errand.cli;

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
      names = {"-n", "--limit"},
      paramLabel = "N",
      description = "At most so many jobs, from 1 to 500 (20).")
  @Nullable Integer limit;

  @Override
  public Integer call() {
    StringBuilder path = new StringBuilder("/v1/jobs?page_size=" + (limit == null ? USUAL : limit));
    add(path, "state", state);
    add(path, "queue", queue);
    add(path, "q", text);
    JobOptions.labels(labels);
    labels.forEach(label -> add(path, "label", label.replaceFirst("=", ":")));
    Map<String, Object> page;
    try {
      page = Http.connect().get(path.toString());
    } catch (ClientException e) {
      throw OptionNames.ofList(e);
    }
    output.print(Client.list(page, "jobs"), page);
    if (limit == null && !"".equals(page.get("next_page_token")) && !output.format.saysMore()) {
      System.err.println("errand: there are more; narrow the list or raise --limit");
    }
    return ExitCodes.OK;
  }

  private static void add(StringBuilder path, String name, @Nullable String value) {
    if (value != null) {
      path.append('&').append(name).append('=').append(Http.encode(value));
    }
  }
}
