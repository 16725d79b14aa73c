package io.errand.http;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;

/**
 * Ends the output of a connection behind what was sent, and drops what still comes. Under TLS the
 * client is told first that nothing follows, or it would take the end for a cut (RFC 8446, section
 * 6.1).
 */
final class OutputEnd {
  private OutputEnd() {}

  /** The connection stays open for input. */
  static ChannelFuture send(ChannelHandlerContext ctx) {
    DuplexChannel channel = (DuplexChannel) ctx.channel();
    SslHandler tls = ctx.pipeline().get(SslHandler.class);
    if (tls == null) {
      return channel.shutdownOutput();
    }
    ctx.pipeline().addFirst("errand-dropped", new Dropped());
    ChannelPromise ended = ctx.newPromise();
    tls.closeOutbound().addListener(told -> channel.shutdownOutput(ended));
    return ended;
  }

  /** Bytes are not even decrypted. */
  private static final class Dropped extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ReferenceCountUtil.release(message);
    }
  }
}
