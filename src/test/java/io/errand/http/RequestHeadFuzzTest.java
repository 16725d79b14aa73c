package io.errand.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.api.problem.Problem;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A head is refused with a problem, or the parser behind sees the same request in it. */
@Tag("fuzz")
class RequestHeadFuzzTest {
  private static final int LEAST_STATUS = 400;

  private final RequestHead head = new RequestHead();

  /** What is found in bytes that arrive in two parts: the size of the head, or minus a status. */
  private static int find(HeadEnd end, byte[] bytes, int first) {
    ByteBuf arrived = Unpooled.buffer(Math.max(1, bytes.length));
    try {
      end.reset();
      arrived.writeBytes(bytes, 0, first);
      int found = end.find(arrived);
      if (found < 0) {
        arrived.writeBytes(bytes, first, bytes.length - first);
        found = end.find(arrived);
      }
      return found;
    } catch (Problem refusal) {
      return -refusal.status();
    }
  }

  private @Nullable Integer refusalOf(byte[] bytes, int size) {
    System.arraycopy(bytes, 0, head.bytes, 0, size);
    try {
      head.check(size);
      return null;
    } catch (Problem refusal) {
      return refusal.status();
    }
  }

  private static void checkParserAgrees(byte[] bytes, int size, RequestHead head) {
    EmbeddedChannel channel =
        new EmbeddedChannel(
            new HttpRequestDecoder(
                new HttpDecoderConfig()
                    .setMaxInitialLineLength(RequestHead.MOST_BYTES)
                    .setMaxHeaderSize(RequestHead.MOST_BYTES)));
    try {
      channel.writeInbound(Unpooled.wrappedBuffer(bytes, 0, size));
      HttpRequest request = channel.readInbound();
      assertThat(request).isNotNull();
      assertThat(request.decoderResult().isSuccess()).isTrue();
      assertThat(request.method().name()).isEqualTo(head.method());
      assertThat(request.uri()).startsWith("/").doesNotStartWith("//").startsWith(head.path());
      String behind = request.uri().substring(head.path().length());
      assertThat(behind.isEmpty() || behind.startsWith("?")).isTrue();
      assertThat(request.headers().size()).isEqualTo(head.headers());
      assertThat(request.headers().getAll(HttpHeaderNames.HOST).size())
          .isEqualTo(head.lacksHost() ? 0 : 1);
      boolean isChunked = HttpUtil.isTransferEncodingChunked(request);
      assertThat(isChunked).isEqualTo(head.bodyLength() < 0);
      if (!isChunked) {
        assertThat(HttpUtil.getContentLength(request, 0L)).isEqualTo(head.bodyLength());
      }
      if (request.protocolVersion().equals(HttpVersion.HTTP_1_1)) {
        assertThat(head.closes()).isEqualTo(!HttpUtil.isKeepAlive(request));
      }
      ReferenceCountUtil.release(request);
    } finally {
      channel.finishAndReleaseAll();
    }
  }

  @FuzzTest
  @Timeout(60)
  void aHeadMeansOneThing(byte[] bytes) {
    HeadEnd end = new HeadEnd(new byte[RequestHead.MOST_BYTES]);
    int whole = find(end, bytes, bytes.length);
    for (int first : new int[] {0, 1, bytes.length / 2, bytes.length - 1}) {
      assertThat(find(end, bytes, Math.max(0, Math.min(first, bytes.length)))).isEqualTo(whole);
    }
    if (whole < 0) {
      assertThat(whole == -1 || whole <= -LEAST_STATUS).isTrue();
      return;
    }
    assertThat(new String(bytes, 0, whole, StandardCharsets.ISO_8859_1))
        .endsWith(whole == 2 ? "\r\n" : "\r\n\r\n");
    Integer refusal = refusalOf(bytes, whole);
    if (refusal == null) {
      checkParserAgrees(bytes, whole, head);
    } else {
      assertThat(refusal).isBetween(LEAST_STATUS, 599);
    }
  }
}
