package io.errand.webhooks;

import io.errand.store.webhooks.DeliveryState;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/** What follows a try: the schedule of Standard Webhooks 1.0.0, over three days. */
final class Schedule {
  /** Before the second try, before the third, and so on. */
  private static final List<Duration> DELAYS =
      List.of(
          Duration.ofSeconds(5),
          Duration.ofMinutes(5),
          Duration.ofMinutes(30),
          Duration.ofHours(2),
          Duration.ofHours(5),
          Duration.ofHours(10),
          Duration.ofHours(14),
          Duration.ofHours(20),
          Duration.ofHours(24));

  private static final Duration LONGEST_WISH = Duration.ofHours(24);
  private static final double JITTER = 0.1;

  private Schedule() {}

  /**
   * What follows.
   *
   * @param state of the delivery
   * @param delay to the next try, null if it has ended
   */
  record Next(DeliveryState state, @Nullable Duration delay) {}

  /**
   * What follows a try.
   *
   * @param tries how many there were, with this one
   * @param status of the answer, null where there was none
   * @param retryAfter the header of the answer, or null
   * @param now for a header that names a time
   * @param random from 0 to below 1
   */
  static Next after(
      int tries,
      @Nullable Integer status,
      @Nullable String retryAfter,
      Instant now,
      DoubleSupplier random) {
    if (status != null && status >= 200 && status < 300) {
      return new Next(DeliveryState.DELIVERED, null);
    }
    if (status != null && status == 410) {
      return new Next(DeliveryState.DISABLED, null);
    }
    if (tries > DELAYS.size()) {
      return new Next(DeliveryState.FAILED, null);
    }
    double factor = 1 - JITTER + 2 * JITTER * random.getAsDouble();
    Duration delay =
        Duration.ofMillis((long) (DELAYS.get(Math.max(0, tries - 1)).toMillis() * factor));
    boolean isBusy = status != null && (status == 429 || status == 503);
    Duration wish = isBusy && retryAfter != null ? wish(retryAfter, now) : Duration.ZERO;
    return new Next(DeliveryState.PENDING, wish.compareTo(delay) > 0 ? wish : delay);
  }

  /** Seconds or a time (RFC 9110, section 10.2.3), at most a day; zero for anything else. */
  private static Duration wish(String retryAfter, Instant now) {
    Duration wish;
    if (retryAfter.matches("[0-9]+")) {
      String digits = retryAfter.replaceFirst("^0+(?=[0-9])", "");
      wish = digits.length() > 9 ? LONGEST_WISH : Duration.ofSeconds(Long.parseLong(digits));
    } else {
      try {
        Instant time =
            ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        wish = Duration.between(now, time);
      } catch (DateTimeException e) {
        return Duration.ZERO;
      }
    }
    return wish.compareTo(LONGEST_WISH) > 0 ? LONGEST_WISH : wish;
  }
}
