package io.errand.api.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.store.reads.KeptOutput;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** The kept bytes of a command are one text, by the part and as a whole, and well-formed. */
@Tag("fuzz")
class OutputJsonFuzzTest {
  /** Two bytes for the size of the head, one for the bytes that were dropped, then the output. */
  @FuzzTest
  @Timeout(60)
  void partsMakeTheWhole(byte[] bytes) throws Exception {
    if (bytes.length < 3) {
      return;
    }
    byte[] kept = Arrays.copyOfRange(bytes, 3, bytes.length);
    int head = ((bytes[0] & 0xff) << 8 | bytes[1] & 0xff) % (kept.length + 1);
    KeptOutput output = new KeptOutput(kept, head, kept.length + (bytes[2] & 0xffL));
    String text = OutputText.of(output);
    assertThat(OutputJsonTest.byTheParts(output)).isEqualTo(text);
    assertThat(text.codePoints())
        .noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }
}
