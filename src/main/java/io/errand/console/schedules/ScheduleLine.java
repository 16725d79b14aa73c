package io.errand.console.schedules;

import io.errand.console.Words;
import io.errand.job.schedule.Timing;
import io.errand.store.schedules.ScheduleReads.Read;
import io.errand.store.schedules.ScheduleRow;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A schedule in a list.
 *
 * @param words when it ticks, in plain words
 * @param expression as it was given, empty where times are given
 * @param next when it ticks next, or null where it does not
 * @param last its latest tick, or null
 */
record ScheduleLine(
    String name,
    String words,
    String expression,
    String zone,
    boolean isPaused,
    @Nullable Instant next,
    @Nullable TickLine last) {
  private static final DateTimeFormatter LOCAL =
      DateTimeFormatter.ofPattern("EEE uuuu-MM-dd HH:mm:ss xxx", Locale.ENGLISH);

  static ScheduleLine of(Read read) {
    ScheduleRow row = read.row();
    Timing timing = row.schedule().timing();
    List<Instant> next = next(row, 1);
    return new ScheduleLine(
        row.name(),
        words(timing),
        timing.cron() == null ? "" : Words.oneLine(timing.cron()),
        timing.zone(),
        row.schedule().paused(),
        next.isEmpty() ? null : next.get(0),
        read.lastTick() == null ? null : TickLine.of(read.lastTick()));
  }

  static String words(Timing timing) {
    String cron = timing.cron();
    int times = timing.times().size();
    return cron == null
        ? times == 1 ? "once, at a given time" : "at " + times + " given times"
        : Words.oneLine(CronWords.of(cron));
  }

  /** The next ticks; none of a schedule that is paused. */
  static List<Instant> next(ScheduleRow row, int most) {
    return row.schedule().paused()
        ? List.of()
        : row.schedule().timing().ticks().from(row.nextTickAt(), most);
  }

  static String local(Instant tick, String zone) {
    return LOCAL.format(tick.atZone(ZoneId.of(zone)));
  }
}
