package io.errand.job.schedule;

import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Ticks at the multiples of an interval since 1970-01-01T00:00:00Z, in every zone the same.
 *
 * @param seconds 1 to {@value #MOST_SECONDS}
 */
record EveryTicks(long seconds) implements Ticks {
  static final String PREFIX = "@every";
  private static final long MOST_SECONDS = 366L * 86_400;
  private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");
  private static final Pattern FORM =
      Pattern.compile(
          "@every[ \\t]+(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?",
          Pattern.CASE_INSENSITIVE);
  private static final List<Long> UNITS = List.of(86_400L, 3_600L, 60L, 1L);

  /**
   * Reads {@code @every 1h30m}.
   *
   * @param faults receives a sentence where it is wrong
   * @return null if it is wrong
   */
  static @Nullable EveryTicks read(String text, List<String> faults) {
    Matcher matcher = FORM.matcher(text.strip());
    if (!matcher.matches()) {
      faults.add("must be @every and a duration such as 30s, 5m, 1h30m or 1d");
      return null;
    }
    long seconds = 0;
    for (int i = 0; i < UNITS.size(); i++) {
      String number = matcher.group(i + 1);
      seconds += number == null ? 0 : Long.parseLong(number) * UNITS.get(i);
    }
    if (seconds < 1 || seconds > MOST_SECONDS) {
      faults.add("must have a duration of 1 second to 366 days");
      return null;
    }
    return new EveryTicks(seconds);
  }

  @Override
  public @Nullable Instant next(Instant after) {
    Instant next =
        Instant.ofEpochSecond((Math.floorDiv(after.getEpochSecond(), seconds) + 1) * seconds);
    return next.isAfter(LAST) ? null : next;
  }
}
