package io.errand.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.api.problem.Problem;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The end of a head is found wherever its bytes are split, and no byte is looked for twice. */
class HeadEndTest {
  private static final String LARGE =
      "GET / HTTP/1.1\r\nHost: x\r\n" + ("X: " + "y".repeat(190) + "\r\n").repeat(95);

  /** Counts what is read from it. */
  private static final class Counted extends UnpooledHeapByteBuf {
    private int single;
    private int copied;

    Counted() {
      super(UnpooledByteBufAllocator.DEFAULT, 1024, Integer.MAX_VALUE);
    }

    @Override
    public byte getByte(int index) {
      single++;
      return super.getByte(index);
    }

    @Override
    public ByteBuf getBytes(int index, byte[] into, int from, int count) {
      copied += count;
      return super.getBytes(index, into, from, count);
    }
  }

  private static String answer(HeadEnd end, ByteBuf bytes) {
    try {
      return String.valueOf(end.find(bytes));
    } catch (Problem problem) {
      return "status " + problem.status();
    }
  }

  /** The answer to a head of which so many bytes come at a time. */
  private static String answer(String head, int step) {
    byte[] all = head.getBytes(StandardCharsets.ISO_8859_1);
    HeadEnd end = new HeadEnd(new RequestHead().bytes);
    ByteBuf bytes = new Counted();
    String answer = "-1";
    for (int at = 0; at < all.length && answer.equals("-1"); at += step) {
      bytes.writeBytes(all, at, Math.min(step, all.length - at));
      answer = answer(end, bytes);
    }
    return answer;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 100, 4_096, 100_000})
  void theAnswerIsTheSameHoweverTheBytesAreSplit(int step) {
    String line = "GET /" + "a".repeat(RequestHead.MOST_LINE_BYTES - 15) + " HTTP/1.1";
    String fits = "A: " + "b".repeat(RequestHead.MOST_BYTES - 23) + "\r\n\r\n";
    for (String[] expected :
        List.of(
            new String[] {"GET / HTTP/1.1\r\n\r\n", "18"},
            new String[] {"GET / HTTP/1.1\r\nA:\tb\r\n\r\nbody\n\0", "24"},
            new String[] {"GET / HTTP/1.1\r\nA: \u00e9\r\n\r\n", "24"},
            new String[] {"GET / HTTP/1.1\r\nA: b", "-1"},
            new String[] {"GET / HTTP/1.1\nA: b", "status 400"},
            new String[] {"GET / HTTP/1.1\rA: b", "status 400"},
            new String[] {"GET / HTTP/1.1\r\rA: b", "status 400"},
            new String[] {"GET / HTTP/1.1\r\0A: b", "status 400"},
            new String[] {"GET / HTTP/1.1\r\nA: \0", "status 400"},
            new String[] {"\nGET / HTTP/1.1", "status 400"},
            new String[] {line + "\r\n\r\n", String.valueOf(line.length() + 4)},
            new String[] {line + "a\r\n\r\n", "status 414"},
            new String[] {"a".repeat(RequestHead.MOST_BYTES), "status 414"},
            new String[] {"GET / HTTP/1.1\r\n" + fits, String.valueOf(RequestHead.MOST_BYTES)},
            new String[] {"GET / HTTP/1.1\r\nb" + fits, "status 431"},
            new String[] {"GET / HTTP/1.1\r\n" + "A: b\r\n".repeat(9_000), "status 431"})) {
      assertThat(answer(expected[0], step)).as(expected[0]).isEqualTo(expected[1]);
    }
  }

  @Test
  void eachByteOfAHeadIsTakenFromItsBufferOnceAndNoneAlone() {
    byte[] all = LARGE.getBytes(StandardCharsets.ISO_8859_1);
    Counted bytes = new Counted();
    HeadEnd end = new HeadEnd(new RequestHead().bytes);
    for (int at = 0; at < all.length; at += 100) {
      bytes.writeBytes(all, at, Math.min(100, all.length - at));
      assertThat(end.find(bytes)).isEqualTo(-1);
    }
    assertThat(bytes.copied).isEqualTo(all.length);
    assertThat(bytes.single).isZero();
  }
}
