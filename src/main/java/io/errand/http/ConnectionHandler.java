package io.errand.http;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.http.Connections.Admission;
import io.errand.memory.MemoryBudget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import java.io.IOException;
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

  /**
   * How long the answer to a client that has ended its output may take to begin. Whoever has left
   * looks the same.
   */
  private static final long HALF_CLOSED_NANOS = TimeUnit.SECONDS.toNanos(5);

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
  private final Answers answers = new Answers(this);
  private final Incoming incoming;
  private final UnsentBytes unsent = new UnsentBytes();
  private volatile @Nullable ChannelHandlerContext context;
  private boolean probesOnly;

  private Phase phase = Phase.HEAD;
  private long deadline;
  private long headBegun;
  private boolean isHeldBack;

  /** The client has ended its output. */
  private boolean inputEnded;

  /** What still comes is dropped, and the connection ends behind the answer that is given. */
  private boolean dropsInput;

  /** The head of the request in progress, until the framework lets go of it. */
  private @Nullable Reservation head;

  ConnectionHandler(EventLoopConnections loop) {
    this.loop = loop;
    this.incoming = new Incoming(loop.head());
  }

  /** What watches the answers; it stands behind the encoder. */
  Answers answers() {
    return answers;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
    added.channel().config().setRecvByteBufAllocator(READS);
    added.channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
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
    incoming.drop();
    releaseHead();
    loop.remove(this);
    loop.connections().closed(member);
    ctx.fireChannelInactive();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    if (phase == Phase.LAST || phase == Phase.CLOSED || dropsInput) {
      bytes.release();
      return;
    }
    incoming.add(ctx, bytes);
    advance(ctx);
    holdBack(ctx);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE || event == SslCloseCompletionEvent.SUCCESS) {
      inputEnded = true;
      endWithoutInput(ctx);
    } else if (event != ChannelInputShutdownReadComplete.INSTANCE) {
      ctx.fireUserEventTriggered(event);
    }
  }

  /** Ends what nothing can come of now: a request that is whole is still answered. */
  private void endWithoutInput(ChannelHandlerContext ctx) {
    if (phase == Phase.ANSWER && !answers.isStream()) {
      deadline = System.nanoTime() + HALF_CLOSED_NANOS;
    } else if (phase != Phase.LAST || ((DuplexChannel) ctx.channel()).isOutputShutdown()) {
      closeNow();
    }
  }

  /** A connection that has failed is not one whose client has ended its output. */
  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.fireExceptionCaught(cause);
    if (cause instanceof IOException) {
      closeNow();
    }
  }

  /** Stops reading where a request waits whose predecessor is not answered yet. */
  private void holdBack(ChannelHandlerContext ctx) {
    if (phase == Phase.ANSWER && !incoming.isEmpty()) {
      isHeldBack = true;
      ctx.channel().config().setAutoRead(false);
    }
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
    if (incoming.isEmpty()) {
      return;
    }
    if (!incoming.isInHead()) {
      incoming.beginHead();
      headBegun = System.nanoTime();
      deadline = headBegun + loop.headNanos();
    }
    int size = incoming.checkHead();
    if (size < 0) {
      return;
    }
    if (probesOnly && !incoming.path().startsWith("/q/") && loop.connections().isFull()) {
      throw Problem.tooManyConnections();
    }
    releaseHead();
    head = loop.headMemory().reserve(loop.head(), incoming.path(), size);
    answers.begin(loop.head().closes());
    if (incoming.isComplete()) {
      complete();
    } else {
      phase = Phase.BODY;
      deadline = System.nanoTime() + loop.bodyNanos();
    }
    incoming.passHead(ctx, size);
  }

  private void releaseHead() {
    Reservation held = head;
    if (held != null) {
      head = null;
      held.close();
    }
  }

  private void readBody(ChannelHandlerContext ctx) {
    int size = incoming.checkBody();
    if (incoming.isComplete()) {
      complete();
    }
    incoming.pass(ctx, size);
  }

  private void complete() {
    phase = Phase.ANSWER;
    deadline = Long.MAX_VALUE;
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
    boolean isUnread = !isHeldBack && !ctx.channel().config().isAutoRead();
    boolean isNoneToCome = inputEnded && incoming.isEmpty();
    if (last || phase == Phase.BODY || isUnread || isNoneToCome) {
      linger(ctx);
      return;
    }
    releaseHead();
    phase = Phase.HEAD;
    deadline = System.nanoTime() + loop.idleNanos();
    if (!incoming.isEmpty()) {
      ctx.executor().execute(this::nextRequest); // others of this event loop come in between
    }
  }

  private void nextRequest() {
    ChannelHandlerContext ctx = context;
    if (ctx == null || phase != Phase.HEAD) {
      return;
    }
    isHeldBack = false;
    ctx.channel().config().setAutoRead(true);
    advance(ctx);
    holdBack(ctx);
    if (inputEnded) {
      endWithoutInput(ctx);
    }
    ctx.fireChannelReadComplete(); // what is answered meanwhile is flushed then
  }

  /** Answers with a problem where nothing is answered yet, and ends the connection. */
  private void refuse(Problem problem) {
    ChannelHandlerContext ctx = context;
    if (ctx == null) {
      return;
    }
    if (phase != Phase.HEAD && answers.isBegun()) {
      if (answers.isEnded()) {
        dropsInput = true;
        incoming.drop();
        ctx.flush(); // it ends when the socket has taken the answer
      } else {
        closeNow();
      }
      return;
    }
    byte[] answer = loop.refusals().answer(problem, incoming.path(), !incoming.isHeadMethod());
    loop.count(problem, System.nanoTime() - headBegun);
    answers.forbid();
    phase = Phase.LAST;
    deadline = System.nanoTime() + LINGER_NANOS;
    incoming.drop();
    loop.connections().waits(member);
    ctx.writeAndFlush(Unpooled.wrappedBuffer(answer)).addListener(written -> endOutput(ctx));
  }

  private void linger(ChannelHandlerContext ctx) {
    phase = Phase.LAST;
    deadline = System.nanoTime() + LINGER_NANOS;
    incoming.drop();
    loop.connections().waits(member);
    ctx.executor().execute(() -> endOutput(ctx)); // the socket is in the middle of a write
  }

  /** The client sees the end of the connection and can read all before it: no reset comes first. */
  private void endOutput(ChannelHandlerContext ctx) {
    ctx.channel().config().setAutoRead(true);
    ctx.read();
    OutputEnd.send(ctx)
        .addListener(
            ended -> {
              if (inputEnded || !ended.isSuccess()) {
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
      incoming.drop();
      ctx.close();
    }
  }

  /** Bytes that wait here for the client, or because of it. */
  long heldBytes() {
    ChannelHandlerContext ctx = context;
    long unread = ctx == null || isWorking() ? 0 : UnsentBytes.count(ctx.channel());
    return unread + incoming.capacity();
  }

  /** Closes the connection, from its event loop, because others need what it holds. */
  void giveWay() {
    loop.countEviction();
    closeNow();
  }

  /** Ends what has taken too long. */
  void sweep(long now) {
    ChannelHandlerContext ctx = context;
    if (now - deadline > 0 && deadline != Long.MAX_VALUE) {
      if (phase == Phase.HEAD && incoming.isInHead()) {
        refuse(Problem.of(Kind.REQUEST_TIMEOUT, "The head of the request took too long"));
      } else if (phase == Phase.BODY && !answers.isBegun()) {
        refuse(Problem.of(Kind.REQUEST_TIMEOUT, "The body of the request took too long"));
      } else if (phase == Phase.ANSWER && answers.isBegun() && !answers.isStream()) {
        deadline = Long.MAX_VALUE; // it is bounded by what the socket takes
      } else {
        closeNow();
      }
    } else if (ctx != null && unsent.isStalled(ctx.channel(), now, loop.stallNanos())) {
      closeNow();
    }
  }
}
