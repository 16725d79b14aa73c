package io.errand.console.schedules;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Says in plain words when a cron expression ticks. The expression has been accepted before. */
final class CronWords {
  private static final List<String> DAYS =
      List.of("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday");
  private static final List<String> MONTHS =
      List.of(
          "January",
          "February",
          "March",
          "April",
          "May",
          "June",
          "July",
          "August",
          "September",
          "October",
          "November",
          "December");
  private static final Map<String, String> NAMES =
      Map.of(
          "@yearly", "0 0 1 1 *",
          "@annually", "0 0 1 1 *",
          "@monthly", "0 0 1 * *",
          "@weekly", "0 0 * * 0",
          "@daily", "0 0 * * *",
          "@midnight", "0 0 * * *",
          "@hourly", "0 * * * *");
  private static final Pattern EVERY = Pattern.compile("([0-9]{1,9})([dhms])");
  private static final Pattern STEP = Pattern.compile("\\*/([0-9]+)");
  private static final Pattern WEEKDAYS = Pattern.compile("([0-9a-z]{1,9})-([0-9a-z]{1,9})");
  private static final Pattern RANGE = Pattern.compile("([0-9]{1,9})-([0-9]{1,9})");

  private CronWords() {}

  static String of(String expression) {
    String text = expression.strip().toLowerCase(Locale.ROOT);
    if (text.startsWith("@every")) {
      return every(text);
    }
    String[] fields = NAMES.getOrDefault(text, text).split("[ \t]+");
    if (fields.length != 5) {
      return expression;
    }
    String month = list(fields[3], CronWords::month, "every month", "month");
    String words = time(fields[0], fields[1]) + days(fields[2], fields[4]);
    return fields[3].equals("*") ? words : words + ", in " + month;
  }

  private static String every(String text) {
    List<String> parts = new ArrayList<>();
    Matcher part = EVERY.matcher(text);
    while (part.find()) {
      String unit =
          switch (part.group(2)) {
            case "d" -> "day";
            case "h" -> "hour";
            case "m" -> "minute";
            default -> "second";
          };
      int number = Integer.parseInt(part.group(1));
      if (number > 0) {
        parts.add(number == 1 ? "1 " + unit : number + " " + unit + "s");
      }
    }
    String words = String.join(" ", parts);
    return "every " + (parts.size() == 1 && words.startsWith("1 ") ? words.substring(2) : words);
  }

  private static String time(String minutes, String hours) {
    boolean isMinute = minutes.matches("[0-9]+");
    if (isMinute && hours.matches("[0-9,]+")) {
      List<String> times = new ArrayList<>();
      for (String hour : hours.split(",")) {
        times.add(two(hour) + ":" + two(minutes));
      }
      return "at " + joined(times);
    }
    String minute =
        minutes.equals("*")
            ? "every minute"
            : isMinute ? "at minute " + Integer.parseInt(minutes) : steps(minutes, "minute");
    if (hours.equals("*")) {
      return minutes.equals("0")
          ? "every hour, on the hour"
          : isMinute ? minute + " of every hour" : minute;
    }
    Matcher range = RANGE.matcher(hours);
    if (range.matches()) {
      return minute + ", from " + two(range.group(1)) + ":00 to " + two(range.group(2)) + ":59";
    }
    Matcher step = STEP.matcher(hours);
    if (step.matches()) {
      return (minutes.equals("0") ? "" : minute + " of ") + "every " + step.group(1) + " hours";
    }
    return minute + " of the hours " + hours;
  }

  private static String steps(String field, String unit) {
    Matcher step = STEP.matcher(field);
    return step.matches()
        ? "every " + (step.group(1).equals("1") ? unit : step.group(1) + " " + unit + "s")
        : "at the " + unit + "s " + field.replace(",", ", ");
  }

  private static String days(String day, String weekday) {
    String onDay = list(day, CronWords::dayOfMonth, "", "days");
    String onWeekday = weekdays(weekday);
    if (day.equals("*") && weekday.equals("*")) {
      return "";
    }
    if (weekday.equals("*")) {
      return ", on " + onDay + " of the month";
    }
    if (day.equals("*")) {
      return ", " + onWeekday;
    }
    // A day matches both fields where one of them has a star, and else one of the two.
    String word = day.contains("*") || weekday.contains("*") ? " and " : " or ";
    return ", on " + onDay + " of the month" + word + onWeekday;
  }

  private static String weekdays(String field) {
    Matcher range = WEEKDAYS.matcher(field);
    if (range.matches()) {
      String from = weekday(range.group(1));
      String to = weekday(range.group(2));
      return from == null || to == null ? "on weekdays " + field : from + " to " + to;
    }
    return "on " + list(field, CronWords::weekday, "every day", "weekdays");
  }

  /** Reads one value of a field. */
  private interface Value {
    @Nullable String of(String text);
  }

  private static String list(String field, Value value, String all, String what) {
    if (field.equals("*")) {
      return all;
    }
    List<String> words = new ArrayList<>();
    for (String part : field.split(",")) {
      String word = value.of(part);
      if (word == null) {
        return what + " " + field;
      }
      words.add(word);
    }
    return joined(words);
  }

  private static @Nullable String dayOfMonth(String text) {
    return text.matches("[0-9]{1,2}") ? "day " + Integer.parseInt(text) : null;
  }

  private static @Nullable String month(String text) {
    return named(text, MONTHS, 1);
  }

  private static @Nullable String weekday(String text) {
    return named(text.equals("7") ? "0" : text, DAYS, 0);
  }

  private static @Nullable String named(String text, List<String> names, int first) {
    if (text.matches("[0-9]{1,2}")) {
      int at = Integer.parseInt(text) - first;
      return at >= 0 && at < names.size() ? names.get(at) : null;
    }
    return names.stream()
        .filter(name -> text.length() == 3 && name.toLowerCase(Locale.ROOT).startsWith(text))
        .findFirst()
        .orElse(null);
  }

  private static String two(String number) {
    return String.format(Locale.ROOT, "%02d", Integer.parseInt(number));
  }

  private static String joined(List<String> words) {
    int last = words.size() - 1;
    return last == 0
        ? words.get(0)
        : String.join(", ", words.subList(0, last)) + " and " + words.get(last);
  }
}
