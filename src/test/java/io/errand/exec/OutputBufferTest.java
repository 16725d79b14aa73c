package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OutputBufferTest {
  @Test
  void keepsHeadAndTailOfAnyStreamCutInAnyWay() {
    Random random = new Random(20261123);
    for (int round = 0; round < 3_000; round++) {
      int limit = random.nextInt(40);
      OutputBuffer buffer = new OutputBuffer(limit);
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      int pieces = random.nextInt(12);
      for (int i = 0; i < pieces; i++) {
        byte[] piece = new byte[random.nextInt(30)];
        random.nextBytes(piece);
        all.writeBytes(piece);
        buffer.append(ByteBuffer.wrap(piece));
      }
      assertThat(buffer.captured().kept()).isEqualTo(expected(all.toByteArray(), limit));
      assertThat(buffer.captured().totalBytes()).isEqualTo(all.size());
    }
  }

  @Test
  void saysWhereTheHeadEnds() {
    OutputBuffer buffer = new OutputBuffer(10);
    buffer.append(ByteBuffer.wrap("abcdefghijklmnop".getBytes()));
    CapturedOutput captured = buffer.captured();
    assertThat(new String(captured.kept())).isEqualTo("abcdelmnop");
    assertThat(captured.headBytes()).isEqualTo(5);
    assertThat(captured.totalBytes()).isEqualTo(16);
  }

  private static byte[] expected(byte[] all, int limit) {
    if (all.length <= limit) {
      return all;
    }
    int head = limit / 2;
    byte[] kept = Arrays.copyOf(all, limit);
    System.arraycopy(all, all.length - (limit - head), kept, head, limit - head);
    return kept;
  }

  @Test
  void whatWasTakenIsNotInTheBufferAnyMore() {
    OutputBuffer buffer = new OutputBuffer(8);
    buffer.append(ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9}));
    CapturedOutput taken = buffer.take();
    assertThat(taken.kept()).containsExactly(1, 2, 3, 4, 6, 7, 8, 9);
    assertThat(taken.totalBytes()).isEqualTo(9);
    assertThat(buffer.heldBytes()).isZero();
  }

  @Test
  void aBufferNeverHoldsMoreThanItsLimitWhileItGrows() {
    for (int limit : new int[] {0, 1, 7, 1_000, 1 << 20}) {
      OutputBuffer buffer = new OutputBuffer(limit);
      for (int i = 0; i < 400; i++) {
        buffer.append(ByteBuffer.allocate(i * 37));
        assertThat(buffer.heldBytes()).isLessThanOrEqualTo(limit);
      }
    }
  }
}
