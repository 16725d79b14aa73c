package io.errand.job.schedule;

import io.errand.job.schedule.CronField.Kind;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.YearMonth;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A cron expression of five fields: minute, hour, day of the month, month, day of the week. A day
 * matches if both of its fields do; where neither field has a star, if one of them does.
 */
final class Cron {
  private static final Map<String, String> MACROS =
      Map.of(
          "@yearly", "0 0 1 1 *",
          "@annually", "0 0 1 1 *",
          "@monthly", "0 0 1 * *",
          "@weekly", "0 0 * * 0",
          "@daily", "0 0 * * *",
          "@midnight", "0 0 * * *",
          "@hourly", "0 * * * *");

  private static final int MOST_YEAR = 9999;

  /** From one 29 February to the next there are at most eight years. */
  private static final int MOST_MONTHS = 12 * 9;

  private final CronField minutes;
  private final CronField hours;
  private final CronField days;
  private final CronField months;
  private final CronField weekdays;

  private Cron(List<CronField> fields) {
    minutes = fields.get(0);
    hours = fields.get(1);
    days = fields.get(2);
    months = fields.get(3);
    weekdays = fields.get(4);
  }

  /**
   * Reads an expression, or one of the names such as {@code @daily}.
   *
   * @param faults receives a sentence for everything that is wrong
   * @return null if anything is wrong
   */
  static @Nullable Cron read(String text, List<String> faults) {
    String trimmed = text.strip();
    if (trimmed.startsWith("@")) {
      String known = MACROS.get(trimmed.toLowerCase(Locale.ROOT));
      if (known == null) {
        faults.add(
            "\""
                + CronField.shown(trimmed)
                + "\" is not one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly,"
                + " @annually and @every DURATION");
        return null;
      }
      return read(known, faults);
    }
    String[] parts = trimmed.split("[ \\t]+", -1);
    if (parts.length != Kind.values().length || trimmed.isEmpty()) {
      faults.add(
          "has "
              + (trimmed.isEmpty() ? 0 : parts.length)
              + " fields and must have 5: minute, hour, day of the month, month, day of the week");
      return null;
    }
    List<CronField> fields = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      CronField field = CronField.read(kind, parts[kind.ordinal()], faults);
      if (field != null) {
        fields.add(field);
      }
    }
    if (fields.size() != parts.length) {
      return null;
    }
    Cron cron = new Cron(fields);
    if (cron.next(LocalDate.of(2000, 1, 1).atStartOfDay()) == null) {
      faults.add(
          "never fires: no month of field 4 (\""
              + CronField.shown(parts[3])
              + "\") has a day of field 3 (\""
              + CronField.shown(parts[2])
              + "\")");
      return null;
    }
    return cron;
  }

  /** Whether it is an interval: its minute or its hour has a star. */
  boolean isInterval() {
    return minutes.isStar() || hours.isStar();
  }

  /** The first local time from one on that it matches, or null where there is none up to 9999. */
  @Nullable LocalDateTime next(LocalDateTime from) {
    LocalDateTime start = from.truncatedTo(ChronoUnit.MINUTES);
    if (start.isBefore(from)) {
      start = start.plusMinutes(1);
    }
    LocalDate date = start.toLocalDate();
    if (matches(date)) {
      LocalTime time = timeFrom(start.getHour(), start.getMinute());
      if (time != null) {
        return date.atTime(time);
      }
    }
    LocalDate found = dayAfter(date);
    return found == null ? null : found.atTime(hours.from(0), minutes.from(0));
  }

  private @Nullable LocalTime timeFrom(int hour, int minute) {
    if (hours.has(hour)) {
      int found = minutes.from(minute);
      if (found >= 0) {
        return LocalTime.of(hour, found);
      }
    }
    int later = hours.from(hour + 1);
    return later < 0 ? null : LocalTime.of(later, minutes.from(0));
  }

  private @Nullable LocalDate dayAfter(LocalDate date) {
    YearMonth month = YearMonth.from(date);
    int first = date.getDayOfMonth() + 1;
    for (int i = 0; i < MOST_MONTHS && month.getYear() <= MOST_YEAR; i++) {
      if (months.has(month.getMonthValue())) {
        for (int day = first; day <= month.lengthOfMonth(); day++) {
          LocalDate candidate = month.atDay(day);
          if (matches(candidate)) {
            return candidate;
          }
        }
      }
      month = month.plusMonths(1);
      first = 1;
    }
    return null;
  }

  private boolean matches(LocalDate date) {
    if (!months.has(date.getMonthValue())) {
      return false;
    }
    boolean day = days.has(date.getDayOfMonth());
    boolean weekday = weekdays.has(date.getDayOfWeek().getValue() % 7);
    return days.isStar() || weekdays.isStar() ? day && weekday : day || weekday;
  }
}
