package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.api.problem.Problem;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A body comes out as it went in, and what has been read of it is not held. */
class RequestBodyTest {
  @Test
  void aBodyComesOutAsItWentIn() {
    Random random = new Random(19);
    for (int round = 0; round < 200; round++) {
      byte[] sent = new byte[random.nextInt(300_000)];
      random.nextBytes(sent);
      RequestBody body = new RequestBody(300_000, round % 2 == 0 ? -1 : sent.length, bytes -> true);
      int largest = round % 3 == 0 ? 10 : 70_000;
      for (int at = 0; at < sent.length; ) {
        int count = Math.min(sent.length - at, 1 + random.nextInt(largest));
        body.add(Buffer.buffer().appendBytes(sent, at, count));
        at += count;
      }
      assertThat(body.remaining()).isEqualTo(sent.length);
      ByteArrayOutputStream read = new ByteArrayOutputStream();
      byte[] part = new byte[1 + random.nextInt(100_000)];
      for (int count = body.read(part, 0, part.length);
          count >= 0;
          count = body.read(part, 0, part.length)) {
        assertThat(count).isPositive();
        read.write(part, 0, count);
        assertThat(body.remaining()).isEqualTo(sent.length - read.size());
      }
      assertThat(read.toByteArray()).isEqualTo(sent);
      assertThat(body.read()).isEqualTo(-1);
    }
  }

  @Test
  void aBodyThatIsTooLargeIsNotKept() {
    RequestBody body = new RequestBody(10, -1, bytes -> true);
    body.add(Buffer.buffer("0123456789"));
    body.checkKept();
    body.add(Buffer.buffer("x"));
    assertThatThrownBy(body::checkKept).isInstanceOf(Problem.class).hasMessageContaining("10");
    assertThat(body.remaining()).isZero();
    assertThat(body.read()).isEqualTo(-1);
  }

  @Test
  void aBodyThatThereIsNoMemoryForIsNotKept() {
    RequestBody body = new RequestBody(100, 20, bytes -> bytes <= 50);
    body.add(Buffer.buffer("0123456789"));
    body.add(Buffer.buffer("0123456789"));
    body.checkKept();
    body.complete();
    assertThatThrownBy(body::checkKept).isInstanceOf(Problem.class).hasMessageContaining("memory");
    assertThat(body.remaining()).isZero();
    body.add(Buffer.buffer("x"));
    assertThat(body.read()).isEqualTo(-1);
  }

  @Test
  void memoryIsAskedForAsABodyArrivesAndGivenBackWhereThereIsNoMore() {
    List<Long> asked = new ArrayList<>();
    RequestBody body =
        new RequestBody(
            1 << 24,
            10_000_000,
            bytes -> {
              asked.add(bytes);
              return bytes < 1_000_000;
            });
    body.add(Buffer.buffer("x"));
    assertThat(asked).containsExactly(1024L);
    for (int i = 0; i < 20; i++) {
      body.add(Buffer.buffer(new byte[16 * 1024]));
    }
    assertThat(asked).allMatch(bytes -> bytes < 1_000_000);
    for (int i = 0; i < 20; i++) {
      body.add(Buffer.buffer(new byte[16 * 1024]));
    }
    assertThat(asked).endsWith(0L);
    assertThatThrownBy(body::checkKept).isInstanceOf(Problem.class).hasMessageContaining("memory");
  }
}
