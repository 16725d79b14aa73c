package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.problem.Routes;
import io.errand.api.problem.Routes.Route;
import io.errand.auth.Tokens;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The one place that every request passes before any route: decides whose it is, whether its body
 * may be read ({@link BodyHeaders}) and whether there is memory for it ({@link BodyAdmission}).
 * Fails closed: only the paths that are listed here are served to a request without a known caller,
 * and a path that is not written as it is routed is not served at all. A method is served where the
 * route of the path takes it ({@link Routes}).
 */
@ApplicationScoped
public class Gate {
  /** What probes, scrapers and readers of the API's description get without a token. */
  private static final Set<String> PUBLIC =
      Set.of(
          "/q/health",
          "/q/health/live",
          "/q/health/ready",
          "/q/health/started",
          "/q/metrics",
          "/q/openapi");

  /** Those of them that take long to write, and would keep probes waiting. */
  private static final Set<String> SLOW = Set.of("/q/metrics", "/q/openapi");

  private static final int MOST_SLOW = 2;
  private static final Set<String> READING = Set.of("GET", "HEAD");
  private static final int AFTER_REQUEST_IDS = 9_000;
  private static final String PRINCIPAL = Gate.class.getName() + ".principal";

  private final ApiConfig config;
  private final Tokens tokens;
  private final BodyAdmission bodies;
  private final RequestMeters meters;
  private final RefusedRequests refusals;
  private final Origins origins;
  private final Semaphore slow = new Semaphore(MOST_SLOW);

  Gate(
      ApiConfig config,
      Tokens tokens,
      BodyAdmission bodies,
      RequestMeters meters,
      RefusedRequests refusals,
      Origins origins) {
    this.config = config;
    this.tokens = tokens;
    this.bodies = bodies;
    this.meters = meters;
    this.refusals = refusals;
    this.origins = origins;
  }

  void install(@Observes Filters filters) {
    filters.register(this::handle, AFTER_REQUEST_IDS);
  }

  /**
   * Whose request this is.
   *
   * @throws IllegalStateException where the request has no known caller
   */
  public static String principal(RoutingContext context) {
    if (context.get(PRINCIPAL) instanceof String principal) {
      return principal;
    }
    throw new IllegalStateException("This request has no known caller");
  }

  private void handle(RoutingContext context) {
    HttpServerResponse response = context.response();
    setHeaders(context, response);
    String path = context.request().path();
    meters.measure(context, path != null && PUBLIC.contains(path));
    try {
      BodyHeaders.check(context.request());
      if (path == null || !PUBLIC.contains(path)) {
        identify(context, path);
        if (answersByRoute(context)) {
          return;
        }
      } else if (!READING.contains(context.request().method().name())) {
        response.putHeader(HttpHeaders.ALLOW, "GET, HEAD");
        throw Problem.ofStatus(Kind.METHOD_NOT_ALLOWED.status);
      } else if (SLOW.contains(path)) {
        enterSlow(context);
      }
      bodies.admit(context);
    } catch (Problem problem) {
      refusals.refuse(context, problem);
      return;
    }
    context.next();
  }

  /** Those of every answer. A link to a route of ours is as the client has to write it. */
  private void setHeaders(RoutingContext context, HttpServerResponse response) {
    Origin origin = origins.of(context.request());
    origin.put(context);
    response.putHeader("X-Content-Type-Options", "nosniff");
    if (origin.isSecure()) {
      response.putHeader("Strict-Transport-Security", Origin.STRICT_TRANSPORT);
    }
    context.addHeadersEndHandler(
        written -> {
          if (!response.headers().contains(HttpHeaders.CACHE_CONTROL)) {
            response.putHeader(HttpHeaders.CACHE_CONTROL, "no-store");
          }
          String location = response.headers().get(HttpHeaders.LOCATION);
          if (location != null) {
            response.putHeader(HttpHeaders.LOCATION, origin.path(location));
          }
        });
  }

  private void enterSlow(RoutingContext context) {
    if (!slow.tryAcquire()) {
      throw Problem.tooManyScrapes();
    }
    AtomicBoolean left = new AtomicBoolean();
    context.addEndHandler(
        ended -> {
          if (!left.getAndSet(true)) {
            slow.release();
          }
        });
  }

  private void identify(RoutingContext context, @Nullable String path) {
    if (!config.isApi()) {
      throw Problem.of(
          Kind.NOT_FOUND, "The API is not served here: this process runs commands only");
    }
    List<String> given = context.request().headers().getAll(HttpHeaders.AUTHORIZATION);
    String principal = given.size() == 1 ? tokens.principalOf(given.get(0)) : null;
    if (principal == null) {
      throw Problem.of(
          Kind.UNAUTHENTICATED,
          "Send Authorization: Bearer with the token from $ERRAND_HOME/token or ERRAND_TOKEN");
    }
    // Decided on the path that is routed, so one that is written in another way is not routed.
    if (path == null
        || !path.equals(context.normalizedPath())
        || !path.startsWith("/v1/")
        || path.endsWith("/") // the framework would leave it out, as it does
        || path.indexOf(';') >= 0) { // matrix parameters
      throw Problem.of(Kind.NOT_FOUND, Kind.NOT_FOUND.title);
    }
    context.put(PRINCIPAL, principal);
    RequestMemory.watch(context);
  }

  /**
   * Refuses a method that the route of the path does not take, and answers {@code OPTIONS}. The
   * framework would name the methods of other paths too, also for one that is not there.
   *
   * @return whether the request is answered
   */
  private static boolean answersByRoute(RoutingContext context) {
    Route route = Routes.ofApi().find(context.request().path());
    String method = context.request().method().name();
    if (route == null) {
      if (method.equals("OPTIONS")) {
        throw Problem.of(Kind.NOT_FOUND, Kind.NOT_FOUND.title);
      }
      return false;
    }
    boolean isAllowed = route.methods().contains(method);
    if (isAllowed && !method.equals("OPTIONS")) {
      return false;
    }
    context.response().putHeader(HttpHeaders.ALLOW, route.allowed());
    if (!isAllowed) {
      throw Problem.ofStatus(Kind.METHOD_NOT_ALLOWED.status);
    }
    context.response().end();
    return true;
  }
}
