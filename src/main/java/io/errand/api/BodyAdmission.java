package io.errand.api;

import io.errand.api.Problem.Kind;
import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.TimeUnit;

/**
 * Lets the body of a request in: within the size that its call takes, where there is memory for it
 * and for what is made of it, and for as long as a body may take. The memory is reserved by the
 * size that the head declares, before a byte of the body is read, and held until the answer has
 * been written.
 */
@ApplicationScoped
class BodyAdmission {
  /** Up to this size a body is a small one, whose memory large ones cannot take. */
  private static final int SMALL_BYTES = 64 * 1024;

  /** The body, its text, and the values that are made of it. */
  private static final int COPIES = 3;

  private final MemoryBudget budget;
  private final ApiConfig config;
  private final Vertx vertx;

  BodyAdmission(MemoryBudget budget, ApiConfig config, Vertx vertx) {
    this.budget = budget;
    this.config = config;
    this.vertx = vertx;
  }

  /**
   * Reserves the memory of the request's body, and sees to it that the body does not take for ever.
   *
   * @throws Problem 413 where it is too large, 503 where there is no memory for it now
   */
  void admit(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (!StrictHttp.hasBody(request)) {
      return;
    }
    long most = mostBytes(request);
    long bytes = declaredBytes(request, most);
    if (bytes > most) {
      throw Problem.of(Kind.TOO_LARGE, "The body may have at most " + most + " bytes");
    }
    Share share = bytes <= SMALL_BYTES ? Share.REQUESTS : Share.LARGE_REQUESTS;
    Reservation held = budget.tryReserve(share, COPIES * bytes);
    if (held == null) {
      throw Problem.noMemoryForBody();
    }
    RequestMemory.attach(context, held);
    long timer =
        vertx.setTimer(
            TimeUnit.SECONDS.toMillis(config.requestSeconds()),
            late -> {
              if (!request.isEnded()) {
                request.connection().close();
              }
            });
    context.addEndHandler(
        ended -> {
          held.close();
          vertx.cancelTimer(timer);
        });
  }

  /** How many bytes the body of this request may have. */
  static long mostBytes(HttpServerRequest request) {
    return "/v1/jobs/batch".equals(request.path()) ? JsonBody.MAX_BATCH_BYTES : JsonBody.MAX_BYTES;
  }

  /** A body that declares no length may have all that its call takes. */
  private static long declaredBytes(HttpServerRequest request, long most) {
    String declared = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    if (declared == null) {
      return most;
    }
    return declared.matches("[0-9]{1,18}") ? Long.parseLong(declared) : Long.MAX_VALUE;
  }

  /**
   * Closes the connection of a request that was refused, after its body, so that its client can
   * read the answer first; or after the time that a body may take.
   */
  void closeAfterBody(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (request.isEnded() || !StrictHttp.hasBody(request)) {
      request.connection().close();
      return;
    }
    long timer =
        vertx.setTimer(
            TimeUnit.SECONDS.toMillis(config.requestSeconds()),
            late -> request.connection().close());
    request.connection().closeHandler(closed -> vertx.cancelTimer(timer));
    request.handler(dropped -> {});
    request.endHandler(ended -> request.connection().close());
    request.resume();
  }
}
