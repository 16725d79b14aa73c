package io.errand.cli;

import io.errand.cli.Printer.Format;
import io.errand.cli.ScheduleOptions.Words;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code errand schedules}: the list, and the verbs about schedules. */
@Command(
    name = "schedules",
    description = "Show the schedules, or do something with one.",
    synopsisSubcommandLabel = "[VERB]",
    subcommands = {
      Schedules.Get.class,
      Schedules.Create.class,
      Schedules.Update.class,
      Schedules.Delete.class,
      Schedules.Pause.class,
      Schedules.Resume.class,
      Schedules.RunNow.class,
      Schedules.Ticks.class
    })
final class Schedules implements Callable<Integer> {
  private static final String PATH = "/v1/schedules";
  private static final int MOST_PAGES = 1_000;
  private static final List<String> COLUMNS =
      List.of("name", "cron", "zone", "paused", "next_tick_at", "last_tick_at", "last_outcome");
  private static final List<String> WIDE =
      List.of("overlap", "catch_up", "jitter_seconds", "starts_at", "ends_at", "command");

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Override
  public Integer call() {
    Http http = Http.connect();
    List<Map<String, Object>> all = new ArrayList<>();
    String token = "";
    for (int i = 0; i < MOST_PAGES && (i == 0 || !token.isEmpty()); i++) {
      Map<String, Object> page = http.get(PATH + "?page_size=100&page_token=" + Http.encode(token));
      all.addAll(Client.list(page, "schedules"));
      token = String.valueOf(page.get("next_page_token"));
    }
    Map<String, Object> whole = new LinkedHashMap<>();
    whole.put("schedules", all);
    whole.put("next_page_token", token);
    print(output.format, all, whole);
    return ExitCodes.OK;
  }

  private static void print(Format format, List<Map<String, Object>> schedules, Object whole) {
    List<Map<String, Object>> rows = schedules.stream().map(Schedules::flat).toList();
    Printer.print(format, rows, whole, "name", COLUMNS, WIDE);
  }

  /** With the next and the last tick, and the command, as columns. */
  private static Map<String, Object> flat(Map<String, Object> schedule) {
    Map<String, Object> row = new Printer.Row(schedule);
    if (schedule.get("next_runs") instanceof List<?> next
        && !next.isEmpty()
        && next.get(0) instanceof Map<?, ?> first) {
      row.put("next_tick_at", first.get("tick_at"));
    }
    if (schedule.get("last_tick") instanceof Map<?, ?> last) {
      row.put("last_tick_at", last.get("last_tick_at"));
      Object skipped = last.get("skipped");
      row.put("last_outcome", skipped == null ? last.get("job_state") : skipped);
    }
    if (schedule.get("job") instanceof Map<?, ?> job) {
      row.put("command", job.get("command"));
    }
    if (schedule.get("cron") == null && schedule.get("times") instanceof List<?> times) {
      row.put("cron", times.size() + " times");
    }
    return row;
  }

  private static String path(String name) {
    return PATH + "/" + Http.encode(name).replace("+", "%20");
  }

  /** The schedules that a command is given: each is tried, also where others fail. */
  static final class Names {
    @Parameters(arity = "1..*", paramLabel = "NAME")
    List<String> names = List.of();

    int tryAll(Consumer<String> call) {
      return tryAll(names, call);
    }

    static int tryAll(List<String> names, Consumer<String> call) {
      List<String> distinct = List.copyOf(new LinkedHashSet<>(names));
      int exitCode = ExitCodes.OK;
      for (String name : distinct) {
        try {
          call.accept(name);
        } catch (ClientException e) {
          if (e.isOfOutput() || distinct.size() == 1 || e.endsAll()) {
            throw e;
          }
          EachJob.say(name + ": " + e.getMessage());
          exitCode = ExitCodes.FAILED;
        }
      }
      return exitCode;
    }
  }

  @Command(name = "get", description = "Show schedules.", mixinStandardHelpOptions = true)
  static final class Get implements Callable<Integer> {
    @Mixin Names names = new Names();
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Override
    public Integer call() {
      Http http = Http.connect();
      List<Map<String, Object>> found = new ArrayList<>();
      int exitCode = names.tryAll(name -> found.add(http.get(path(name))));
      print(output.format, found, found.size() == 1 ? found.get(0) : found);
      return exitCode;
    }
  }

  @Command(
      name = "create",
      description = "Make a schedule; the command stands behind --.",
      customSynopsis = "errand schedules create [options] [job options] NAME -- COMMAND...",
      mixinStandardHelpOptions = true)
  static final class Create implements Callable<Integer> {
    @Mixin ScheduleOptions options = new ScheduleOptions();

    @Option(names = "--paused", description = "Skip its ticks until it is resumed.")
    boolean paused;

    @Option(
        names = "--validate-only",
        description = "Show it with its next runs, and store nothing.")
    boolean validateOnly;

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FORMAT",
        description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
        defaultValue = "table")
    Format format = Format.table;

    @Spec @Nullable CommandSpec spec;

