package io.errand.ops;

import io.errand.settings.Settings;
import io.errand.store.Durability;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What {@code errand doctor} says of times: whether the clock of this host is that of the database,
 * and whether what stops a server waits as long as its end may take.
 */
final class DoctorTimes {
  /** What the end of a server takes behind its drain: 5 s for commands, 15 s to write, a margin. */
  static final int BEHIND_DRAIN_SECONDS = 25;

  private static final double MOST_SKEW_SECONDS = 1;
  private static final double SHORT_LEASE_SECONDS = 5;
  private static final double SYSTEMD_USUAL_SECONDS = 90;
  private static final int MOST_UNITS = 1_000;
  private static final int MOST_UNIT_BYTES = 1 << 16;
  private static final Pattern SPAN = Pattern.compile("([0-9.]++)(ms|sec|s|min|m|h|)");

  private DoctorTimes() {}

  /**
   * One thing that was looked at.
   *
   * @param name with the times that were found
   * @param problem what follows from them, or null where all is well
   * @param fix what mends it, or null
   */
  record Finding(String name, @Nullable String problem, @Nullable String fix) {}

  /** Compares the clocks: jobs are due by that of the database, and logs are of this host. */
  static Finding clocks(Connection connection) throws SQLException {
    double best = Double.MAX_VALUE;
    double skew = 0;
    for (int i = 0; i < 3; i++) { // the quickest answer is the most exact
      long begin = System.nanoTime();
      double before = System.currentTimeMillis() / 1e3;
      double there = Durability.clock(connection);
      double taken = (System.nanoTime() - begin) / (double) TimeUnit.SECONDS.toNanos(1);
      if (taken < best) {
        best = taken;
        skew = there - before - taken / 2;
      }
    }
    return ofClocks(skew, best);
  }

  /**
   * The same for what was measured.
   *
   * @param skew seconds that the database is ahead
   * @param exactness within which that is so, in seconds
   */
  static Finding ofClocks(double skew, double exactness) {
    String name = String.format(Locale.ROOT, "clocks: the database is %+.3f s ahead", skew);
    return Math.abs(skew) <= MOST_SKEW_SECONDS + exactness
        ? new Finding(name, null, null)
        : new Finding(
            name,
            "jobs are due by the clock of the database; logs of this host and the end of tokens and"
                + " certificates are by its own",
            "timedatectl set-ntp true, or start chronyd, on the host whose clock is wrong");
  }

  /**
   * What the settings of this process and the units of systemd say of the end of a server.
   *
   * @param units folders of units; one of an earlier folder hides those of its name in later ones
   */
  static List<Finding> ends(Settings settings, Path... units) {
    List<Finding> findings = new ArrayList<>();
    double drain = number(settings.get("drain-seconds"), 30);
    double lease = number(settings.get("lease-seconds"), 30);
    findings.add(
        new Finding(
            "stop: what stops the server must wait "
                + seconds(drain + BEHIND_DRAIN_SECONDS)
                + " s (ERRAND_DRAIN_SECONDS "
                + seconds(drain)
                + " + "
                + BEHIND_DRAIN_SECONDS
                + ")",
            null,
            null));
    findings.add(
        new Finding(
            "lease: ERRAND_LEASE_SECONDS = " + seconds(lease),
            lease < SHORT_LEASE_SECONDS
                ? "a pause of the host or of the database for this long ends all commands of a worker"
                    + " as lost"
                : null,
            "ERRAND_LEASE_SECONDS=30"));
    Set<String> names = new HashSet<>();
    for (Path folder : units) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.service")) {
        for (Path file : files) {
          if (names.size() >= MOST_UNITS) {
            break;
          }
          Finding found =
              names.add(String.valueOf(file.getFileName()))
                      && Files.isReadable(file)
                      && Files.isRegularFile(file)
                      && Files.size(file) < MOST_UNIT_BYTES
                  ? ofUnit(file, Files.readString(file), drain)
                  : null;
          if (found != null) {
            findings.add(found);
          }
        }
      } catch (IOException | java.io.UncheckedIOException e) {
        continue; // no systemd, or nothing that we may read
      }
    }
    return findings;
  }

  /** Of a unit that starts a server, else null. */
  static @Nullable Finding ofUnit(Path file, String unit, double usualDrain) {
    boolean startsServer = false;
    double drain = usualDrain;
    double given = SYSTEMD_USUAL_SECONDS;
    for (String line : unit.lines().map(String::strip).toList()) {
      int ownDrain = line.indexOf("ERRAND_DRAIN_SECONDS=");
      startsServer |= line.startsWith("ExecStart=") && line.contains("errand serve");
      if (line.startsWith("Environment=") && ownDrain >= 0) {
        String value = line.substring(ownDrain + "ERRAND_DRAIN_SECONDS=".length());
        drain = number(value.replaceAll("[^0-9.]", " ").strip().split(" ")[0], usualDrain);
      } else if (line.startsWith("TimeoutStopSec=")) {
        given = span(line.substring("TimeoutStopSec=".length()).strip());
      }
    }
    if (!startsServer) {
      return null;
    }
    double needed = drain + BEHIND_DRAIN_SECONDS;
    String name = "stop: " + file + " waits " + seconds(given) + " s";
    if (given < needed) {
      return new Finding(
          name,
          "the end may take "
              + seconds(needed)
              + " s (ERRAND_DRAIN_SECONDS "
              + seconds(drain)
              + " + "
              + BEHIND_DRAIN_SECONDS
              + "): systemd kills the server before, and its attempts count as lost",
          "TimeoutStopSec=" + seconds(needed) + " in " + file + "; systemctl daemon-reload");
    }
    return unit.contains("KillMode=mixed")
        ? new Finding(name, null, null)
        : new Finding(
            name,
            "without KillMode=mixed systemd ends all commands and the built-in database at once",
            "KillMode=mixed in " + file + "; systemctl daemon-reload");
  }

  /** A time span of systemd in seconds; no bound is {@code infinity}. */
  private static double span(String text) {
    if (text.equals("infinity") || text.equals("0")) {
      return Double.MAX_VALUE;
    }
    Matcher parts = SPAN.matcher(text);
    double total = 0;
    int end = 0;
    while (parts.find() && parts.start() == end) {
      end = parts.end();
      total +=
          number(parts.group(1), 0)
              * switch (parts.group(2)) {
                case "ms" -> 0.001;
                case "min", "m" -> 60;
                case "h" -> 3_600;
                default -> 1;
              };
    }
    return end > 0 && end == text.replace(" ", "").length() ? total : SYSTEMD_USUAL_SECONDS;
  }

  private static double number(@Nullable String text, double otherwise) {
    try {
      return text == null ? otherwise : Double.parseDouble(text);
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  private static String seconds(double seconds) {
    return seconds == Double.MAX_VALUE
        ? "for ever"
        : seconds == Math.rint(seconds) ? Long.toString((long) seconds) : Double.toString(seconds);
  }
}
