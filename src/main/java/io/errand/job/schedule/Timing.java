package io.errand.job.schedule;

import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * When a schedule ticks.
 *
 * @param cron five fields, a name such as {@code @daily}, or {@code @every DURATION}; null where
 *     times are given
 * @param times the ticks themselves, 1 to {@value #MOST_TIMES}; empty where a cron expression is
 *     given
 * @param zone a name of the IANA database, in which the cron expression is read
 * @param startsAt no tick is before it, or null
 * @param endsAt no tick is after it, or null
 */
public record Timing(
    @Nullable String cron,
    List<Instant> times,
    String zone,
    @Nullable Instant startsAt,
    @Nullable Instant endsAt) {
  public static final int MOST_TIMES = 1_000;
  public static final int MOST_CRON_CHARACTERS = 512;

  /** Takes a copy. */
  public Timing {
    times = List.copyOf(times);
  }

  /** What is wrong with a cron expression: a sentence for each fault, none if it is right. */
  public static List<String> faultsOf(String cron) {
    List<String> faults = new ArrayList<>();
    if (isEvery(cron)) {
      EveryTicks.read(cron, faults);
    } else {
      Cron.read(cron, faults);
    }
    return faults;
  }

  /**
   * Its ticks.
   *
   * @throws IllegalArgumentException if the cron expression is wrong
   * @throws java.time.DateTimeException if this Java does not know the zone
   */
  public Ticks ticks() {
    Ticks all = cron == null ? new ListedTicks(times) : ofCron(cron, ZoneId.of(zone));
    Instant first = startsAt == null ? null : startsAt.minusNanos(1);
    return after -> {
      Instant next = all.next(first != null && first.isAfter(after) ? first : after);
      return next == null || (endsAt != null && next.isAfter(endsAt)) ? null : next;
    };
  }

  private static Ticks ofCron(String text, ZoneId zone) {
    List<String> faults = new ArrayList<>();
    if (isEvery(text)) {
      EveryTicks every = EveryTicks.read(text, faults);
      if (every != null) {
        return every;
      }
    } else {
      Cron cron = Cron.read(text, faults);
      if (cron != null) {
        return new CronTicks(cron, zone);
      }
    }
    throw new IllegalArgumentException(String.join("; ", faults));
  }

  private static boolean isEvery(String text) {
    return text.strip().toLowerCase(Locale.ROOT).startsWith(EveryTicks.PREFIX);
  }
}