    @Override
    public Integer call() {
      Words words = options.words(spec(spec));
      Map<String, Object> body = options.body(words);
      if (!body.containsKey("cron") && !body.containsKey("times")) {
        throw new ClientException(ExitCodes.USAGE, "one of --cron, --every or --at is needed");
      }
      body.put("name", words.name());
      if (paused) {
        body.put("paused", true);
      }
      try {
        Map<String, Object> made =
            Http.connect()
                .json("POST", PATH + (validateOnly ? "?validate_only=true" : ""), body, null);
        print(format, List.of(made), made);
      } catch (ClientException e) {
        throw OptionNames.ofSchedule(e);
      }
      return ExitCodes.OK;
    }
  }

  private static CommandSpec spec(@Nullable CommandSpec spec) {
    if (spec == null) {
      throw new IllegalStateException("picocli has set no specification");
    }
    return spec;
  }

  @Command(
      name = "update",
      description = "Change what is given, and nothing else.",
      customSynopsis = "errand schedules update [options] [job options] NAME [-- COMMAND...]",
      mixinStandardHelpOptions = true)
  static final class Update implements Callable<Integer> {
    @Mixin ScheduleOptions options = new ScheduleOptions();

    @Option(
        names = "--default",
        paramLabel = "FIELD",
        description = "Give this field its default again, such as ends_at; may be repeated.")
    List<String> defaults = List.of();

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FORMAT",
        description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
        defaultValue = "table")
    Format format = Format.table;

    @Spec @Nullable CommandSpec spec;

    @Override
    public Integer call() {
      Words words = options.words(spec(spec));
      Map<String, Object> body = options.body(words);
      if (body.containsKey("cron") != body.containsKey("times")) {
        body.put(body.containsKey("cron") ? "times" : "cron", null); // one takes the other's place
      }
      defaults.forEach(field -> body.put(field, null));
      try {
        Map<String, Object> changed = Http.connect().patch(path(words.name()), body);
        print(format, List.of(changed), changed);
      } catch (ClientException e) {
        throw OptionNames.ofSchedule(e);
      }
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "delete",
      description = "Remove schedules; their jobs stay.",
      mixinStandardHelpOptions = true)
  static final class Delete implements Callable<Integer> {
    @Mixin Names names = new Names();

    @Override
    public Integer call() {
      Http http = Http.connect();
      return names.tryAll(name -> http.delete(path(name)));
    }
  }

  private static int setPaused(Names names, Client.OutputOption output, boolean paused) {
    Http http = Http.connect();
    List<Map<String, Object>> changed = new ArrayList<>();
    int exitCode =
        names.tryAll(name -> changed.add(http.patch(path(name), Map.of("paused", paused))));
    print(output.format, changed, changed.size() == 1 ? changed.get(0) : changed);
    return exitCode;
  }

  @Command(
      name = "pause",
      description = "Skip the ticks of schedules until they are resumed.",
      mixinStandardHelpOptions = true)
  static final class Pause implements Callable<Integer> {
    @Mixin Names names = new Names();
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Override
    public Integer call() {
      return setPaused(names, output, true);
    }
  }

  @Command(
      name = "resume",
      description = "Let paused schedules go on with their next tick.",
      mixinStandardHelpOptions = true)
  static final class Resume implements Callable<Integer> {
    @Mixin Names names = new Names();
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Override
    public Integer call() {
      return setPaused(names, output, false);
    }
  }

  @Command(
      name = "run",
      description = "Submit the job of a schedule now, and print its id.",
      mixinStandardHelpOptions = true)
  static final class RunNow implements Callable<Integer> {
    @Parameters(paramLabel = "NAME")
    String name = "";

    @Option(
        names = "--key",
        paramLabel = "KEY",
        description = "Idempotency key; else a random one.")
    @Nullable String key;

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FORMAT",
        description = "json: the whole job.")
    Format format = Format.name;

    @Override
    public Integer call() {
      String idempotencyKey = key == null ? UUID.randomUUID().toString() : key;
      Map<String, Object> job =
          Http.connect().json("POST", path(name) + "/run", Map.of(), idempotencyKey);
      Printer.print(format, List.of(job), job, "id", Client.JOB_COLUMNS, Client.WIDE_JOB_COLUMNS);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "ticks",
      description = "Show the ticks of a schedule, those to come first.",
      mixinStandardHelpOptions = true)
  static final class Ticks implements Callable<Integer> {
    @Parameters(paramLabel = "NAME")
    String name = "";

    @Option(
        names = {"-n", "--limit"},
        paramLabel = "N",
        description = "At most so many past ticks, from 1 to 100 (20).")
    int limit = 20;

    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Override
    public Integer call() {
      Map<String, Object> answer;
      try {
        answer = Http.connect().get(path(name) + "/ticks?page_size=" + limit);
      } catch (ClientException e) {
        throw OptionNames.ofList(e);
      }
      List<Map<String, Object>> rows = new ArrayList<>();
      Client.list(answer, "next_ticks")
          .forEach(
              tick ->
                  rows.add(
                      Map.of("tick_at", String.valueOf(tick.get("tick_at")), "detail", "to come")));
      Collections.reverse(rows);
      rows.addAll(Client.list(answer, "ticks"));
      Printer.print(
          output.format,
          rows,
          answer,
          "tick_at",
          List.of("tick_at", "ticks", "skipped", "job_id", "job_state", "detail"),
          List.of("last_tick_at", "handled_at"));
      return ExitCodes.OK;
    }
  }
}
