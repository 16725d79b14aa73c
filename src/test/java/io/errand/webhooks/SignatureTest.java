package io.errand.webhooks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.webhooks.Signature.BadKey;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignatureTest {
  private static final String KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  private static final String ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  private static final String EXPECTED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

  private static String sign(String secret) throws BadKey {
    return Signature.of(
        secret,
        ID,
        1_614_265_330,
        List.of(
            "{\"test\": ".getBytes(StandardCharsets.UTF_8),
            "2432232314}".getBytes(StandardCharsets.UTF_8)));
  }

  /** The vector that the libraries of Standard Webhooks test themselves by. */
  @Test
  void thePublishedVectorIsMet() throws BadKey {
    assertThat(sign("whsec_" + KEY)).isEqualTo(EXPECTED);
    assertThat(sign(KEY)).isEqualTo(EXPECTED);
  }

  @Test
  void eachKeySigns() throws BadKey {
    String other = Base64.getEncoder().encodeToString(new byte[64]);
    assertThat(sign("whsec_" + KEY + "\n\nwhsec_" + other).split(" "))
        .hasSize(2)
        .startsWith(EXPECTED)
        .endsWith(sign(other));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "whsec_",
        "no base64!",
        "whsec_c2hvcnQ=",
        "YQ==\nYQ==\nYQ==\nYQ==\nYQ=="
      })
  void whatIsNoKeyIsRefusedWithoutSayingIt(String secret) {
    assertThatThrownBy(() -> sign(secret))
        .isInstanceOf(BadKey.class)
        .hasMessageNotContaining("c2hvcnQ")
        .hasMessageNotContaining("base64!");
    assertThatThrownBy(() -> sign(Base64.getEncoder().encodeToString(new byte[23])))
        .hasMessageContaining("24 to 64 bytes");
    assertThatThrownBy(() -> sign(Base64.getEncoder().encodeToString(new byte[65])))
        .hasMessageContaining("24 to 64 bytes");
  }
}
