package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.ArrivingBodies.Memory;
import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Share;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;

/**
 * Lets the body of a request in: within the size that its call takes, where there is memory for it
 * and for what is made of it. Memory is reserved as a body arrives, whatever its head declares, so
 * that a client that only declares a size holds nothing. Each body is a small one at first, whose
 * memory large ones cannot take, and a large one from where it passes 64 KiB. Where there is no
 * more memory, bodies that began earlier and have not arrived make room ({@link ArrivingBodies}),
 * else the new one is refused. All is held until the answer has been written.
 */
@ApplicationScoped
class BodyAdmission {
  /** Up to this size a body is a small one, whose memory large ones cannot take. */
  static final int SMALL_BYTES = 64 * 1024;

  /** The body, its text, and the values that are made of it. */
  static final int COPIES = 3;

  private final ArrivingBodies arriving;
  private final RefusedRequests refusals;

  BodyAdmission(MemoryBudget budget, RefusedRequests refusals) {
    this.arriving = new ArrivingBodies(budget, System::nanoTime);
    this.refusals = refusals;
  }

  /**
   * Reserves the memory of the request's body.
   *
   * @throws Problem 413 where it is too large, 503 where there is no memory for it now
   */
  void admit(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (!BodyHeaders.hasBody(request)) {
      return;
    }
    long most = mostBytes(request);
    long bytes = declaredBytes(request, most);
    if (bytes > most) {
      throw Problem.of(Kind.TOO_LARGE, "The body may have at most " + most + " bytes");
    }
    Context eventLoop = Vertx.currentContext();
    Memory memory =
        arriving.begin(() -> eventLoop.runOnContext(now -> refuseWhatHasArrived(context)));
    RequestMemory.attach(context, memory);
    context.addEndHandler(ended -> memory.end());
  }

  /** The body has had to make room for others. */
  private void refuseWhatHasArrived(RoutingContext context) {
    RequestBody body = RequestBody.of(context);
    if (body != null) {
      body.giveUp();
    }
    if (!context.response().ended() && !context.response().closed()) {
      refusals.refuse(context, Problem.noMemoryForBody());
    }
  }

  /**
   * Sees to it that a body that arrives has so many bytes, with what will be made of it; false
   * where there are not so many. With 0 it has none any more.
   */
  boolean hold(RoutingContext context, long bytes) {
    Memory memory = RequestMemory.of(context);
    if (memory == null) {
      return true;
    }
    return bytes > COPIES * SMALL_BYTES
        ? memory.holdIn(Share.LARGE_REQUESTS, bytes)
        : bytes == 0 ? memory.holdNothing() : memory.hold(bytes);
  }

  /** The whole body has arrived, so that it makes room for no other. */
  void arrived(RoutingContext context) {
    Memory memory = RequestMemory.of(context);
    if (memory != null) {
      memory.arrived();
    }
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
}
