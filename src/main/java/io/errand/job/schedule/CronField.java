package io.errand.job.schedule;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One field of a cron expression.
 *
 * @param bits bit n is set where the field matches n
 * @param isStar whether a part of it begins with a star
 */
record CronField(long bits, boolean isStar) {
  private static final Pattern PART =
      Pattern.compile("(?:(\\*)|([0-9]{1,9}|[A-Za-z]+)(?:-([0-9]{1,9}|[A-Za-z]+))?)(/[0-9]{1,9})?");
  private static final List<String> NO_NAMES = List.of();
  private static final int SUNDAY = 7;

  /** What a field is about. */
  enum Kind {
    MINUTE("minute", 0, 59, NO_NAMES),
    HOUR("hour", 0, 23, NO_NAMES),
    DAY("day of the month", 1, 31, NO_NAMES),
    MONTH(
        "month",
        1,
        12,
        List.of(
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")),
    WEEKDAY("day of the week", 0, 7, List.of("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"));

    final String title;
    final int least;
    final int most;
    final List<String> names;

    Kind(String title, int least, int most, List<String> names) {
      this.title = title;
      this.least = least;
      this.most = most;
      this.names = names;
    }

    /** The number of a number or name, or null. */
    @Nullable Integer number(String text) {
      if (Character.isDigit(text.charAt(0))) {
        int number = Integer.parseInt(text);
        return number < least || number > most ? null : number;
      }
      int place = names.indexOf(text.toUpperCase(Locale.ROOT));
      return place < 0 ? null : place + least;
    }

    String allowed() {
      String range = least + " to " + most;
      return names.isEmpty()
          ? range
          : range + " or " + names.get(0) + " to " + names.get(names.size() - 1);
    }
  }

  /** Whether it has a number. */
  boolean has(int number) {
    return (bits >>> number & 1) != 0;
  }

  /** The first number from one on that it matches, or -1. */
  int from(int number) {
    long left = number > 63 ? 0 : bits >>> number << number;
    return left == 0 ? -1 : Long.numberOfTrailingZeros(left);
  }

  /**
   * Reads a field.
   *
   * @param faults receives a sentence where it is wrong
   * @return null if it is wrong
   */
  static @Nullable CronField read(Kind kind, String text, List<String> faults) {
    long bits = 0;
    boolean isStar = false;
    for (String part : text.split(",", -1)) {
      String fault = null;
      long own = 0;
      Matcher matcher = PART.matcher(part);
      if (!matcher.matches()) {
        fault = "is no number, name, range a-b, * or step such as */5";
      } else {
        String step = matcher.group(4);
        Integer by = step == null ? Integer.valueOf(1) : Integer.valueOf(step.substring(1));
        Integer first = kind.least;
        Integer last = kind.most;
        if (matcher.group(1) == null) {
          first = kind.number(matcher.group(2));
          last = matcher.group(3) == null ? first : kind.number(matcher.group(3));
          if (kind == Kind.WEEKDAY
              && first != null
              && first > 0
              && Integer.valueOf(0).equals(last)) {
            last = SUNDAY; // as in FRI-SUN
          }
          if (step != null && matcher.group(3) == null) {
            fault = "has a step, which needs * or a range before it";
          }
        }
        if (first == null || last == null) {
          fault = "is not within " + kind.allowed();
        } else if (first > last) {
          fault = "is a range that ends before it begins";
        } else if (by < 1 || by > kind.most) {
          fault = "has a step that is not within 1 to " + kind.most;
        }
        if (fault == null && first != null && last != null) {
          for (int i = first; i <= last; i += by) {
            own |= 1L << i;
          }
        }
        isStar |= matcher.group(1) != null;
      }
      if (fault != null) {
        faults.add(
            kind.title + " (field " + (kind.ordinal() + 1) + "): \"" + shown(part) + "\" " + fault);
        return null;
      }
      bits |= own;
    }
    if (kind == Kind.WEEKDAY && (bits >>> SUNDAY & 1) != 0) {
      bits = (bits | 1) & ~(1L << SUNDAY);
    }
    return new CronField(bits, isStar);
  }

  static String shown(String text) {
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }
}
