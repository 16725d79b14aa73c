package io.errand.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import io.errand.text.FaultText;
import io.errand.text.Visible;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Prints objects as a table, as JSON or as their names. What came from a job is made visible, so
 * that it cannot act on the terminal.
 */
final class Printer {
  /** How to print. */
  enum Format {
    table,
    wide,
    json,
    name
  }

  private Printer() {}

  /**
   * Prints a list.
   *
   * @param rows what to print
   * @param whole what JSON prints instead: the server's own answer
   * @param nameField what the format name prints
   * @param columns of the table
   * @param wideColumns what the format wide adds
   */
  static void print(
      Format format,
      List<Map<String, Object>> rows,
      Object whole,
      String nameField,
      List<String> columns,
      List<String> wideColumns) {
    switch (format) {
      case json -> json(whole);
      case name -> rows.forEach(row -> System.out.println(cell(row.get(nameField))));
      case table -> table(rows, columns);
      case wide -> {
        List<String> all = new ArrayList<>(columns);
        all.addAll(wideColumns);
        table(rows, all);
      }
    }
    System.out.flush();
  }

  static void json(Object value) {
    try {
      String text =
          JSON.std
              .with(JSON.Feature.PRETTY_PRINT_OUTPUT, JSON.Feature.WRITE_NULL_PROPERTIES)
              .asString(value);
      System.out.println(Visible.lines(text)); // its escapes are those of JSON
    } catch (IOException e) {
      throw new ClientException(
          ExitCodes.FAILED, "the answer cannot be printed: " + FaultText.of(e));
    }
  }

  /** Without rows nothing. */
  private static void table(List<Map<String, Object>> rows, List<String> columns) {
    if (rows.isEmpty()) {
      return;
    }
    List<List<String>> cells = new ArrayList<>();
    cells.add(columns.stream().map(String::toUpperCase).toList());
    rows.forEach(row -> cells.add(columns.stream().map(name -> cell(row.get(name))).toList()));
    int[] widths = new int[columns.size()];
    for (List<String> line : cells) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    for (List<String> line : cells) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        text.append(line.get(i));
        if (i < widths.length - 1) {
          text.append(" ".repeat(widths[i] - line.get(i).length() + 2));
        }
      }
      System.out.println(text);
    }
  }

  private static String cell(@Nullable Object value) {
    if (value == null) {
      return "-";
    }
    if (value instanceof List<?> list) {
      return cell(String.join(" ", list.stream().map(Printer::word).toList()));
    }
    String text = Visible.line(value.toString());
    return text.length() > 80 ? text.substring(0, 79) + "…" : text;
  }

  /** As a shell would want it. */
  private static String word(@Nullable Object argument) {
    String text = String.valueOf(argument);
    return text.matches("[A-Za-z0-9_@%+=:,./-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }
}
