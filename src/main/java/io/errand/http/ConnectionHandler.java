package io.errand.http;

import io.errand.api.Problem;
import io.errand.api.Problem.Kind;
import io.errand.http.Connections.Admission;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection. It stands before every parser and passes on only bytes that are strict HTTP/1,
 * one request at a time: the next one is looked at when the answer to the one before has been taken
 * by the socket. So a client that does not read its answers stops being read, and an answer of the
 * listener never overtakes another. All state belongs to the event loop of the channel.
 */
final class ConnectionHandler extends ChannelDuplexHandler {
  /** How long the rest of what a client sends is dropped, so that it can read its answer. */
  private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** One read of at most 16 KiB at a time, so that this is what is held of one connection. */
  private static final RecvByteBufAllocator READS =
      new AdaptiveRecvByteBufAllocator(512, 2048, 16 * 1024).maxMessagesPerRead(1);

  private static final byte[] A_HOST =
      "Host: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private enum Phase {
    /** Before the end of a head. */
    HEAD,
    /** A request is passed on and its body is not complete. */
    BODY,
    /** A request is passed on whole. */
    ANSWER,
    /** The last answer is given or being given, and what still comes is dropped. */
    LAST,
    CLOSED
  }

  private final EventLoopConnections loop;
  private final Connections.Member member =
      new Connections.Member() {
        @Override
        void evict() {
          ChannelHandlerContext reached = context;
          if (reached != null) {
            reached.executor().execute(ConnectionHandler.this::makeRoom);
          }
        }
      };
  private final HeadEnd headEnd = new HeadEnd();
  private final Answers answers = new Answers(this);
  private volatile @Nullable ChannelHandlerContext context;
  private boolean probesOnly;

  private Phase phase = Phase.HEAD;
  private @Nullable ByteBuf held;
  private long deadline;
  private long headBegun;
  private boolean headHasBytes;
  private String path = "/";
  private boolean isHeadMethod;
  private long bodyLeft;
  private @Nullable ChunkedBody chunks;
  private boolean readWithheld;

  private long stalledSince;
  private long lastProgress;
  private int lastMessage;

  ConnectionHandler(EventLoopConnections loop) {
    this.loop = loop;
  }

  /** What watches the answers; it stands behind the encoder. */
  Answers answers() {
    return answers;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
    added.channel().config().setRecvByteBufAllocator(READS);
    deadline = System.nanoTime() + loop.idleNanos();
    Admission admission = loop.connections().admit(member);
    probesOnly = admission == Admission.PROBES_ONLY;
    if (admission == Admission.REFUSED) {
      phase = Phase.CLOSED;
      loop.countRefusal();
      added.close();
    } else {
      loop.add(this);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    phase = Phase.CLOSED;
    drop();
    loop.remove(this);
    loop.connections().closed(member);
    ctx.fireChannelInactive();
  }

  /** Reads on but where a request waits whose predecessor is not answered yet. */
  @Override
  public void read(ChannelHandlerContext ctx) {
    if (phase == Phase.ANSWER && held != null) {
      readWithheld = true;
    } else {
      ctx.read();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    if (phase == Phase.LAST || phase == Phase.CLOSED) {
      bytes.release();
      return;
    }
    ByteBuf before = held;
    held =
        before == null
            ? bytes
            : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), before, bytes);
    advance(ctx);
  }

  /** Looks at what is held as far as it goes, and passes on what is good. */
  private void advance(ChannelHandlerContext ctx) {
    Phase before = phase;
    try {
      if (phase == Phase.HEAD) {
        readHead(ctx);
      }
      if (phase == Phase.BODY) {
        readBody(ctx);
      }
    } catch (Problem problem) {
      refuse(problem);
    }
    if (isWorking()) {
      loop.connections().works(member);
    } else if (phase == Phase.BODY && before == Phase.HEAD) {
      loop.connections().waits(member);
    }
  }

  /** Whether the server and not the client has something to do. */
  private boolean isWorking() {
    return phase == Phase.ANSWER && !answers.isEnded();
  }

  private void readHead(ChannelHandlerContext ctx) {
    ByteBuf bytes = held;
    if (bytes == null) {
      return;
    }
    if (!headHasBytes) {
      headHasBytes = true;
      headBegun = System.nanoTime();
      deadline = headBegun + loop.headNanos();
      path = "/";
      isHeadMethod = false;
      headEnd.reset();
      skipEmptyLine(bytes);
    }
    int size = headEnd.find(bytes);
    if (size < 0) {
      return;
    }
    RequestHead head = loop.head();
    bytes.getBytes(bytes.readerIndex(), head.bytes, 0, size);
    headHasBytes = false;
    try {
      head.check(size);
    } finally {
      path = head.path();
      isHeadMethod = "HEAD".equals(head.method());
    }
    if (probesOnly && !path.startsWith("/q/") && loop.connections().isFull()) {
      throw Problem.tooManyConnections();
    }
    answers.begin();
    bodyLeft = head.bodyLength();
    chunks = bodyLeft < 0 ? new ChunkedBody() : null;
    phase = bodyLeft == 0 ? Phase.ANSWER : Phase.BODY;
    deadline = bodyLeft == 0 ? Long.MAX_VALUE : System.nanoTime() + loop.bodyNanos();
    if (head.lacksHost()) {
      ByteBuf withoutEnd = bytes.readRetainedSlice(size - 2);
      bytes.skipBytes(2);
      ctx.fireChannelRead(Unpooled.wrappedBuffer(withoutEnd, Unpooled.wrappedBuffer(A_HOST)));
      releaseWhatIsRead();
    } else {
      pass(ctx, size);
    }
  }

  /** One empty line before a request is ignored (RFC 9112, section 2.2). */
  private static void skipEmptyLine(ByteBuf bytes) {
    int at = bytes.readerIndex();
    if (bytes.readableBytes() >= 2 && bytes.getByte(at) == '\r' && bytes.getByte(at + 1) == '\n') {
      bytes.skipBytes(2);
    }
  }

  private void readBody(ChannelHandlerContext ctx) {
    ByteBuf bytes = held;
    if (bytes == null) {
      return;
    }
    int size;
    boolean complete;
    if (chunks == null) {
      size = (int) Math.min(bodyLeft, bytes.readableBytes());
      bodyLeft -= size;
      complete = bodyLeft == 0;
    } else {
      size = chunks.check(bytes, bytes.readerIndex()) - bytes.readerIndex();
      complete = chunks.isComplete();
    }
    if (complete) {
      phase = Phase.ANSWER;
      deadline = Long.MAX_VALUE;
    }
    pass(ctx, size);
  }

  /** Passes on so many of the bytes that are held. */
  private void pass(ChannelHandlerContext ctx, int size) {
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

  private void releaseWhatIsRead() {
    ByteBuf bytes = held;
    if (bytes != null && !bytes.isReadable()) {
      drop();
    }
  }

  private void drop() {
    ReferenceCountUtil.release(held);
    held = null;
  }

  /** The application has given the last byte of its answer. */
  void answerEnded() {
    loop.connections().waits(member);
  }

  /**
   * The socket has taken the whole answer. What the application has not read of the body cannot be
   * told from the next request, so the connection ends there.
   */
  void answered(boolean last) {
    ChannelHandlerContext ctx = context;
    if (ctx == null || (phase != Phase.ANSWER && phase != Phase.BODY)) {
      return;
    }
    if (last || phase == Phase.BODY || !ctx.channel().config().isAutoRead()) {
      linger(ctx, phase == Phase.BODY ? deadline : System.nanoTime() + LINGER_NANOS);
      return;
    }
    phase = Phase.HEAD;
    deadline = System.nanoTime() + loop.idleNanos();
    if (held != null) {
      ctx.executor().execute(this::nextRequest); // others of this event loop come in between
    }
  }

  private void nextRequest() {
    ChannelHandlerContext ctx = context;
    if (ctx == null || phase != Phase.HEAD) {
      return;
    }
    advance(ctx);
    ctx.fireChannelReadComplete(); // what is answered meanwhile is flushed then
    if (readWithheld && (phase != Phase.ANSWER || held == null)) {
      readWithheld = false;
      ctx.read();
    }
  }

  /** Answers with a problem where nothing is answered yet, and ends the connection. */
  private void refuse(Problem problem) {
    ChannelHandlerContext ctx = context;
    if (ctx == null) {
      return;
    }
    if (phase != Phase.HEAD && answers.isBegun()) {
      closeNow();
      return;
    }
    byte[] answer = loop.refusals().answer(problem, path, !isHeadMethod);
    loop.count(problem, System.nanoTime() - headBegun);
    answers.forbid();
    phase = Phase.LAST;
    deadline = System.nanoTime() + LINGER_NANOS;
    drop();
    loop.connections().waits(member);
    ctx.writeAndFlush(Unpooled.wrappedBuffer(answer)).addListener(written -> endOutput(ctx));
  }

  private void linger(ChannelHandlerContext ctx, long until) {
    phase = Phase.LAST;
    deadline = until;
    drop();
    loop.connections().waits(member);
    ctx.executor().execute(() -> endOutput(ctx)); // the socket is in the middle of a write
  }

  /** The client sees the end of the connection and can read all before it: no reset comes first. */
  private void endOutput(ChannelHandlerContext ctx) {
    ctx.channel().config().setAutoRead(true);
    ctx.read();
    ((DuplexChannel) ctx.channel())
        .shutdownOutput()
        .addListener(
            ended -> {
              if (!ended.isSuccess()) {
                closeNow();
              }
            });
  }

  /** What the application closes ends after its answer, everything else at once. */
  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    if (phase == Phase.LAST && !loop.isStopping()) {
      ctx.channel().closeFuture().addListener(closed -> promise.trySuccess());
    } else {
      ctx.close(promise);
    }
  }

  /** Closes it for a newcomer, unless a request has come meanwhile. */
  private void makeRoom() {
    if (isWorking()) {
      loop.connections().stays(member);
    } else if (phase != Phase.CLOSED) {
      loop.countEviction();
      closeNow();
    }
  }

  private void closeNow() {
    ChannelHandlerContext ctx = context;
    if (ctx != null) {
      phase = Phase.CLOSED;
      drop();
      ctx.close();
    }
  }

  /** Bytes that wait here for the client, or because of it. */
  long heldBytes() {
    ChannelOutboundBuffer unsent = unsent();
    long unread = unsent == null || isWorking() ? 0 : unsent.totalPendingWriteBytes();
    ByteBuf bytes = held;
    return unread + (bytes == null ? 0 : bytes.capacity());
  }

  /** Closes the connection, from its event loop, because others need what it holds. */
  void giveWay() {
    loop.countEviction();
    closeNow();
  }

  /** Ends what has taken too long. */
  void sweep(long now) {
    if (now - deadline > 0 && deadline != Long.MAX_VALUE) {
      if (phase == Phase.HEAD && headHasBytes) {
        refuse(Problem.of(Kind.REQUEST_TIMEOUT, "The head of the request took too long"));
      } else if (phase == Phase.BODY) {
        refuse(Problem.of(Kind.REQUEST_TIMEOUT, "The body of the request took too long"));
      } else {
        closeNow();
      }
    } else if (isStalled(now)) {
      closeNow();
    }
  }

  private boolean isStalled(long now) {
    ChannelOutboundBuffer unsent = unsent();
    if (unsent == null || unsent.totalPendingWriteBytes() == 0) {
      lastMessage = 0;
      return false;
    }
    int message = System.identityHashCode(unsent.current());
    long progress = unsent.currentProgress();
    if (message != lastMessage || progress != lastProgress) {
      lastMessage = message;
      lastProgress = progress;
      stalledSince = now;
    }
    return now - stalledSince > loop.stallNanos();
  }

  private @Nullable ChannelOutboundBuffer unsent() {
    ChannelHandlerContext ctx = context;
    Channel channel = ctx == null ? null : ctx.channel();
    return channel == null ? null : channel.unsafe().outboundBuffer();
  }
}
