package io.errand.http;

import io.errand.api.problem.Problem;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What a client has sent on one connection and what is held of it, request by request. */
final class Incoming {
  private static final byte[] A_HOST =
      "Host: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private final RequestHead head;
  private final HeadEnd headEnd;
  private @Nullable ByteBuf held;
  private boolean inHead;
  private String path = "/";
  private boolean isHeadMethod;
  private long bodyLeft;
  private @Nullable ChunkedBody chunks;

  /**
   * @param head what checks heads, which may be shared by all connections of an event loop
   */
  Incoming(RequestHead head) {
    this.head = head;
    this.headEnd = new HeadEnd(head.bytes);
  }

  /** Whether no byte is held. */
  boolean isEmpty() {
    return held == null;
  }

  /** Bytes of memory that are held. */
  int capacity() {
    ByteBuf bytes = held;
    return bytes == null ? 0 : bytes.capacity();
  }

  /** Whether a head has begun and not ended. */
  boolean isInHead() {
    return inHead;
  }

  /** The path of the request in progress, or a slash where it is not known. */
  String path() {
    return path;
  }

  /** Whether the method of the request in progress is HEAD. */
  boolean isHeadMethod() {
    return isHeadMethod;
  }

  /** Whether the body of the request in progress has ended. */
  boolean isComplete() {
    return chunks == null ? bodyLeft == 0 : chunks.isComplete();
  }

  /** Takes over what was read. */
  void add(ChannelHandlerContext ctx, ByteBuf bytes) {
    ByteBuf before = held;
    held =
        before == null
            ? bytes
            : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), before, bytes);
  }

  /** Forgets what is held. */
  void drop() {
    ReferenceCountUtil.release(held);
    held = null;
  }

  /** Begins with the next request; one empty line before it is ignored (RFC 9112, section 2.2). */
  void beginHead() {
    inHead = true;
    path = "/";
    isHeadMethod = false;
    headEnd.reset();
    ByteBuf bytes = held;
    if (bytes != null && bytes.readableBytes() >= 2) {
      int at = bytes.readerIndex();
      if (bytes.getByte(at) == '\r' && bytes.getByte(at + 1) == '\n') {
        bytes.skipBytes(2);
      }
    }
  }

  /**
   * Checks the head as far as it is there.
   *
   * @return its size, or -1 where its end is not there
   * @throws Problem where it is refused
   */
  int checkHead() {
    ByteBuf bytes = held;
    int size = bytes == null ? -1 : headEnd.find(bytes);
    if (bytes == null || size < 0) {
      return -1;
    }
    inHead = false;
    bytes.getBytes(bytes.readerIndex(), head.bytes, 0, size);
    try {
      head.check(size);
    } finally {
      path = head.path();
      isHeadMethod = "HEAD".equals(head.method());
    }
    bodyLeft = head.bodyLength();
    chunks = bodyLeft < 0 ? new ChunkedBody() : null;
    return size;
  }

  /** Passes the head on that has just been checked, with a Host, which the framework wants. */
  void passHead(ChannelHandlerContext ctx, int size) {
    ByteBuf bytes = held;
    if (bytes != null && head.lacksHost()) {
      ByteBuf withoutEnd = bytes.readRetainedSlice(size - 2);
      bytes.skipBytes(2);
      if (!bytes.isReadable()) {
        drop();
      }
      ctx.fireChannelRead(Unpooled.wrappedBuffer(withoutEnd, Unpooled.wrappedBuffer(A_HOST)));
    } else {
      pass(ctx, size);
    }
  }

  /**
   * Checks what there is of the body.
   *
   * @return how many bytes of it there are
   * @throws Problem where it is refused
   */
  int checkBody() {
    ByteBuf bytes = held;
    if (bytes == null) {
      return 0;
    }
    if (chunks != null) {
      return chunks.check(bytes, bytes.readerIndex()) - bytes.readerIndex();
    }
    int size = (int) Math.min(bodyLeft, bytes.readableBytes());
    bodyLeft -= size;
    return size;
  }

  /** Passes on so many of the bytes that are held. */
  void pass(ChannelHandlerContext ctx, int size) {
    ByteBuf bytes = held;
    if (bytes == null || size == 0) {
      return;
    }
    if (size == bytes.readableBytes()) {
      held = null;
      ctx.fireChannelRead(bytes);
    } else {
      ctx.fireChannelRead(bytes.readRetainedSlice(size));
    }
  }
}
