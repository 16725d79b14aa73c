package io.errand.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VisibleTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u0000", "\u0007", "\b", "\r", "\u001b[31m", "\u001b]0;title\u0007", "\u007f", "\u0085",
        "\u009b31m", "\u009d0;x\u009c", "\u200b", "\u200e", "\u200f", "\u061c", "\u202a", "\u202e",
        "\u2066", "\u2069", "\u2028", "\u2029", "\ufeff", "\ufff9", "\ud800", "\udc00",
        "\udb40\udc41"
      })
  void whatActsIsEscaped(String text) {
    assertThat(Visible.line("a" + text + "b")).matches("[ -~]+").startsWith("a\\u").endsWith("b");
    assertThat(Visible.lines("a" + text + "b")).matches("[ -~]+");
  }

  @Test
  void lineEndsAndTabsStayInTextOfSeveralLinesOnly() {
    assertThat(Visible.lines("a\n\tb")).isEqualTo("a\n\tb");
    assertThat(Visible.line("a\n\tb")).isEqualTo("a\\u000a\\u0009b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "plain", "größe", "日本語", "😀", "a\\u001b"})
  void otherTextStaysAsItIs(String text) {
    assertThat(Visible.line(text)).isSameAs(text);
  }
}
