package io.errand.job.schedule;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The ticks that are due, and what becomes of them.
 *
 * @param missed those that do not run, or null if there are none; they are before all others
 * @param run those that run, the oldest first
 * @param next the first tick that is not due yet, or null if there is none
 */
public record DueTicks(@Nullable Span missed, List<Instant> run, @Nullable Instant next) {
  /** How late a tick may be with {@link CatchUp#NONE}. */
  public static final Duration ON_TIME = Duration.ofSeconds(60);

  /** How many ticks are counted one by one; of more it is said that there are at least so many. */
  private static final int MOST_COUNTED = 100_000;

  private static final int FIRST_WINDOW_SECONDS = 3_600;

  /**
   * Ticks that follow one another.
   *
   * @param first the first of them
   * @param last the last of them
   * @param count how many they are
   * @param isCounted false where there are at least so many
   */
  public record Span(Instant first, Instant last, long count, boolean isCounted) {
    private static Span of(Instant first, Instant last, long count) {
      return new Span(first, last, count, true);
    }
  }

  /**
   * Decides about the ticks of a schedule that are due.
   *
   * @param first the first of them
   * @param now what is due is not after it
   */
  public static DueTicks of(Schedule schedule, Instant first, Instant now) {
    Ticks ticks = schedule.timing().ticks();
    int keep = schedule.catchUp() == CatchUp.ALL ? schedule.catchUpLimit() : 1;
    DueTicks due = newest(ticks, first, now, keep);
    boolean isLate =
        schedule.catchUp() == CatchUp.NONE
            && !due.run.isEmpty()
            && due.run.get(0).isBefore(now.minus(ON_TIME));
    if (!isLate) {
      return due;
    }
    Instant late = due.run.get(0);
    Span missed = due.missed;
    Span all =
        missed == null
            ? Span.of(late, late, 1)
            : new Span(missed.first, late, missed.count + 1, missed.isCounted);
    return new DueTicks(all, List.of(), due.next);
  }

  /** All ticks that are due, as if none of them ran. */
  public static @Nullable Span span(Timing timing, Instant first, Instant now) {
    return newest(timing.ticks(), first, now, 0).missed;
  }

  private static DueTicks newest(Ticks ticks, Instant first, Instant now, int keep) {
    Deque<Instant> kept = new ArrayDeque<>();
    Instant lastMissed = first;
    long missed = 0;
    Instant tick = first;
    for (int i = 0; i < MOST_COUNTED; i++) {
      if (tick == null || tick.isAfter(now)) {
        Span span = missed == 0 ? null : Span.of(first, lastMissed, missed);
        return new DueTicks(span, List.copyOf(kept), tick);
      }
      kept.add(tick);
      if (kept.size() > keep) {
        lastMissed = kept.remove();
        missed++;
      }
      tick = ticks.next(tick);
    }
    return ofVeryMany(ticks, first, now, keep);
  }

  /** More than are counted: the newest are looked for from the end. */
  private static DueTicks ofVeryMany(Ticks ticks, Instant first, Instant now, int keep) {
    for (long window = FIRST_WINDOW_SECONDS; ; window *= 2) {
      Instant start = now.minusSeconds(window);
      Instant from = start.isBefore(first) ? first : ticks.next(start);
      Deque<Instant> newest = new ArrayDeque<>();
      Instant tick = from;
      while (tick != null && !tick.isAfter(now)) {
        newest.add(tick);
        if (newest.size() > keep + 1) {
          newest.remove();
        }
        tick = ticks.next(tick);
      }
      if (newest.size() == keep + 1) { // there are more than are counted, so there are these
        Instant last = newest.remove();
        return new DueTicks(
            new Span(first, last, MOST_COUNTED - keep, false), List.copyOf(newest), tick);
      }
    }
  }
}
