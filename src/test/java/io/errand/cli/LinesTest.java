package io.errand.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The three ways to keep lines: the last bytes of them, behind a prefix, and for the screen. */
class LinesTest {
  private static String tail(int most, String text) {
    TailLines lines = new TailLines(most);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    lines.write(bytes, 0, bytes.length);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    lines.printTo(new PrintStream(out, false, StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aTailIsTheLastLinesWithOrWithoutALineEnd() {
    assertThat(tail(2, "a\nb\nc\n")).isEqualTo("b\nc\n");
    assertThat(tail(2, "a\nb\nc")).isEqualTo("b\nc");
    assertThat(tail(1, "a\n\n")).isEqualTo("\n");
    assertThat(tail(0, "a\nb")).isEmpty();
    assertThat(tail(9, "a\nb")).isEqualTo("a\nb");
    assertThat(tail(9, "")).isEmpty();
  }

  @Test
  void aTailOfAVeryLongStreamIsBounded() {
    TailLines lines = new TailLines(3);
    byte[] line = ("x".repeat(99) + "\n").getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < 100_000; i++) {
      lines.write(line, 0, line.length);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    lines.printTo(new PrintStream(out, false, StandardCharsets.US_ASCII));
    assertThat(out.size()).isEqualTo(300);
  }

  @Test
  void linesOfSeveralJobsAreNeverMixed() throws InterruptedException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream target = new PrintStream(out, false, StandardCharsets.UTF_8);
    Thread[] threads = new Thread[4];
    for (int t = 0; t < threads.length; t++) {
      PrintStream stream = new PrefixedLines(t + " | ", target).stream();
      String word = Integer.toString(t).repeat(7);
      threads[t] =
          new Thread(
              () -> {
                byte[] half = word.getBytes(StandardCharsets.US_ASCII);
                for (int i = 0; i < 1_000; i++) {
                  stream.write(half, 0, half.length);
                  stream.write(half, 0, half.length);
                  stream.write('\n');
                }
                stream.write(half, 0, half.length);
                stream.close();
              });
      threads[t].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(out.toString(StandardCharsets.UTF_8).lines().toList())
        .hasSize(4_004)
        .allMatch(line -> line.matches("(\\d) \\| \\1{7}(\\1{7})?"));
  }

  @Test
  void onTheScreenAProgressLineIsItsLatestState() {
    LastLines lines = new LastLines();
    byte[] bytes = "10%\r20%\r\nnext \033[31m\n30%\r".getBytes(StandardCharsets.US_ASCII);
    lines.write(bytes, 0, bytes.length);
    assertThat(lines.last(9)).containsExactly("20%", "next \\u001b[31m", "30%");
    for (int i = 0; i < 10_000; i++) {
      lines.write('\n');
    }
    assertThat(lines.last(Integer.MAX_VALUE)).hasSizeLessThanOrEqualTo(501);
  }
}
