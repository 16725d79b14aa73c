package io.errand.cli;

import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The lines of {@code errand top}: pure, so that any size can be tried. */
final class TopView {
  private static final String REVERSE = "\033[7m";
  private static final String BOLD = "\033[1m";
  private static final String KEYS =
      "j/k move  Tab queues/jobs  f output  t processes  c cancel  p pause  q quit";
  private static final int LEAST_LINES = 10;
  private static final int LEAST_COLUMNS = 40;

  /**
   * What the viewer has chosen.
   *
   * @param isInQueues whether keys move in the queues, else in the jobs
   * @param queue the name of the chosen queue, or empty
   * @param job the id of the chosen job, or empty
   * @param isOutput whether the output of the job is shown, else its processes
   * @param output the last lines of that
   * @param message the last line instead of the keys, or empty
   */
  record Choice(
      boolean isInQueues,
      String queue,
      String job,
      boolean isOutput,
      List<String> output,
      String message) {}

  private final int lines;
  private final int columns;

  TopView(int lines, int columns) {
    this.lines = lines;
    this.columns = columns;
  }

  /** How many lines of output fit. */
  int outputLines() {
    return Math.max(1, lines);
  }

  /** Exactly as many lines as the terminal has, none wider than it is. */
  List<String> draw(String url, TopData data, Choice choice) {
    List<String> text = new ArrayList<>();
    text.add(BOLD + Cells.cut(title(url, data), columns));
    if (lines < LEAST_LINES || columns < LEAST_COLUMNS) {
      text.add(Cells.cut("the terminal is too small", columns));
      return text.subList(0, Math.min(lines, text.size()));
    }
    int room = lines - 2; // without the title and the keys
    int queueRows = Math.max(2, Math.min(data.queues().size() + 1, room / 4));
    int jobRows = Math.max(3, Math.min(data.jobs().size() + 1, room * 2 / 5));
    add(
        text,
        queueRows,
        data.queues(),
        List.of("name", "paused", "queued", "running", "retrying", "held"),
        "name",
        choice.queue(),
        choice.isInQueues(),
        "no queue has jobs");
    add(
        text,
        jobRows,
        data.jobs(),
        List.of("id", "state", "queue", "attempt", "started_at", "command"),
        "id",
        choice.job(),
        !choice.isInQueues(),
        "no job runs");
    addDetails(text, lines - 1 - text.size(), data, choice);
    while (text.size() < lines - 1) {
      text.add("");
    }
    String last = choice.message().isEmpty() ? KEYS : choice.message();
    text.add(REVERSE + Cells.padded(Cells.cut(last, columns), columns));
    return text;
  }

  private String title(String url, TopData data) {
    String state =
        data.fault().isEmpty()
            ? "  " + data.busy() + " of " + data.slots() + " slots busy"
            : "  reconnecting: " + data.fault();
    String at =
        data.at().getEpochSecond() == 0
            ? ""
            : "  " + data.at().truncatedTo(ChronoUnit.SECONDS).toString().substring(11);
    return "errand top  " + url + at + state;
  }

  /** A table around the row that is chosen. */
  private void add(
      List<String> text,
      int most,
      List<Map<String, Object>> rows,
      List<String> names,
      String key,
      String chosen,
      boolean hasKeys,
      String nothing) {
    if (rows.isEmpty()) {
      text.add(Cells.cut(nothing, columns));
      return;
    }
    List<String> table = new Table(rows, names).lines(columns, false);
    List<String> colored =
        Terminal.isColored() ? new Table(rows, names).lines(columns, true) : table;
    text.add(BOLD + table.get(0));
    int index = index(rows, key, chosen);
    int shown = most - 1;
    int from = Math.max(0, Math.min(index - shown / 2, rows.size() - shown));
    for (int i = from; i < Math.min(rows.size(), from + shown); i++) {
      boolean isChosen = i == index && hasKeys;
      text.add(isChosen ? REVERSE + Cells.padded(table.get(i + 1), columns) : colored.get(i + 1));
    }
  }

  static int index(List<Map<String, Object>> rows, String key, String chosen) {
    for (int i = 0; i < rows.size(); i++) {
      if (chosen.equals(String.valueOf(rows.get(i).get(key)))) {
        return i;
      }
    }
    return 0;
  }

  private void addDetails(List<String> text, int room, TopData data, Choice choice) {
    if (room < 2 || choice.job().isEmpty()) {
      return;
    }
    if (choice.isOutput()) {
      text.add(BOLD + Cells.cut("OUTPUT of " + choice.job(), columns));
      List<String> output = choice.output();
      output
          .subList(Math.max(0, output.size() - room + 1), output.size())
          .forEach(line -> text.add(Cells.cut(line, columns)));
      return;
    }
    if (data.processes().isEmpty()) {
      text.add(Cells.cut("no processes of " + choice.job(), columns));
      return;
    }
    List<String> table =
        new Table(
                data.processes(),
                List.of("pid", "state", "cpu_seconds", "memory", "elapsed_seconds", "command"))
            .lines(columns, false);
    text.add(BOLD + table.get(0));
    table.subList(1, Math.min(table.size(), room)).forEach(text::add);
  }
}
