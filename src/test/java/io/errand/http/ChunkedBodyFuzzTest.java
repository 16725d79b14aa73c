package io.errand.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.api.problem.Problem;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A body in chunks is refused, or it ends where the parser behind takes it to end. */
@Tag("fuzz")
class ChunkedBodyFuzzTest {
  private static final byte[] HEAD =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
          .getBytes(StandardCharsets.US_ASCII);

  /** Where the body ends, or -1 where it is not complete, or minus a status. */
  private static int end(byte[] bytes, int step) {
    ChunkedBody body = new ChunkedBody();
    ByteBuf arrived = Unpooled.buffer(Math.max(1, bytes.length));
    int at = 0;
    try {
      for (int from = 0; from < bytes.length && !body.isComplete(); from += step) {
        arrived.writeBytes(bytes, from, Math.min(step, bytes.length - from));
        at = body.check(arrived, at);
      }
    } catch (Problem refusal) {
      return -refusal.status();
    }
    return body.isComplete() ? at : -1;
  }

  private static void checkParserAgrees(byte[] bytes, int end) {
    EmbeddedChannel channel = new EmbeddedChannel(new HttpRequestDecoder());
    try {
      channel.writeInbound(Unpooled.wrappedBuffer(HEAD), Unpooled.wrappedBuffer(bytes, 0, end));
      int requests = 0;
      int ends = 0;
      for (HttpObject part = channel.readInbound(); part != null; part = channel.readInbound()) {
        assertThat(part.decoderResult().isSuccess()).isTrue();
        requests += part instanceof HttpRequest ? 1 : 0;
        if (part instanceof LastHttpContent last) {
          ends++;
          assertThat(last.trailingHeaders().isEmpty()).isTrue();
        } else if (part instanceof HttpContent) {
          assertThat(ends).isZero();
        }
        ReferenceCountUtil.release(part);
      }
      assertThat(requests).isEqualTo(1);
      assertThat(ends).isEqualTo(1);
    } finally {
      channel.finishAndReleaseAll();
    }
  }

  @FuzzTest
  @Timeout(60)
  void aBodyEndsInOnePlace(byte[] bytes) {
    int whole = end(bytes, Math.max(1, bytes.length));
    for (int step : new int[] {1, 2, 7}) {
      assertThat(end(bytes, step)).isEqualTo(whole);
    }
    if (whole >= 0) {
      checkParserAgrees(bytes, whole);
    } else {
      assertThat(whole).isIn(-1, -400, -413);
    }
  }
}
