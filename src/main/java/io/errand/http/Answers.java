package io.errand.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.channels.ClosedChannelException;

/** Sees where the answer to the request in progress begins and ends, behind the encoder. */
final class Answers extends ChannelOutboundHandlerAdapter {
  private static final String EVENTS = "text/event-stream";

  private final ConnectionHandler connection;
  private boolean closes;
  private boolean begun;
  private boolean ended;
  private boolean last;
  private boolean stream;
  private boolean forbidden;

  Answers(ConnectionHandler connection) {
    this.connection = connection;
  }

  /**
   * A request is passed on.
   *
   * @param asksForEnd whether the connection ends behind the answer; the framework sees that only
   *     where the header Connection names nothing else
   */
  void begin(boolean asksForEnd) {
    closes = asksForEnd;
    begun = false;
    ended = false;
    last = false;
    stream = false;
  }

  /** Whether a byte of the answer may be written. */
  boolean isBegun() {
    return begun;
  }

  /** Whether the application has given the whole answer. */
  boolean isEnded() {
    return ended;
  }

  /** Whether the answer has begun and has no end of its own: server-sent events. */
  boolean isStream() {
    return stream;
  }

  /** The listener has answered: nothing of the application follows. */
  void forbid() {
    forbidden = true;
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (forbidden) {
      ReferenceCountUtil.release(message);
      promise.tryFailure(new ClosedChannelException());
      return;
    }
    if (message instanceof HttpResponse response) {
      if (response.status().codeClass() == HttpStatusClass.INFORMATIONAL) {
        ctx.write(message, promise);
        return;
      }
      begun = true;
      String type = response.headers().get(HttpHeaderNames.CONTENT_TYPE);
      stream = type != null && type.startsWith(EVENTS);
      if (closes) {
        response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
      }
      last = response.headers().contains(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE, true);
    }
    if (message instanceof LastHttpContent) {
      ended = true;
      ChannelPromise told = promise.unvoid();
      told.addListener(
          written -> {
            if (written.isSuccess()) {
              connection.answered(last);
            }
          });
      ctx.write(message, told);
      connection.answerEnded();
      return;
    }
    ctx.write(message, promise);
  }
}
