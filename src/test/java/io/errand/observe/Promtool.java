package io.errand.observe;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The rules for Prometheus, the alerts in them, and Prometheus' own tool. */
public final class Promtool {
  static final Path FOLDER = Path.of("docker/prometheus");
  public static final List<String> RULES =
      List.of("errand-objectives.yaml", "errand-records.yaml", "errand-alerts.yaml");

  private static final Pattern DURATION =
      Pattern.compile("(?<=\\[)(\\d+)([smh])(?=\\])|(?<=(?:for|interval): )(\\d+)([smh])\\b");

  private Promtool() {}

  /** Where a program of Debian's packages is, or the test is skipped. */
  public static Path find(String program) {
    return Stream.of((System.getenv("PATH") + ":/usr/sbin").split(":"))
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseGet(() -> abort("needs the package prometheus, which has " + program));
  }

  /** What promtool prints, where it finds nothing wrong. */
  public static String run(String... arguments) {
    List<String> command = new ArrayList<>(List.of(find("promtool").toString()));
    command.addAll(List.of(arguments));
    try {
      Process process =
          new ProcessBuilder(command).directory(FOLDER.toFile()).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new AssertionError(command + ": " + said);
      }
      return said;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static String text(String file) {
    try {
      return Files.readString(FOLDER.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The names of the alerts. */
  static List<String> alerts() {
    Matcher names =
        Pattern.compile("(?m)^ {6}- alert: (\\w+)$").matcher(text("errand-alerts.yaml"));
    return names.results().map(name -> name.group(1)).toList();
  }

  /**
   * A file of rules in which all times are shorter: a minute is a second. No time is below one
   * second.
   */
  public static String hastened(String file) {
    return DURATION.matcher(text(file)).replaceAll(Promtool::hastened);
  }

  private static String hastened(MatchResult duration) {
    boolean isWindow = duration.group(1) != null;
    long count = Long.parseLong(duration.group(isWindow ? 1 : 3));
    String unit = duration.group(isWindow ? 2 : 4);
    long seconds =
        switch (unit) {
          case "h" -> 60 * count;
          case "m" -> count;
          default -> 1;
        };
    return seconds + "s";
  }
}
