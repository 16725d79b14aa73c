package io.errand.cli;

import io.errand.text.Visible;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand queues}: what queues hold, and what an operator decides about them. */
@Command(
    name = "queues",
    description = "Show the queues, or change one.",
    subcommands = {
      Queues.Get.class,
      Queues.Pause.class,
      Queues.Resume.class,
      Queues.Update.class,
      Queues.Events.class
    })
final class Queues implements Callable<Integer> {
  private static final List<String> COLUMNS =
      List.of("name", "paused", "circuit", "queued", "running", "retrying", "held");
  private static final List<String> WIDE_COLUMNS =
      List.of(
          "succeeded",
          "failed",
          "cancelled",
          "oldest_ready_seconds",
          "max_running",
          "rate_per_second",
          "burst",
          "weight",
          "max_depth",
          "max_ready_age_seconds",
          "overload");

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Override
  public Integer call() {
    Map<String, Object> answer = Http.connect().get("/v1/queues");
    print(output, Client.list(answer, "queues"), answer, Map.of());
    return ExitCodes.OK;
  }

  private static void print(
      Client.OutputOption output,
      List<Map<String, Object>> queues,
      Object whole,
      Map<String, Object> changed) {
    Set<String> columns = new LinkedHashSet<>(COLUMNS);
    columns.addAll(members(changed).keySet());
    List<String> wide = WIDE_COLUMNS.stream().filter(name -> !columns.contains(name)).toList();
    Printer.print(
        output.format,
        queues.stream().map(Queues::flat).toList(),
        whole,
        "name",
        List.copyOf(columns),
        wide);
  }

  /** With the members of objects as members, such as {@code circuit.probe_seconds}. */
  private static Map<String, Object> members(Map<String, Object> object) {
    Map<String, Object> members = new LinkedHashMap<>();
    object.forEach(
        (name, value) -> {
          if (value instanceof Map<?, ?> inner) {
            inner.forEach((key, of) -> members.put(name + "." + key, String.valueOf(of)));
          } else {
            members.put(name, value);
          }
        });
    return members;
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> flat(Map<String, Object> queue) {
    Map<String, Object> row = new Printer.Row(queue);
    row.putAll(members(queue));
    row.putAll((Map<String, Object>) queue.getOrDefault("counts", Map.of()));
    if (queue.get("circuit") instanceof Map<?, ?> circuit) {
      row.put("circuit", circuit.get("state"));
    }
    return row;
  }

  private static String path(String name) {
    if (!name.matches("[a-z0-9][a-z0-9._-]{0,63}")) { // it would be a part of the path
      throw new ClientException(
          ExitCodes.USAGE, "'" + Visible.line(name) + "' is no name of a queue");
    }
    return "/v1/queues/" + name;
  }

  /** A command about one queue that shows the queue. */
  abstract static class OfOne implements Callable<Integer> {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Parameters(paramLabel = "NAME")
    String name = "";

    abstract Map<String, Object> call(Http http, String path);

    /** The settings that the call has changed, to be shown. */
    Map<String, Object> changed() {
      return Map.of();
    }

    @Override
    public Integer call() {
      Map<String, Object> queue = call(Http.connect(), path(name));
      print(output, List.of(queue), queue, changed());
      return ExitCodes.OK;
    }
  }

  @Command(name = "get", description = "Show one queue.")
  static final class Get extends OfOne {
    @Override
    Map<String, Object> call(Http http, String path) {
      return http.get(path);
    }
  }

  @Command(name = "pause", description = "Let its jobs wait; those that run go on.")
  static final class Pause extends OfOne {
    @Override
    Map<String, Object> call(Http http, String path) {
      return http.patch(path, Map.of("paused", true));
    }
  }

  @Command(name = "resume", description = "Let its jobs run again.")
  static final class Resume extends OfOne {
    @Override
    Map<String, Object> call(Http http, String path) {
      return http.patch(path, Map.of("paused", false));
    }
  }

  @Command(
      name = "update",
      description = "Change its settings; what no option names stays as it is.")
  static final class Update extends OfOne {
    @Mixin QueueOptions options = new QueueOptions();

    @Override
    Map<String, Object> changed() {
      return options.body();
    }

    @Override
    Map<String, Object> call(Http http, String path) {
      Map<String, Object> body = options.body();
      try {
        return http.patch(path, body);
      } catch (ClientException e) {
        throw OptionNames.ofQueue(e);
      }
    }
  }

  @Command(name = "events", description = "Show what happened to a queue, the newest first.")
  static final class Events implements Callable<Integer> {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Parameters(paramLabel = "NAME")
    String name = "";

    @Option(
        names = {"-n", "--limit"},
        paramLabel = "N",
        description = "At most so many events, from 1 to 500 (50).")
    @Nullable Integer limit;

    @Override
    public Integer call() {
      String query = limit == null ? "" : "?page_size=" + limit;
      Map<String, Object> answer;
      try {
        answer = Http.connect().get(path(name) + "/events" + query);
      } catch (ClientException e) {
        throw OptionNames.ofList(e);
      }
      Printer.print(
          output.format,
          Client.list(answer, "events"),
          answer,
          "event",
          List.of("at", "event", "actor", "detail"),
          List.of());
      return ExitCodes.OK;
    }
  }
}
