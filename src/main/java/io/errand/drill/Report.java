package io.errand.drill;

import io.errand.client.Json;
import io.errand.store.history.HistoryCheck.Violation;
import io.errand.text.Visible;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a drill did, and what came of it. */
final class Report {
  private final Map<String, Object> facts = new LinkedHashMap<>();
  private final List<Struck> struck = new ArrayList<>();
  private final List<Violation> violations = new ArrayList<>();

  /**
   * A fault.
   *
   * @param seconds how long it took
   * @param recoverySeconds from its end until all servers answered and a new job had succeeded; -1
   *     where that did not happen in time
   */
  record Struck(int round, String fault, String what, double seconds, double recoverySeconds) {}

  /** Something about the drill as a whole. */
  void fact(String name, Object value) {
    facts.put(name, value);
  }

  void add(Struck one) {
    struck.add(one);
  }

  void add(List<Violation> more) {
    violations.addAll(more);
  }

  boolean isGreen() {
    return violations.isEmpty();
  }

  List<Violation> violations() {
    return violations;
  }

  /** As JSON, in one line. */
  String json() {
    Map<String, Object> all = new LinkedHashMap<>(facts);
    all.put("holds", isGreen());
    all.put(
        "faults",
        struck.stream()
            .map(
                one -> {
                  Map<String, Object> fields = new LinkedHashMap<>();
                  fields.put("round", one.round());
                  fields.put("fault", one.fault());
                  fields.put("what", one.what());
                  fields.put("seconds", one.seconds());
                  fields.put("recovery_seconds", one.recoverySeconds());
                  return fields;
                })
            .toList());
    all.put(
        "violations",
        violations.stream()
            .map(one -> Map.of("rule", one.rule(), "job", one.job(), "detail", one.detail()))
            .toList());
    return Json.write(all) + "\n";
  }

  /** As Markdown. */
  String markdown() {
    StringBuilder text = new StringBuilder("# Drill\n\n");
    text.append(isGreen() ? "Every promise was kept.\n\n" : "**A promise was broken.**\n\n");
    text.append("| | |\n|---|---|\n");
    facts.forEach((name, value) -> text.append(row(name.replace('_', ' '), value)));
    text.append(
        "\n| round | fault | what happened | lasted | recovered after |\n|---|---|---|---|---|\n");
    for (Struck one : struck) {
      text.append(
          row(
              one.round(),
              one.fault(),
              one.what(),
              seconds(one.seconds()),
              one.recoverySeconds() < 0 ? "not in time" : seconds(one.recoverySeconds())));
    }
    text.append("\n## Violations\n\n");
    if (isGreen()) {
      text.append("None.\n");
    }
    for (Violation one : violations) {
      text.append("- ")
          .append(cell(one.rule() + ": " + one.job() + " " + one.detail()))
          .append('\n');
    }
    return text.toString();
  }

  private static String seconds(double seconds) {
    return String.format(Locale.ROOT, "%.1f s", seconds);
  }

  private static String row(Object... cells) {
    StringBuilder row = new StringBuilder("|");
    for (Object cell : cells) {
      row.append(' ').append(cell(String.valueOf(cell))).append(" |");
    }
    return row.append('\n').toString();
  }

  private static String cell(String text) {
    return Visible.line(text).replace("|", "\\|");
  }
}
