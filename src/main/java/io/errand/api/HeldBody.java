package io.errand.api;

import io.errand.memory.MemoryBudget.Reservation;
import io.netty.buffer.Unpooled;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.core.HttpHeaders;
import java.lang.ref.Cleaner;
import java.security.MessageDigest;
import java.util.List;

/**
 * The body of an answer with the reservation of its bytes, which is given back when the socket has
 * taken them or is closed, or when nobody has the body any more.
 */
final class HeldBody {
  private static final Cleaner CLEANER = Cleaner.create();

  private final List<byte[]> chunks;
  private final Reservation held;

  HeldBody(List<byte[]> chunks, Reservation held) {
    this.chunks = chunks;
    this.held = held;
    CLEANER.register(this, held::close);
  }

  /** Starts the thread that this needs: later there may be no thread to be had. */
  static void prepare() {
    CLEANER.register(new Object(), () -> {});
  }

  /** How many bytes it has. */
  long length() {
    return chunks.stream().mapToLong(chunk -> chunk.length).sum();
  }

  /** Adds all of it to a hash. */
  void addTo(MessageDigest digest) {
    chunks.forEach(digest::update);
  }

  /** Gives the bytes back where nobody will send them. */
  void drop() {
    held.close();
  }

  /** Sends it as the whole body of the answer. */
  @SuppressWarnings({"deprecation", "FutureReturnValueIgnored"}) // the last future tells of all
  void sendTo(RoutingContext context) {
    HttpServerResponse response = context.response();
    try {
      response.putHeader(HttpHeaders.CONTENT_LENGTH, Long.toString(length()));
      if (!HttpMethod.HEAD.equals(context.request().method())) {
        for (byte[] chunk : chunks.subList(0, chunks.size() - 1)) {
          response.write(Buffer.buffer(Unpooled.wrappedBuffer(chunk)));
        }
        byte[] last = chunks.get(chunks.size() - 1);
        response.end(Buffer.buffer(Unpooled.wrappedBuffer(last))).onComplete(done -> drop());
      } else {
        response.end().onComplete(done -> drop());
      }
    } catch (RuntimeException | Error e) {
      drop();
      throw e;
    }
  }
}
