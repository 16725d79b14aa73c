package io.errand.api.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.answer.AnswerParts;
import io.errand.store.reads.KeptOutput;
import io.errand.store.reads.OutputReads.Stream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Output that is written by the part is the text that it is as a whole. */
class OutputJsonTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void partsOfAnyOutputMakeTheTextOfTheWhole() throws Exception {
    Random random = new Random(16);
    for (int i = 0; i < 300; i++) {
      byte[] kept = i % 3 == 0 ? text(random) : bytes(random);
      int head = random.nextInt(kept.length + 1);
      long dropped = i % 2 == 0 ? 0 : 1 + random.nextInt(1_000_000);
      KeptOutput whole = new KeptOutput(kept, head, kept.length + dropped);
      assertThat(byTheParts(whole)).as("round %d", i).isEqualTo(OutputText.of(whole));
    }
  }

  @Test
  void aLargeOutputIsReadInWindowsAndNoPartIsLarger() throws Exception {
    byte[] kept = new byte[1 << 20];
    Arrays.fill(kept, (byte) 1);
    assertThat(byTheParts(new KeptOutput(kept, kept.length / 2, kept.length)))
        .isEqualTo("\u0001".repeat(kept.length));
    assertThat(byTheParts(new KeptOutput(new byte[0], 0, 5)))
        .isEqualTo("\n[... 5 bytes dropped ...]\n");
  }

  static String byTheParts(KeptOutput whole) throws Exception {
    byte[] kept = whole.kept();
    int head = whole.headBytes();
    byte[] seam = Arrays.copyOfRange(kept, Math.max(0, head - 3), Math.min(kept.length, head + 3));
    Stream stream =
        new Stream(
            "default",
            UUID.randomUUID(),
            1,
            false,
            kept.length,
            head,
            whole.totalBytes(),
            seam,
            null);
    AnswerParts parts =
        new OutputJson(
            stream,
            (from, length) -> {
              assertThat(length).isBetween(1, 32 * 1024);
              return Arrays.copyOfRange(kept, from, from + length);
            });
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    json.write('"');
    for (byte[] part = parts.next(); part != null; part = parts.next()) {
      assertThat(part.length).isBetween(1, AnswerParts.MOST_BYTES);
      json.write(part);
    }
    json.write('"');
    return JSON.readValue(json.toByteArray(), String.class);
  }

  /** Characters of one to four bytes, more than a window of them. */
  private static byte[] text(Random random) {
    int[] characters = {'a', '"', '\\', '\n', 1, 0xe9, 0x20ac, 0x1f600};
    StringBuilder text = new StringBuilder();
    int count = random.nextInt(40_000);
    for (int i = 0; i < count; i++) {
      text.appendCodePoint(characters[random.nextInt(characters.length)]);
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Mostly bytes that begin or continue characters, in an order that makes none. */
  private static byte[] bytes(Random random) {
    byte[] bytes = new byte[random.nextInt(70_000)];
    byte[] likely = {(byte) 0xf0, (byte) 0x9f, (byte) 0x98, (byte) 0x80, (byte) 0xe2, (byte) 0xc3};
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = random.nextInt(4) == 0 ? (byte) random.nextInt(256) : likely[random.nextInt(6)];
    }
    return bytes;
  }
}
