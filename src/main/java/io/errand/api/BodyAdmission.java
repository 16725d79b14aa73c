package io.errand.api;

import io.errand.api.Problem.Kind;
import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;

/**
 * Lets the body of a request in: within the size that its call takes, where there is memory for it
 * and for what is made of it. The memory is reserved by the size that the head declares, before a
 * byte of the body is read, and held until the answer has been written.
 */
@ApplicationScoped
class BodyAdmission {
  /** Up to this size a body is a small one, whose memory large ones cannot take. */
  private static final int SMALL_BYTES = 64 * 1024;

  /** The body, its text, and the values that are made of it. */
  private static final int COPIES = 3;

  private final MemoryBudget budget;

  BodyAdmission(MemoryBudget budget) {
    this.budget = budget;
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
    long most =
        "/v1/jobs/batch".equals(request.path()) ? JsonBody.MAX_BATCH_BYTES : JsonBody.MAX_BYTES;
    long bytes = declaredBytes(request, most);
    if (bytes > most) {
      throw Problem.of(Kind.TOO_LARGE, "The body may have at most " + most + " bytes");
    }
    Share share = bytes <= SMALL_BYTES ? Share.REQUESTS : Share.LARGE_REQUESTS;
    Reservation held = budget.tryReserve(share, COPIES * bytes);
    if (held == null) {
      throw Problem.noMemoryForBody();
    }
    context.addEndHandler(ended -> held.close());
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
