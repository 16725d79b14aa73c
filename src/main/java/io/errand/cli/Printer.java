package io.errand.cli;

import io.errand.client.Json;
import io.errand.text.Visible;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
    jsonl,
    name;

    /** Whether it contains that there are more objects than are printed. */
    boolean saysMore() {
      return this == json;
    }
  }

  /** A row of a table that shows more than the object of the server has. */
  static final class Row extends LinkedHashMap<String, Object> {
    private static final long serialVersionUID = 1;
    private final transient Map<String, Object> object;

    /** A row that begins as the object. */
    Row(Map<String, Object> object) {
      super(object);
      this.object = object;
    }
  }

  private Printer() {}

  /**
   * Prints a list.
   *
   * @param rows what to print; a line of JSON each is of the objects behind them
   * @param whole what JSON prints instead: the server's own answer
   * @param nameField what the format name prints
   * @param columns of the table
   * @param wideColumns what the format wide adds
   */
  static void print(
      Format format,
      List<? extends Map<String, Object>> rows,
      Object whole,
      String nameField,
      List<String> columns,
      List<String> wideColumns) {
    List<Map<String, Object>> all = List.copyOf(rows);
    switch (format) {
      case json -> json(whole);
      case jsonl -> all.forEach(row -> line(row instanceof Row shown ? shown.object : row));
      case name -> all.forEach(row -> System.out.println(Table.cell(row.get(nameField))));
      case table -> table(all, columns, Terminal.columns());
      case wide -> {
        List<String> more = new ArrayList<>(columns);
        more.addAll(wideColumns);
        table(all, more, Integer.MAX_VALUE);
      }
    }
    System.out.flush();
  }

  static void json(Object value) {
    System.out.println(Visible.lines(Json.pretty(value))); // its escapes are those of JSON
  }

  private static void line(Object value) {
    System.out.println(Visible.lines(Json.write(value)));
  }

  /** Without rows nothing. */
  private static void table(List<Map<String, Object>> rows, List<String> columns, int most) {
    if (!rows.isEmpty()) {
      new Table(rows, columns).lines(most, Terminal.isColored()).forEach(System.out::println);
    }
  }
}
