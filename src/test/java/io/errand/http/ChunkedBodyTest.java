package io.errand.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.api.problem.Problem;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The framing of chunks; {@code ~} is CR LF. */
class ChunkedBodyTest {
  @Test
  void aBodyEndsWithItsLastChunkHoweverItsBytesArrive() {
    ByteBuf bytes = bytes("5~hello~0A~0123456789~0~~GET");
    ChunkedBody whole = new ChunkedBody();
    assertThat(whole.check(bytes, 0)).isEqualTo(bytes.writerIndex() - 3);
    assertThat(whole.isComplete()).isTrue();

    ChunkedBody dribbled = new ChunkedBody();
    int end = 0;
    for (int i = 0; i < bytes.writerIndex(); i++) {
      ByteBuf one = bytes.slice(i, 1);
      end += dribbled.check(one, 0);
    }
    assertThat(end).isEqualTo(bytes.writerIndex() - 3);
    assertThat(dribbled.isComplete()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "~",
        "x~",
        "-1~",
        "+1~",
        "0x1~",
        " 1~",
        "1 ~a~",
        "5 junk~",
        "1;a=b~a~",
        "1;~",
        "1\na",
        "1\r\r",
        "123456789~",
        "1~ab",
        "1~a\n",
        "0~Trailer: x~~",
        "0~\n",
        "G~",
        "\u00b2~"
      })
  void anyOtherFramingIsRefused(String text) {
    assertThatThrownBy(() -> new ChunkedBody().check(bytes(text), 0))
        .isInstanceOfSatisfying(
            Problem.class, problem -> assertThat(problem.status()).isEqualTo(400));
  }

  @Test
  void aBodyThatNoCallTakesIsRefusedByItsSizes() {
    assertThatThrownBy(() -> new ChunkedBody().check(bytes("ffffffff~"), 0))
        .isInstanceOfSatisfying(
            Problem.class, problem -> assertThat(problem.status()).isEqualTo(413));
  }

  private static ByteBuf bytes(String text) {
    return Unpooled.wrappedBuffer(text.replace("~", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
  }
}
