package io.errand.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TableTest {
  private static final String ID = "0199b2c4-0000-7000-8000-000000000001";

  private static Map<String, Object> job(Object command) {
    Map<String, Object> job = new LinkedHashMap<>();
    job.put("id", ID);
    job.put("state", "succeeded");
    job.put("reason", "success");
    job.put("queue", "default");
    job.put("attempt", 1);
    job.put("exit_code", 0);
    job.put("created_at", "2020-01-02T08:59:43.278509Z");
    job.put("command", command);
    return job;
  }

  @Test
  void noLineIsWiderThanTheTerminalAndNoIdIsCut() {
    List<Map<String, Object>> rows =
        List.of(
            job(List.of("sh", "-c", "x".repeat(500))),
            job(List.of("printf", "漢字".repeat(90), "😀 é́")));
    for (int width = 60; width <= 300; width++) {
      List<String> lines = new Table(rows, Client.JOB_COLUMNS).lines(width, false);
      int most = width;
      assertThat(lines).hasSize(3).allMatch(line -> Cells.width(line) <= most);
      assertThat(lines.subList(1, 3)).allMatch(line -> line.startsWith(ID + "  "));
      assertThat(lines.get(0)).startsWith("ID ").contains("STATE");
      assertThat(width < 70 || lines.get(0).endsWith("COMMAND")).isTrue();
    }
  }

  @Test
  void whatIsNarrowerThanAnIdIsCutAndDoesNotWrap() {
    List<String> lines =
        new Table(List.of(job(List.of("true"))), Client.JOB_COLUMNS).lines(20, false);
    assertThat(lines).allMatch(line -> Cells.width(line) <= 20);
  }

  @Test
  void withoutABoundAllOfItIsThere() {
    String text = "x".repeat(10_000);
    List<String> lines =
        new Table(List.of(job(List.of("sh", "-c", text))), Client.JOB_COLUMNS)
            .lines(Integer.MAX_VALUE, false);
    assertThat(lines.get(1)).contains(text, "2020-01-02T08:59:43.278509Z");
  }

  @Test
  void columnsThatMatterLessAreLeftOutFirst() {
    List<Map<String, Object>> rows = List.of(job(List.of("sleep", "60")));
    assertThat(new Table(rows, Client.JOB_COLUMNS).lines(80, false).get(0))
        .contains("STATE", "REASON", "COMMAND")
        .doesNotContain("CREATED_AT");
    assertThat(new Table(rows, Client.JOB_COLUMNS).lines(140, false).get(0))
        .contains("CREATED_AT", "EXIT_CODE");
  }

  @Test
  void timesAreShortenedWhereALineWouldBeTooLong() {
    Map<String, Object> today = job(List.of("a".repeat(200)));
    String now = Instant.now().toString().substring(0, 19);
    today.put("created_at", now + ".123456Z");
    List<String> lines =
        new Table(List.of(today, job(List.of("true"))), Client.JOB_COLUMNS).lines(120, false);
    assertThat(lines.get(1)).contains(now.substring(11) + "Z").doesNotContain(now);
    assertThat(lines.get(2)).contains("2020-01-02").doesNotContain("2020-01-02T");
  }

  @Test
  void onlyStatesHaveColours() {
    List<String> lines =
        new Table(List.of(job(List.of("succeeded"))), Client.JOB_COLUMNS).lines(200, true);
    assertThat(lines.get(0)).doesNotContain("\033");
    assertThat(lines.get(1)).containsOnlyOnce("\033[32msucceeded\033[0m");
  }

  @Test
  void controlCharactersAreSeenAndDoNotAct() {
    List<String> lines =
        new Table(List.of(job(List.of("printf", "\033]8;;x\007\u202e\n"))), Client.JOB_COLUMNS)
            .lines(200, false);
    assertThat(lines).allMatch(line -> line.chars().noneMatch(c -> c < ' ' || c == 0x202e));
  }
}
