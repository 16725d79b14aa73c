package io.errand.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TopViewTest {
  private static final String ID = "0199b2c4-0000-7000-8000-0000000000%02d";

  private static TopData data(int count) {
    List<Map<String, Object>> queues = new ArrayList<>();
    List<Map<String, Object>> jobs = new ArrayList<>();
    List<Map<String, Object>> processes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      queues.add(Map.of("name", "queue-" + i, "paused", false, "running", i));
      Map<String, Object> job = new LinkedHashMap<>();
      job.put("id", ID.formatted(i));
      job.put("state", "running");
      job.put("queue", "queue-" + i);
      job.put("command", List.of("sh", "-c", "echo 漢字 ".repeat(40)));
      jobs.add(job);
      processes.add(Map.of("pid", 100 + i, "state", "S", "command", "sleep ".repeat(60)));
    }
    return new TopData(Instant.now(), queues, jobs, 8, count, processes, "");
  }

  private static TopView.Choice choice(boolean isInQueues, boolean isOutput, int job) {
    return new TopView.Choice(
        isInQueues, "queue-1", ID.formatted(job), isOutput, List.of("x".repeat(300), "last"), "");
  }

  private static int width(String line) {
    return Cells.width(line.replaceAll("\033\\[[0-9;]*m", ""));
  }

  @Test
  void everySizeIsFilledAndNeverExceeded() {
    for (int lines : new int[] {1, 2, 9, 10, 24, 50, 200}) {
      for (int columns : new int[] {20, 39, 40, 80, 132, 300}) {
        for (int count : new int[] {0, 1, 50}) {
          for (boolean isOutput : new boolean[] {false, true}) {
            List<String> drawn =
                new TopView(lines, columns)
                    .draw("http://x", data(count), choice(isOutput, isOutput, 1));
            assertThat(drawn.size()).isLessThanOrEqualTo(lines);
            assertThat(drawn).allMatch(line -> width(line) <= columns);
            if (lines >= 10 && columns >= 40) {
              assertThat(drawn).hasSize(lines);
              assertThat(drawn.get(lines - 1)).contains("j/k move");
            }
          }
        }
      }
    }
  }

  @Test
  void atTheSizeOfAnOldTerminalAllPartsAreSeen() {
    String drawn =
        String.join("\n", new TopView(24, 80).draw("http://x", data(20), choice(false, false, 15)));
    assertThat(drawn).contains("NAME", "queue-", ID.formatted(15), "PID", "sleep", "q quit");
    assertThat(drawn).contains("\033[7m" + ID.formatted(15));
  }

  @Test
  void keysThatComeTogetherAreReadOneByOne() {
    assertThat(Screen.keys("np\033[Aq\033[1;5B\033OA\033"))
        .containsExactly("n", "p", "\033[A", "q", "\033[1;5B", "\033OA", "\033");
    assertThat(Screen.keys("")).isEmpty();
  }

  @Test
  void theOutputShowsItsEnd() {
    String drawn =
        String.join("\n", new TopView(24, 80).draw("http://x", data(1), choice(false, true, 0)));
    assertThat(drawn).contains("OUTPUT of", "last").doesNotContain("PID");
  }
}
