package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Preferences by the grammar of RFC 7240; {@code ~} parts lines of the header. */
class PreferHeaderTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\u0001',
      value = {
        "30 | wait=30",
        "30 | WAIT \t = \t 30",
        "30 | wait=\"30\"",
        "30 | wait=\"3\\0\"",
        "30 | respond-async, wait=30",
        "30 | ,,;x, wait=30;y",
        "30 | a=\"x, wait=1\", wait=30",
        "30 | a; b=\"\\\"x, wait=1\", wait=30",
        "30 | wait, wait=, wait=x, wait=30, wait=1",
        "30 | x~wait=30~wait=1",
        "0 | wait=0",
        "999999999 | wait=999999999",
        "-1 | x",
        "-1 | wait",
        "-1 | wait=-1",
        "-1 | wait=1.5",
        "-1 | wait=9999999999",
        "-1 | wait=30 x",
        "-1 | wait=30=4",
        "-1 | wait=\"30",
        "-1 | wait=\"30\"x",
        "-1 | return=minimal; wait=30",
        "-1 | =30",
        "-1 | \"",
        "-1 | wait=\"\\",
        "-1 | ;;;="
      })
  void theFirstWaitCounts(int seconds, String lines) {
    assertThat(PreferHeader.waitSeconds(List.of(lines.split("~")))).isEqualTo(seconds);
  }

  @Test
  void aValueThatIsTooLongIsIgnored() {
    String blanks = " ".repeat(PreferHeader.MOST_CHARACTERS - "wait=5".length());
    assertThat(PreferHeader.waitSeconds(List.of("wait" + blanks + "=5"))).isEqualTo(5);
    assertThat(PreferHeader.waitSeconds(List.of("wait" + blanks + " =5"))).isEqualTo(-1);
    assertThat(PreferHeader.waitSeconds(List.of("a" + " ".repeat(18_000) + "b", "wait=5")))
        .isEqualTo(5);
    assertThat(PreferHeader.waitSeconds(List.of(""))).isEqualTo(-1);
  }
}
