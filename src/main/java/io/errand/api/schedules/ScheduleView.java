package io.errand.api.schedules;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.request.WireTime;
import io.errand.job.Seal;
import io.errand.job.schedule.Schedule;
import io.errand.job.schedule.Timing;
import io.errand.queue.SealInputs;
import io.errand.queue.schedules.ScheduledBody;
import io.errand.store.schedules.ScheduleReads.Read;
import io.errand.store.schedules.ScheduleRow;
import io.errand.store.schedules.TickRow;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A schedule on the wire. Listed schedules come without the job. */
@JsonNaming(SnakeCaseStrategy.class)
record ScheduleView(
    String name,
    @Nullable String cron,
    @Nullable List<String> times,
    String zone,
    String overlap,
    String catchUp,
    int catchUpLimit,
    double jitterSeconds,
    @Nullable String startsAt,
    @Nullable String endsAt,
    boolean paused,
    @Nullable String createdAt,
    @Nullable String updatedAt,
    @Nullable TickView lastTick,
    List<NextRun> nextRuns,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable JsonNode job) {
  private static final int NEXT_RUNS = 5;
  private static final DateTimeFormatter LOCAL =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxxx", Locale.ROOT);

  /** A tick to come. */
  @JsonNaming(SnakeCaseStrategy.class)
  record NextRun(@Nullable String tickAt, String localTime) {}

  /** A tick that was decided about, or several that were skipped. */
  @JsonNaming(SnakeCaseStrategy.class)
  record TickView(
      @Nullable String tickAt,
      @Nullable String lastTickAt,
      long ticks,
      @Nullable UUID jobId,
      @Nullable String jobState,
      @Nullable String skipped,
      @Nullable String detail,
      @Nullable String handledAt) {

    static TickView of(TickRow tick) {
      return new TickView(
          WireTime.format(tick.tickAt()),
          WireTime.format(tick.lastTickAt()),
          tick.ticks(),
          tick.jobId(),
          tick.jobState(),
          tick.skipped(),
          tick.detail(),
          WireTime.format(tick.handledAt()));
    }
  }

  static ScheduleView listed(Read read) {
    return of(read, null);
  }

  static ScheduleView of(Read read) {
    return of(read, shown(ScheduledBody.read(read.row().schedule().job())));
  }

  /** One that is not stored. */
  static ScheduleView preview(ScheduleRow row) {
    ScheduleView view = of(new Read(row, null));
    return new ScheduleView(
        view.name,
        view.cron,
        view.times,
        view.zone,
        view.overlap,
        view.catchUp,
        view.catchUpLimit,
        view.jitterSeconds,
        view.startsAt,
        view.endsAt,
        view.paused,
        null,
        null,
        null,
        view.nextRuns,
        view.job);
  }

  private static ScheduleView of(Read read, @Nullable JsonNode job) {
    ScheduleRow row = read.row();
    Schedule schedule = row.schedule();
    Timing timing = schedule.timing();
    return new ScheduleView(
        row.name(),
        timing.cron(),
        timing.cron() == null ? timing.times().stream().map(WireTime::format).toList() : null,
        timing.zone(),
        schedule.overlap().wireName(),
        schedule.catchUp().wireName(),
        schedule.catchUpLimit(),
        schedule.jitterSeconds(),
        WireTime.format(timing.startsAt()),
        WireTime.format(timing.endsAt()),
        schedule.paused(),
        WireTime.format(row.createdAt()),
        WireTime.format(row.updatedAt()),
        read.lastTick() == null ? null : TickView.of(read.lastTick()),
        nextRuns(row),
        job);
  }

  /** The ticks that will be next; none of a schedule that is paused. */
  static List<NextRun> nextRuns(ScheduleRow row) {
    if (row.schedule().paused()) {
      return List.of();
    }
    Timing timing = row.schedule().timing();
    ZoneId zone = ZoneId.of(timing.zone());
    return timing.ticks().from(row.nextTickAt(), NEXT_RUNS).stream()
        .map(tick -> new NextRun(WireTime.format(tick), local(tick, zone)))
        .toList();
  }

  private static String local(Instant tick, ZoneId zone) {
    return LOCAL.format(ZonedDateTime.ofInstant(tick, zone));
  }

  /** The job without its secrets, of which the names and the size are shown as in other answers. */
  static JsonNode shown(JsonNode body) {
    if (body instanceof ObjectNode job) {
      JsonNode environment = job.remove("env");
      if (environment != null && environment.isObject()) {
        ArrayNode names = job.putArray("env_names");
        environment.fieldNames().forEachRemaining(names::add);
      }
      boolean isSealed = job.remove(SealInputs.KEY) != null;
      JsonNode stdin = job.remove("stdin");
      if (stdin != null && stdin.isTextual()) {
        String text = stdin.textValue();
        job.put(
            "stdin_bytes",
            isSealed
                ? Seal.clearBytes(text.length())
                : text.getBytes(StandardCharsets.UTF_8).length);
      }
    }
    return body;
  }
}
