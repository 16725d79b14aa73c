package io.errand.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.text.FuzzedText;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A header {@code Authorization} is no key, or a key whose text is in it. */
@Tag("fuzz")
class ApiKeyFuzzTest {
  @FuzzTest
  @Timeout(60)
  void aKeyIsItsText(byte[] bytes) {
    String header = FuzzedText.of(bytes);
    String token = Identities.bearerOf(header);
    if (token == null) {
      return;
    }
    assertThat(header).contains(token);
    ApiKey key = ApiKey.parse(token);
    if (key != null) {
      assertThat(key.text()).isEqualTo(token).matches("errand_[a-z0-9]{12}_[A-Za-z0-9_-]{43}");
      assertThat(key.toString()).doesNotContain(key.secret());
      assertThat(key.hash()).hasSize(32);
    }
  }
}
