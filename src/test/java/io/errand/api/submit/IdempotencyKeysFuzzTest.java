package io.errand.api.submit;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.api.problem.Problem;
import io.errand.text.FuzzedText;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A key is refused, or is 1 to 255 printable characters; quoted it is the same. */
@Tag("fuzz")
class IdempotencyKeysFuzzTest {
  private static String read(String header) {
    return String.valueOf(IdempotencyKeys.read(List.of(header)));
  }

  @FuzzTest
  @Timeout(60)
  void aKeyIsPlainAndTheSameInQuotes(byte[] bytes) {
    String key;
    try {
      key = read(FuzzedText.of(bytes));
    } catch (Problem refusal) {
      assertThat(refusal.status()).isEqualTo(400);
      return;
    }
    assertThat(key).matches("[ -~]{1,255}");
    assertThat(read("\"" + key.replace("\\", "\\\\").replace("\"", "\\\"") + "\"")).isEqualTo(key);
  }
}
