package io.errand.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** Nothing in a text acts on a terminal or a log once it is made visible. */
@Tag("fuzz")
class VisibleFuzzTest {
  private static final int MOST_GROWTH = 6;

  private static void checkIsHarmless(String text, String visible, String allowed) {
    assertThat(visible.codePoints())
        .allMatch(
            c ->
                allowed.indexOf(c) >= 0
                    || switch (Character.getType(c)) {
                      case Character.CONTROL,
                          Character.FORMAT,
                          Character.SURROGATE,
                          Character.LINE_SEPARATOR,
                          Character.PARAGRAPH_SEPARATOR ->
                          false;
                      default -> true;
                    });
    assertThat(visible.length()).isLessThanOrEqualTo(MOST_GROWTH * text.length());
  }

  @FuzzTest
  @Timeout(60)
  void nothingActs(byte[] bytes) {
    String text = FuzzedText.of(bytes);
    String line = Visible.line(text);
    checkIsHarmless(text, line, "");
    assertThat(Visible.line(line)).isEqualTo(line);
    String lines = Visible.lines(text);
    checkIsHarmless(text, lines, "\n\t");
    assertThat(Visible.lines(lines)).isEqualTo(lines);
    assertThat(Visible.line(lines)).isEqualTo(line);
  }
}
