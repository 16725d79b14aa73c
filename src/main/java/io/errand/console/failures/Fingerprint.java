package io.errand.console.failures;

import io.errand.console.Words;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What failures of one kind have in common.
 *
 * @param result why the attempt counts as failed: an exit code, a signal, or a reason
 * @param line the last line of its stderr without what differs from job to job, or empty
 */
record Fingerprint(String result, String line) {
  private static final int MOST_LINE = 200;

  /** What a text is replaced by, the more particular first. */
  private record Rule(Pattern pattern, String by) {}

  private static final List<Rule> RULES =
      List.of(
          new Rule(
              Pattern.compile(
                  "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"),
              "<id>"),
          new Rule(
              Pattern.compile(
                  "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
                      + "([.,][0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?"),
              "<time>"),
          new Rule(Pattern.compile("\\b0x[0-9a-fA-F]+\\b"), "<hex>"),
          new Rule(Pattern.compile("\\b(?=[0-9a-f]*[0-9])[0-9a-f]{12,}\\b"), "<hex>"),
          new Rule(Pattern.compile("[0-9][0-9.]*[0-9]|[0-9]"), "<n>"));

  private static final Pattern COLOURS = Pattern.compile("\\x1b\\[[0-9;]*m");

  /**
   * Of one failure.
   *
   * @param tail the end of its stderr, or null
   */
  static Fingerprint of(
      String reason, @Nullable Integer exitCode, @Nullable String signal, byte @Nullable [] tail) {
    String result =
        exitCode != null && reason.equals("exit_code")
            ? "exit " + exitCode
            : signal != null && reason.equals("signal") ? signal : reason.replace('_', ' ');
    return new Fingerprint(result, normal(last(tail)));
  }

  /** The last line that is not blank, in which nothing acts. */
  static String lastLine(byte @Nullable [] tail) {
    return Words.oneLine(last(tail));
  }

  private static String last(byte @Nullable [] tail) {
    if (tail == null) {
      return "";
    }
    String[] lines = new String(tail, StandardCharsets.UTF_8).split("[\r\n]+");
    for (int i = lines.length - 1; i >= 0; i--) {
      String line = COLOURS.matcher(lines[i]).replaceAll("").strip();
      if (!line.isEmpty()) {
        return line;
      }
    }
    return "";
  }

  private static String normal(String line) {
    String text = line;
    for (Rule rule : RULES) {
      text = rule.pattern().matcher(text).replaceAll(rule.by());
    }
    String shown = Words.oneLine(text);
    return shown.length() <= MOST_LINE ? shown : shown.substring(0, MOST_LINE) + "…";
  }
}
