package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.memory.MemoryBudget.Reservation;
import io.vertx.ext.web.RoutingContext;

/** What a request holds until it has been answered: its body, and what is made of it. */
public final class RequestMemory {
  private static final String KEY = RequestMemory.class.getName();

  private RequestMemory() {}

  /** Tells which reservation is the request's. */
  static void attach(RoutingContext context, Reservation held) {
    context.put(KEY, held);
  }

  /**
   * Sees to it that the request's reservation has at least so many bytes.
   *
   * @throws Problem 503 where there are not so many
   */
  public static void require(RoutingContext context, long bytes) {
    if (!hold(context, bytes)) {
      throw Problem.noMemoryForBody();
    }
  }

  /** Raises the request's reservation to so many bytes; false where there are not so many. */
  static boolean hold(RoutingContext context, long bytes) {
    return !(context.get(KEY) instanceof Reservation held)
        || bytes <= held.bytes()
        || held.resize(bytes);
  }
}
