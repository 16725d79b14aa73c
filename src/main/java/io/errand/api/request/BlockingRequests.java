package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Routes;
import io.errand.api.problem.Routes.Route;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.Provider;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/**
 * Bounds how many requests wait for a thread or have one: all of them share the threads and the
 * connections to the database, and are served in the order in which they came. A request is one of
 * them from when its body has arrived until the head of its answer is written or it waits without a
 * thread. Whoever has left meanwhile is not served.
 */
@Provider
@ApplicationScoped
public class BlockingRequests implements ContainerRequestFilter {
  /** Between the direct route for submits and the framework. */
  private static final int BEHIND_THE_LANE = 0;

  /** For each connection to the database: at a millisecond or two each, a second's work or two. */
  private static final int FOR_EACH_CONNECTION = 64;

  /** So many times as many long polls and streams, which take a thread for a moment only. */
  private static final int WAITING_TIMES = 16;

  private static final String ONE_JOB = "/v1/jobs/{id}";

  private static final Set<String> STREAMS =
      Set.of(ONE_JOB + "/output/stream", "/console/jobs/{id}/output/stream");

  private static final String KEY = BlockingRequests.class.getName();

  private final ApiConfig config;
  private final CurrentVertxRequest current;
  private final RefusedRequests refusals;
  private final HeldRequests held;
  private final CallerLimits limits;
  private final int most;
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicInteger countOfWaiting = new AtomicInteger();

  BlockingRequests(
      ApiConfig config,
      CurrentVertxRequest current,
      RefusedRequests refusals,
      HeldRequests held,
      CallerLimits limits,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.config = config;
    this.current = current;
    this.refusals = refusals;
    this.held = held;
    this.limits = limits;
    this.most = FOR_EACH_CONNECTION * pool;
  }

  /** One request that is counted. */
  private static final class Place {
    private final AtomicInteger count;
    private boolean started;
    private boolean ended;
    private boolean left;

    Place(AtomicInteger count) {
      this.count = count;
    }

    /** A thread has it. */
    synchronized void start() {
      started = true;
      if (ended) {
        leave();
      }
    }

    /** There will be no answer; while it waits for a thread it still takes a place. */
    synchronized void end() {
      ended = true;
      if (started) {
        leave();
      }
    }

    synchronized void leave() {
      if (!left) {
        left = true;
        count.decrementAndGet();
      }
    }
  }

  void install(@Observes Router router) {
    if (config.isApi()) {
      for (String paths : Gate.SERVED) {
        router.route(paths).order(BEHIND_THE_LANE).handler(this::enter);
      }
    }
  }

  private void enter(RoutingContext context) {
    boolean waits = waits(context.request());
    if (waits && !limits.enterWait(context, Gate.identity(context))) {
      refusals.refuse(
          context, Problem.tooManyOfCaller("This caller waits for as many jobs as it may", 5));
      return;
    }
    if (waits && !held.enter(context)) {
      refusals.refuse(context, Problem.tooManyHeld());
      return;
    }
    AtomicInteger counted = waits ? countOfWaiting : count;
    if (counted.incrementAndGet() > (waits ? WAITING_TIMES * most : most)) {
      counted.decrementAndGet();
      refusals.refuse(context, Problem.tooMany("requests are being answered"));
      return;
    }
    Place place = new Place(counted);
    context.put(KEY, place);
    context.addHeadersEndHandler(written -> place.leave());
    context.addEndHandler(ended -> place.end());
    context.next();
  }

  private static boolean waits(HttpServerRequest request) {
    String path = request.path();
    return path != null
        && waits(
            Routes.ofApi().find(path),
            request.method().name(),
            request.query(),
            request.headers().getAll("Prefer"));
  }

  /** Whether it is a long poll or a stream: no other route waits, whatever a request says. */
  static boolean waits(
      @Nullable Route route, String method, @Nullable String query, List<String> prefer) {
    if (route == null || !method.equals("GET")) {
      return false;
    }
    return STREAMS.contains(route.template())
        || (route.template().equals(ONE_JOB) && WaitPreference.isAsked(query, prefer));
  }

  /** From now on this request needs no thread. */
  public static void leave(RoutingContext context) {
    if (context.get(KEY) instanceof Place place) {
      place.leave();
    }
  }

  /** For the framework: a thread has the request now. */
  @Override
  public void filter(ContainerRequestContext request) {
    RoutingContext context = current.getCurrent();
    if (context.get(KEY) instanceof Place place) {
      place.start();
    }
    if (context.response().closed()) {
      request.abortWith(Response.status(Response.Status.SERVICE_UNAVAILABLE).build());
    }
  }
}
