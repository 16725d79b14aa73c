package io.errand.console.failures;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How often something happened in each of the last {@value #HOURS} hours, as bars of a small chart
 * of {@value #WIDTH} by {@value #HEIGHT}.
 *
 * @param bars one for each hour, the oldest first
 * @param most in one hour
 * @param words what the chart says
 */
record Trend(List<Bar> bars, long most, String words) {
  static final int HOURS = 24;
  static final int WIDTH = 120;
  static final int HEIGHT = 24;
  private static final int STEP = WIDTH / HOURS;

  /**
   * An hour.
   *
   * @param x left edge
   * @param y upper edge
   * @param height 1 at least, so that an hour without any can be seen
   * @param tone a class of the style sheet: none, some, or unknown
   * @param count how many
   */
  record Bar(int x, int y, int height, String tone, long count) {}

  /**
   * The trend of some times.
   *
   * @param since hours that end before are not known, or null
   */
  static Trend of(List<Instant> times, @Nullable Instant since, Instant now) {
    long[] counts = new long[HOURS];
    for (Instant time : times) {
      long hours = Duration.between(time, now).toHours();
      if (hours < HOURS) {
        counts[HOURS - 1 - (int) Math.max(0, hours)]++;
      }
    }
    long most = 0;
    long all = 0;
    for (long count : counts) {
      most = Math.max(most, count);
      all += count;
    }
    List<Bar> bars = new ArrayList<>();
    for (int i = 0; i < HOURS; i++) {
      Instant end = now.minus(Duration.ofHours(HOURS - 1L - i));
      boolean isUnknown = since != null && end.isBefore(since);
      int height =
          counts[i] == 0 ? 1 : Math.max(2, (int) Math.round((double) HEIGHT * counts[i] / most));
      String tone = counts[i] > 0 ? "some" : isUnknown ? "unknown" : "none";
      bars.add(new Bar(i * STEP, HEIGHT - height, height, tone, counts[i]));
    }
    return new Trend(
        bars, most, all + " in the last " + HOURS + " hours, at most " + most + " in one of them");
  }
}
