package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.api.problem.Problem;
import io.errand.text.FuzzedText;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** Values that clients hand back or write by hand: page tokens, preferences, times. */
@Tag("fuzz")
class HeaderValuesFuzzTest {
  private static final String MARK = "0123456789abcdef";

  private static void pageToken(String text) {
    try {
      PageToken token = PageToken.read(text, MARK);
      assertThat(token.createdAt())
          .isBetween(Instant.EPOCH, Instant.parse("9999-12-31T23:59:59.999999Z"));
      assertThat(PageToken.read(token.text(MARK), MARK)).isEqualTo(token);
    } catch (Problem refusal) {
      assertThat(refusal.status()).isEqualTo(400);
    }
  }

  private static void position(String text) {
    try {
      String position = Pages.position("keys", text);
      if (position != null) {
        assertThat(Pages.position("keys", Pages.token("keys", position))).isEqualTo(position);
      }
    } catch (Problem refusal) {
      assertThat(refusal.status()).isEqualTo(400);
    }
  }

  @FuzzTest
  @Timeout(60)
  void areRefusedOrComeBackAsTheyAre(byte[] bytes) {
    String text = FuzzedText.of(bytes);
    pageToken(text);
    pageToken(new PageToken(Instant.EPOCH, new java.util.UUID(0, 0)).text(MARK) + text);
    position(text);
    position(Pages.token("keys", text));
    assertThat(PreferHeader.waitSeconds(List.of(text))).isBetween(-1, 999_999_999);
    assertThat(PreferHeader.waitSeconds(List.of(text, "wait=7"))).isGreaterThanOrEqualTo(0);
    Instant time = WireTime.parse(text);
    if (time != null) {
      assertThat(WireTime.parse(String.valueOf(WireTime.format(time)))).isEqualTo(time);
    }
  }
}
