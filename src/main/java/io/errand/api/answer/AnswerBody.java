package io.errand.api.answer;

import io.errand.api.request.RequestMemory;
import io.errand.memory.MemoryBudget.Reservation;
import io.netty.buffer.Unpooled;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.lang.ref.Cleaner;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jboss.logging.Logger;

/**
 * The body of an answer with the reservation of its bytes. It is sent in pieces: the next is made
 * when the socket has taken the one before, on a thread that may block, and none waits meanwhile. A
 * client that does not take a piece in time is cut off. The bytes are given back when the last
 * piece has been taken, when the connection is closed, or, as the last resort, when nothing refers
 * to the body any more.
 */
public final class AnswerBody {
  private static final Logger LOG = Logger.getLogger(AnswerBody.class);
  private static final Cleaner CLEANER = Cleaner.create();

  /** Parts are sent together until they have so many bytes. */
  private static final int PIECE_BYTES = 16 * 1024;

  /** From one try to make a part to the next. */
  private static final Duration PAUSE = Duration.ofMillis(500);

  private final AnswerParts parts;
  private final long length;
  private final Reservation held;
  private final Duration patience;
  private volatile Duration waited = Duration.ZERO; // for the piece that is due

  /**
   * A body.
   *
   * @param length of all parts together in bytes, or -1 where that is not known
   * @param held what the parts hold while they are made and sent; it becomes the body's
   * @param patience how long a client may take for a piece
   */
  AnswerBody(AnswerParts parts, long length, Reservation held, Duration patience) {
    this.parts = parts;
    this.length = length;
    this.held = held;
    this.patience = patience;
    CLEANER.register(this, () -> collect(held));
  }

  /** Starts the thread that this needs: later there may be no thread to be had. */
  public static void prepare() {
    CLEANER.register(new Object(), () -> {});
  }

  private static void collect(Reservation held) {
    if (held.bytes() > 0) {
      LOG.warnf(
          "An answer was neither sent nor dropped. The garbage collector gave back its %d bytes",
          held.bytes());
      held.close();
    }
  }

  /**
   * Makes the bytes of an answer those of a request. For an answer that is made on another thread
   * than those of the framework, which drops it silently where the client has gone meanwhile: to be
   * called where it is made.
   *
   * @return the answer
   */
  public static Response ownedBy(RoutingContext request, Response answer) {
    if (answer.getEntity() instanceof AnswerBody body) {
      body.belongTo(request);
    }
    return answer;
  }

  /** Gives the bytes back where the client of this request goes, also if they are never sent. */
  void belongTo(RoutingContext context) {
    RequestMemory.releaseWithoutAnswer(context, held);
  }

  /** Gives the bytes back where they will not be sent. */
  public void drop() {
    held.close();
  }

  /**
   * Sends it as the whole body of the answer. Returns when the first piece is on its way; the head
   * of the answer has been written by then.
   *
   * @throws RuntimeException if there is no first piece; nothing has been written then
   */
  public void sendTo(RoutingContext context) {
    try {
      Piece first = nextPiece();
      HttpServerResponse response = context.response();
      if (length >= 0 || first.last()) {
        long bytes = length >= 0 ? length : first.content().length();
        response.putHeader(HttpHeaders.CONTENT_LENGTH, Long.toString(bytes));
      } else if (context.request().version() == HttpVersion.HTTP_1_1) {
        response.setChunked(true);
      } // in HTTP/1.0 the end of the connection is the end of the body
      send(context, first);
    } catch (SQLException e) {
      drop();
      throw new IllegalStateException("The first piece of an answer cannot be read", e);
    } catch (AnswerParts.NotNow e) {
      drop();
      throw e.problem();
    } catch (RuntimeException | Error e) {
      drop();
      throw e;
    }
  }

  private record Piece(Buffer content, boolean last) {}

  private Piece nextPiece() throws SQLException {
    List<byte[]> piece = new ArrayList<>();
    int bytes = 0;
    while (bytes < PIECE_BYTES) {
      byte[] part;
      try {
        part = parts.next();
      } catch (AnswerParts.NotNow e) {
        if (piece.isEmpty()) {
          throw e;
        }
        break; // what there is goes first
      }
      if (part == null) {
        return new Piece(buffer(piece), true);
      }
      piece.add(part);
      bytes += part.length;
    }
    return new Piece(buffer(piece), false);
  }

  private static Buffer buffer(List<byte[]> parts) {
    return Buffer.buffer(Unpooled.wrappedBuffer(parts.toArray(byte[][]::new)));
  }

  private void send(RoutingContext context, Piece piece) {
    HttpServerResponse response = context.response();
    boolean endsConnection =
        piece.last()
            && !response.headers().contains(HttpHeaders.CONTENT_LENGTH)
            && !response.isChunked();
    Future<Void> taken =
        piece.last() ? response.end(piece.content()) : response.write(piece.content());
    if (taken.isComplete() && piece.last() && !endsConnection) {
      drop();
      return;
    }
    Vertx vertx = context.vertx();
    long timer =
        vertx.setTimer(
            patience.toMillis(),
            late -> {
              drop(); // the closed connection may cause no event
              context.request().connection().close();
            });
    taken.onComplete(
        done -> {
          vertx.cancelTimer(timer);
          if (done.succeeded() && !piece.last()) {
            proceed(context);
            return;
          }
          drop();
          if (endsConnection) {
            context.request().connection().close();
          }
        });
  }

  private void proceed(RoutingContext context) {
    try {
      Infrastructure.getDefaultWorkerPool().execute(() -> sendNext(context));
    } catch (RuntimeException e) {
      cutOff(context, e);
    }
  }

  private void sendNext(RoutingContext context) {
    try {
      send(context, nextPiece());
      waited = Duration.ZERO;
    } catch (AnswerParts.NotNow e) {
      again(context, e);
    } catch (SQLException | RuntimeException | Error e) {
      cutOff(context, e);
    }
  }

  /** As long as a client may take for a piece, it may have to wait for one. */
  private void again(RoutingContext context, AnswerParts.NotNow why) {
    if (waited.compareTo(patience) >= 0 || context.response().closed()) {
      cutOff(context, why);
      return;
    }
    waited = waited.plus(PAUSE);
    context.vertx().setTimer(PAUSE.toMillis(), now -> proceed(context));
  }

  /** The head is written already, so only the end of the connection tells that something failed. */
  private void cutOff(RoutingContext context, Throwable cause) {
    LOG.warnf("An answer ends early: %s", cause.getMessage());
    drop();
    context.request().connection().close();
  }
}
