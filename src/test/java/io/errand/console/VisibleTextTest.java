package io.errand.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.qute.Engine;
import io.quarkus.qute.Template;
import io.quarkus.qute.Variant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a value of a page becomes, whatever its template says. */
class VisibleTextTest {
  private static final Engine ENGINE =
      Engine.builder().addDefaults().addResultMapper(new VisibleText.Escaper()).build();

  private static String shown(Object value) {
    Template template = ENGINE.parse("{value}", Variant.forContentType("text/html"));
    return template.data("value", value).render();
  }

  @Test
  void whatWouldActIsShownAsACode() {
    assertThat(shown("\u001b[31m\u009b1m\u202ex\u2066\u200b\u2028\u0600\ud800"))
        .isEqualTo("\\u001b[31m\\u009b1m\\u202ex\\u2066\\u200b\\u2028\\u0600\\ud800");
    assertThat(shown(List.of("\u202e"))).isEqualTo("[\\u202e]");
  }

  @Test
  void signsOfHtmlAreEscaped() {
    assertThat(shown("<a href=\"x\">'&")).isEqualTo("&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    assertThat(shown("<\u202e>")).isEqualTo("&lt;\\u202e&gt;");
  }

  @Test
  void plainTextWithItsLinesStaysAsItIs() {
    assertThat(shown("one\n\ttwo \u00fc \u65e5 \ud83d\ude00"))
        .isEqualTo("one\n\ttwo \u00fc \u65e5 \ud83d\ude00");
    assertThat(shown("one\r\ntwo")).isEqualTo("one\ntwo");
    assertThat(shown(7)).isEqualTo("7");
  }
}
