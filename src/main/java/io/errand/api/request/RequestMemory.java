package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.memory.MemoryBudget.Reservation;
import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;

/** What a request holds until it has been answered: its body, and what is made of it. */
public final class RequestMemory {
  private static final String KEY = RequestMemory.class.getName();

  private static final String ANSWER = KEY + ".answer";

  private RequestMemory() {}

  /** What an answer holds that may never be sent; from any thread. */
  private static final class Answer {
    private @Nullable Reservation held;
    private boolean gone;

    synchronized void hold(Reservation reservation) {
      if (gone) {
        reservation.close();
      } else {
        held = reservation;
      }
    }

    synchronized void gone() {
      gone = true;
      if (held != null) {
        held.close();
      }
    }
  }

  /** Prepares {@link #releaseWithoutAnswer}, on the event loop of the request. */
  static void watch(RoutingContext context) {
    Answer answer = new Answer();
    context.put(ANSWER, answer);
    context.addEndHandler(
        ended -> {
          if (ended.failed() || !context.response().ended()) {
            answer.gone();
          }
        });
  }

  /**
   * Gives back what an answer holds as soon as the client has gone without it, also where it has
   * gone before this is called.
   */
  public static void releaseWithoutAnswer(RoutingContext context, Reservation held) {
    if (context.get(ANSWER) instanceof Answer answer) {
      answer.hold(held);
      if (context.response().closed()) {
        answer.gone(); // before it was watched, so that there is no event for it
      }
    }
  }

  /** Tells which memory is that of the request's body. */
  static void attach(RoutingContext context, ArrivingBodies.Memory memory) {
    context.put(KEY, memory);
  }

  /** The memory of the request's body; null where it has none. */
  static ArrivingBodies.@Nullable Memory of(RoutingContext context) {
    return context.get(KEY);
  }

  /**
   * Sees to it that the request's reservation has at least so many bytes.
   *
   * @throws Problem 503 where there are not so many
   */
  public static void require(RoutingContext context, long bytes) {
    ArrivingBodies.Memory memory = of(context);
    if (memory != null && !memory.hold(bytes)) {
      throw Problem.noMemoryForBody();
    }
  }
}
