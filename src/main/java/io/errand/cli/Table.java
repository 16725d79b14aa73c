package io.errand.cli;

import io.errand.text.Visible;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Rows below a header, one line each. A line is never longer than it may be: times are shortened
 * first, then texts are cut, then columns that matter less are left out.
 */
final class Table {
  private static final String GAP = "  ";

  /** To this width a text may be cut before a column is left out. */
  private static final int LEAST_TEXT = 12;

  private static final int LEAST_LAST = 20;

  /** What is left out first where a line has no place for all; then the last but one. */
  private static final List<String> LESS_IMPORTANT =
      List.of(
          "last_tick_at",
          "last_used_at",
          "next_try_at",
          "created_at",
          "heartbeat_at",
          "threads",
          "open_files",
          "parent_pid",
          "elapsed_seconds",
          "wait_channel",
          "zone",
          "attempt",
          "queue",
          "exit_code");

  private static final Map<String, String> COLORS =
      Map.of(
          "succeeded", "32",
          "finished", "32",
          "delivered", "32",
          "failed", "31",
          "cancelled", "35",
          "running", "36",
          "retrying", "33",
          "held", "33");

  private final List<String> columns;
  private final List<List<String>> lines = new ArrayList<>();

  /**
   * A table.
   *
   * @param rows what to show
   * @param columns of which fields
   */
  Table(List<Map<String, Object>> rows, List<String> columns) {
    this.columns = columns;
    lines.add(columns.stream().map(String::toUpperCase).toList());
    rows.forEach(row -> lines.add(columns.stream().map(name -> cell(row.get(name))).toList()));
  }

  /** What stands in a cell. */
  static String cell(@Nullable Object value) {
    if (value == null) {
      return "-";
    }
    if (value instanceof List<?> list) {
      return cell(String.join(" ", list.stream().map(Table::word).toList()));
    }
    return Visible.line(value.toString());
  }

  /** As a shell would want it. */
  private static String word(@Nullable Object argument) {
    String text = String.valueOf(argument);
    return text.matches("[A-Za-z0-9_@%+=:,./-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }

  /**
   * The lines of the table.
   *
   * @param most cells of a line
   * @param isColored whether states have colours
   */
  List<String> lines(int most, boolean isColored) {
    List<Integer> shown = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      shown.add(i);
    }
    if (total(shown, false) > most) {
      shortenTimes();
    }
    while (shown.size() > 2 && total(shown, true) > most) {
      shown.remove(leastImportant(shown));
    }
    int[] widths = fitted(shown, most);
    List<String> text = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      text.add(line(lines.get(i), shown, widths, isColored && i > 0));
    }
    return text;
  }

  private String line(List<String> cells, List<Integer> shown, int[] widths, boolean isColored) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < shown.size(); i++) {
      int column = shown.get(i);
      String cell = Cells.cut(cells.get(column), widths[i]);
      String color = isColored && columns.get(column).equals("state") ? COLORS.get(cell) : null;
      String rest = i < shown.size() - 1 ? Cells.padded("", widths[i] - Cells.width(cell)) : "";
      text.append(color == null ? cell : "\033[" + color + "m" + cell + "\033[0m").append(rest);
      text.append(i < shown.size() - 1 ? GAP : "");
    }
    return text.toString();
  }

  /** Each time of this day as the time of day, each other as its day; both are UTC. */
  private void shortenTimes() {
    String today = LocalDate.now(ZoneOffset.UTC) + "T";
    for (int i = 1; i < lines.size(); i++) {
      lines.set(
          i,
          lines.get(i).stream()
              .map(
                  cell ->
                      !isTime(cell)
                          ? cell
                          : cell.startsWith(today)
                              ? cell.substring(11, 19) + "Z"
                              : cell.substring(0, 10))
              .toList());
    }
  }

  private static boolean isTime(String cell) {
    return cell.length() >= 20
        && cell.endsWith("Z")
        && cell.matches("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?Z");
  }

  /** Where in the list the column stands that is left out next; the first stays, and the state. */
  private int leastImportant(List<Integer> shown) {
    if (shown.size() == 3 && columns.get(shown.get(1)).equals("state")) {
      return 2;
    }
    for (String name : LESS_IMPORTANT) {
      int index = shown.indexOf(columns.indexOf(name));
      if (index > 0 && index < shown.size() - 1) {
        return index;
      }
    }
    return shown.size() - 2;
  }

  private int natural(int column) {
    return lines.stream().mapToInt(line -> Cells.width(line.get(column))).max().orElse(1);
  }

  /** To what a column may be cut: an id is of no use without its end. */
  private int least(int column, boolean isLast) {
    int natural = natural(column);
    if (column == 0 || columns.get(column).endsWith("id")) {
      return natural;
    }
    return Math.min(natural, isLast ? LEAST_LAST : LEAST_TEXT);
  }

  private int total(List<Integer> shown, boolean isCut) {
    int total = GAP.length() * (shown.size() - 1);
    for (int i = 0; i < shown.size(); i++) {
      int column = shown.get(i);
      total += isCut ? least(column, i == shown.size() - 1) : natural(column);
    }
    return total;
  }

  /** The widths: what is too much is taken from the widest that may be cut. */
  private int[] fitted(List<Integer> shown, int most) {
    int[] widths = shown.stream().mapToInt(this::natural).toArray();
    int[] least = new int[widths.length];
    for (int i = 0; i < widths.length; i++) {
      least[i] = least(shown.get(i), i == widths.length - 1);
    }
    long excess = (long) total(shown, false) - most;
    while (excess > 0) {
      int widest = widest(widths, least);
      if (widest < 0) { // an id that is wider than the line
        widths[0] = Math.max(1, (int) (widths[0] - excess));
        break;
      }
      int second = secondWidest(widths, least, widest);
      int cut = (int) Math.min(excess, Math.max(1, widths[widest] - second));
      cut = Math.min(cut, widths[widest] - least[widest]);
      widths[widest] -= cut;
      excess -= cut;
    }
    return widths;
  }

  private static int widest(int[] widths, int[] least) {
    int widest = -1;
    for (int i = 0; i < widths.length; i++) {
      if (widths[i] > least[i] && (widest < 0 || widths[i] > widths[widest])) {
        widest = i;
      }
    }
    return widest;
  }

  private static int secondWidest(int[] widths, int[] least, int widest) {
    int second = least[widest];
    for (int i = 0; i < widths.length; i++) {
      if (i != widest && widths[i] > least[i]) {
        second = Math.max(second, widths[i]);
      }
    }
    return Math.min(second, widths[widest]);
  }
}
