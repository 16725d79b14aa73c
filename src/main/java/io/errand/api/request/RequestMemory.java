package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
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

  /**
   * The same for a batch: what is made of a small body can be large, and is taken from the share of
   * large requests then.
   *
   * @throws Problem 503 where there are not so many
   */
  public static void requireForBatch(RoutingContext context, MemoryBudget budget, long bytes) {
    boolean isSmall = bytes <= BodyAdmission.COPIES * BodyAdmission.SMALL_BYTES;
    if (!(isSmall ? hold(context, bytes) : holdIn(context, budget, Share.LARGE_REQUESTS, bytes))) {
      throw Problem.noMemoryForBody();
    }
  }

  /** Raises the request's reservation to so many bytes; false where there are not so many. */
  static boolean hold(RoutingContext context, long bytes) {
    return !(context.get(KEY) instanceof Reservation held)
        || bytes <= held.bytes()
        || held.resize(bytes);
  }

  /** The same, with all bytes of a share that may be another than before. */
  static boolean holdIn(RoutingContext context, MemoryBudget budget, Share share, long bytes) {
    if (!(context.get(KEY) instanceof Reservation held) || held.share() == share) {
      return hold(context, bytes);
    }
    Reservation other = budget.tryReserve(share, bytes);
    if (other == null) {
      return false;
    }
    attach(context, other);
    held.close();
    return true;
  }

  /** Gives back what the request holds, while it goes on; always true. */
  static boolean holdNothing(RoutingContext context) {
    return !(context.get(KEY) instanceof Reservation held) || held.resize(0);
  }

  /** Gives back what the request holds, at its end. */
  static void release(RoutingContext context) {
    if (context.get(KEY) instanceof Reservation held) {
      held.close();
    }
  }
}
