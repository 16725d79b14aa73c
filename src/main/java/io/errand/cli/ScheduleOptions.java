package io.errand.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/**
 * What {@code schedules create} and {@code update} say: the name, when, and the job. The options of
 * a job collect all words that are no options, so the name is the first of these.
 */
final class ScheduleOptions {
  @Option(
      names = "--cron",
      paramLabel = "CRON",
      description =
          "Five fields (minute, hour, day, month, weekday), a name such as @daily, or @every 5m.")
  @Nullable String cron;

  @Option(
      names = "--every",
      paramLabel = "DURATION",
      description = "30s, 5m, 1h30m or 1d; the same as --cron '@every DURATION'.")
  @Nullable String every;

  @Option(
      names = "--at",
      paramLabel = "TIME",
      description = "At this RFC 3339 time; may be repeated.")
  List<String> times = List.of();

  @Option(
      names = "--zone",
      paramLabel = "ZONE",
      description = "The time zone of --cron, such as Europe/Berlin (UTC).")
  @Nullable String zone;

  @Option(
      names = "--overlap",
      paramLabel = "WORD",
      description = "While an earlier job has not finished: skip, queue or replace (skip).")
  @Nullable String overlap;

  @Option(
      names = "--catch-up",
      paramLabel = "WORD",
      description = "Which ticks of a downtime run: none, latest or all (none).")
  @Nullable String catchUp;

  @Option(
      names = "--catch-up-limit",
      paramLabel = "N",
      description = "How many of them at most with all (100).")
  @Nullable Integer catchUpLimit;

  @Option(
      names = "--jitter",
      paramLabel = "SECONDS",
      description = "A job may start this much later, drawn at random.")
  @Nullable Double jitterSeconds;

  @Option(names = "--starts-at", paramLabel = "TIME", description = "No tick before this time.")
  @Nullable String startsAt;

  @Option(names = "--ends-at", paramLabel = "TIME", description = "No tick after this time.")
  @Nullable String endsAt;

  @Mixin JobOptions job = new JobOptions();

  /** The name, and what stands behind {@code --}. */
  record Words(String name, List<String> command) {}

  /**
   * The words of the command line.
   *
   * @throws ClientException for usage, if the command does not stand behind {@code --}
   */
  Words words(CommandSpec spec) {
    List<String> typed = spec.commandLine().getParseResult().originalArgs();
    int end = typed.indexOf("--");
    int behind = end < 0 ? 0 : typed.size() - end - 1;
    if (job.command.size() - behind != 1) {
      throw new ClientException(
          ExitCodes.USAGE,
          "one NAME is needed, and the command stands behind --, as in: errand schedules create"
              + " nightly --cron '0 2 * * *' -- backup --full");
    }
    return new Words(job.command.get(0), List.copyOf(job.command.subList(1, 1 + behind)));
  }

  /** The members of the schedule that were given, with the job where any of its were. */
  Map<String, Object> body(Words words) {
    Map<String, Object> body = new LinkedHashMap<>();
    if (cron != null && every != null) {
      throw new ClientException(ExitCodes.USAGE, "--cron and --every exclude each other");
    }
    put(body, "cron", every == null ? cron : "@every " + every);
    put(body, "times", times.isEmpty() ? null : times);
    put(body, "zone", zone);
    put(body, "overlap", overlap);
    put(body, "catch_up", catchUp);
    put(body, "catch_up_limit", catchUpLimit);
    put(body, "jitter_seconds", jitterSeconds);
    put(body, "starts_at", startsAt);
    put(body, "ends_at", endsAt);
    Map<String, Object> ofJob = job.ofSchedule(words.command());
    put(body, "job", ofJob.isEmpty() ? null : ofJob);
    return body;
  }

  private static void put(Map<String, Object> body, String name, @Nullable Object value) {
    if (value != null) {
      body.put(name, value);
    }
  }
}
