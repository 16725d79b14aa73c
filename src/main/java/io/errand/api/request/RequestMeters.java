package io.errand.api.request;

import io.errand.api.problem.Routes;
import io.errand.api.problem.Routes.Route;
import io.errand.meters.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.TimeUnit;

/**
 * How long requests took, as {@code http_server_requests_seconds}. The labels are those of known
 * methods and routes only: what a client makes up is counted as {@code UNKNOWN}, so that the number
 * of meters has a bound.
 */
@ApplicationScoped
public class RequestMeters {
  private static final String UNKNOWN = "UNKNOWN";

  private final MeterRegistry registry;

  RequestMeters(MeterRegistry registry) {
    this.registry = registry;
  }

  /**
   * Measures a request from now to its end.
   *
   * @param ofOperations whether it is a probe or a scrape, which are not counted
   */
  void measure(RoutingContext context, boolean ofOperations) {
    if (ofOperations) {
      return;
    }
    long begun = System.nanoTime();
    context.addEndHandler(
        ended -> {
          if (context.response().headWritten()) { // else the client is gone, or was refused
            record(context, System.nanoTime() - begun);
          }
        });
  }

  /**
   * Counts a request that the listener has refused before any route.
   *
   * @param status what was answered
   * @param nanos since its first byte
   */
  public void refused(int status, long nanos) {
    record(UNKNOWN, UNKNOWN, status, nanos);
  }

  private void record(RoutingContext context, long nanos) {
    String path = context.request().path();
    Route route = path == null ? null : Routes.ofApi().find(path);
    record(
        context.request().method().name(), // the listener lets known ones pass
        route == null ? UNKNOWN : route.template(),
        context.response().getStatusCode(),
        nanos);
  }

  private void record(String method, String route, int status, long nanos) {
    Metric.REQUESTS
        .timer(registry, method, route, Integer.toString(status), outcome(status))
        .record(nanos, TimeUnit.NANOSECONDS);
  }

  private static String outcome(int status) {
    if (status < 300) {
      return "SUCCESS";
    }
    if (status < 400) {
      return "REDIRECTION";
    }
    return status < 500 ? "CLIENT_ERROR" : "SERVER_ERROR";
  }
}
