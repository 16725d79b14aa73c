package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.request.RequestRates.Allowance;
import io.errand.auth.Identity;
import io.errand.meters.Metric;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** What one caller may take of this process: requests a second, and waits at once. */
@ApplicationScoped
class CallerLimits {
  private final @Nullable RequestRates rates;
  private final int mostWaits;

  /** Of callers that have one: there are not more than requests that are held. */
  private final Map<String, Integer> waits = new ConcurrentHashMap<>();

  private final Counter tooFast;
  private final Counter tooManyWaits;

  CallerLimits(CallerLimitsConfig config, MeterRegistry registry) {
    tooFast = Metric.CALLERS_LIMITED.counter(registry, "rate");
    tooManyWaits = Metric.CALLERS_LIMITED.counter(registry, "waits");
    double perSecond = config.ratePerSecond();
    this.rates =
        perSecond == 0
            ? null
            : new RequestRates(perSecond, config.rateBurst().orElse(Math.max(1, perSecond)));
    this.mostWaits = config.maxWaits().orElse(Integer.MAX_VALUE);
  }

  /**
   * Counts a request, and says in its answer what is left.
   *
   * @throws Problem 429 if the caller has sent too many
   */
  void countRequest(RoutingContext context, Identity identity) {
    RequestRates limited = rates;
    if (limited == null) {
      return;
    }
    Allowance allowance = limited.take(identity.principal(), System.nanoTime());
    context
        .response()
        .putHeader("RateLimit-Policy", limited.policy())
        .putHeader("RateLimit", RequestRates.limit(allowance));
    if (!allowance.isGranted()) {
      tooFast.increment();
      throw Problem.tooManyOfCaller(
          "This caller sends more requests than it may", allowance.retrySeconds());
    }
  }

  /**
   * Counts a long poll or a stream until it ends.
   *
   * @return whether the caller may have one more
   */
  boolean enterWait(RoutingContext context, Identity identity) {
    if (mostWaits == Integer.MAX_VALUE) {
      return true;
    }
    String caller = identity.principal();
    if (waits.merge(caller, 1, Integer::sum) > mostWaits) {
      leaveWait(caller);
      tooManyWaits.increment();
      return false;
    }
    AtomicBoolean left = new AtomicBoolean();
    context.addEndHandler(
        ended -> {
          if (!left.getAndSet(true)) {
            leaveWait(caller);
          }
        });
    return true;
  }

  private void leaveWait(String caller) {
    waits.computeIfPresent(caller, (name, count) -> count == 1 ? null : count - 1);
  }
}
