package io.errand.console;

import io.errand.text.Visible;
import io.quarkus.qute.TemplateExtension;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** How values are shown to people. Also for templates, as properties of the values. */
@TemplateExtension
public final class Words {
  private static final DateTimeFormatter UTC =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final Pattern PLAIN_WORD = Pattern.compile("[A-Za-z0-9_@%+=:,./-]+");
  private static final int MOST_LINE = 400;
  private static final long MINUTE = 60;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;
  private static final int KIBI = 1024;

  private Words() {}

  /** A time as machines read it. */
  public static String iso(Instant time) {
    return time.toString();
  }

  /** A time to the second. */
  public static String utc(Instant time) {
    return UTC.format(time) + " UTC";
  }

  /** How long ago a time is, or how far ahead, to one unit. */
  public static String ago(Instant time) {
    long seconds = Duration.between(time, Instant.now()).toSeconds();
    String span = unit(Math.abs(seconds));
    return seconds < 0 ? "in " + span : span + " ago";
  }

  private static String unit(long seconds) {
    if (seconds < MINUTE) {
      return seconds + " s";
    }
    if (seconds < HOUR) {
      return seconds / MINUTE + " min";
    }
    return seconds < 2 * DAY ? seconds / HOUR + " h" : seconds / DAY + " d";
  }

  /** A length of time, to two units. */
  public static String span(double seconds) {
    long whole = (long) seconds;
    if (seconds < 1) {
      return Math.round(seconds * 1000) + " ms";
    }
    if (seconds < MINUTE) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    if (seconds < HOUR) {
      return whole / MINUTE + " min " + whole % MINUTE + " s";
    }
    return seconds < DAY
        ? whole / HOUR + " h " + whole % HOUR / MINUTE + " min"
        : whole / DAY + " d " + whole % DAY / HOUR + " h";
  }

  /** A number of bytes, to three digits. */
  public static String size(long bytes) {
    if (bytes < KIBI) {
      return bytes + " B";
    }
    double value = bytes;
    int unit = 0;
    while (value >= KIBI && unit < 4) {
      value /= KIBI;
      unit++;
    }
    return String.format(
        Locale.ROOT,
        value < 10 ? "%.1f %s" : "%.0f %s",
        value,
        new String[] {"B", "KiB", "MiB", "GiB", "TiB"}[unit]);
  }

  /** A number with its thousands apart. */
  public static String grouped(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  /** With a capital letter. */
  public static String capitalised(String text) {
    return text.isEmpty()
        ? text
        : text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
  }

  /** One line in which nothing acts, and which is not long. */
  public static String oneLine(@Nullable String text) {
    String line = Visible.line(text == null ? "" : text);
    return line.length() <= MOST_LINE ? line : line.substring(0, MOST_LINE) + "…";
  }

  /** Text of several lines in which nothing acts. */
  public static String lines(@Nullable String text) {
    return Visible.lines(text == null ? "" : text);
  }

  /** A text as the value of a parameter of an address. */
  public static String param(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** A command as one would type it into a shell. */
  public static String shellLine(Iterable<String> command) {
    StringBuilder line = new StringBuilder();
    for (String word : command) {
      line.append(line.length() == 0 ? "" : " ").append(shellWord(word));
    }
    return line.toString();
  }

  private static String shellWord(String word) {
    return PLAIN_WORD.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
