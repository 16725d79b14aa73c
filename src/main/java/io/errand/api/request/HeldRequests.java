package io.errand.api.request;

import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Bounds how many long polls and streams there are, from their heads to the ends of their answers.
 * Each keeps a connection for a minute or for hours, and none of them can be taken for another.
 */
@ApplicationScoped
public class HeldRequests {
  private final AtomicInteger count = new AtomicInteger();
  private volatile int most = Integer.MAX_VALUE;

  /** Sets how many there may be; what begins to listen knows. */
  public void bound(int most) {
    this.most = most;
  }

  /** Whether one more may be served; it is counted until it ends, however that is. */
  boolean enter(RoutingContext context) {
    if (count.incrementAndGet() > most) {
      count.decrementAndGet();
      return false;
    }
    AtomicBoolean left = new AtomicBoolean();
    context.addEndHandler(
        ended -> {
          if (!left.getAndSet(true)) {
            count.decrementAndGet();
          }
        });
    return true;
  }
}
