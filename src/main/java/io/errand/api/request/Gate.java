package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.problem.ProblemMappers;
import io.errand.api.problem.Routes;
import io.errand.api.problem.Routes.Route;
import io.errand.audit.AuditTrail;
import io.errand.auth.Identity;
import io.errand.auth.NoRole;
import io.errand.auth.Permission;
import io.errand.auth.ProviderAway;
import io.errand.store.audit.AuditEntry;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Context;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The one place that every request passes before any route: decides whose it is and whether its
 * role may do that ({@link io.errand.auth.Requires}), whether its body may be read ({@link
 * BodyHeaders}) and whether there is memory for it ({@link BodyAdmission}). Fails closed: only the
 * paths that are listed here are served to a request without a known caller, and a path that is not
 * written as it is routed is not served at all. A method is served where the route of the path
 * takes it ({@link Routes}).
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

  /** What is served to known callers, as the router takes it, and the form that signs in. */
  static final List<String> SERVED = List.of("/v1/*", "/console*");

  private static final int AFTER_REQUEST_IDS = 9_000;
  private static final String IDENTITY = Gate.class.getName() + ".identity";

  private final ApiConfig config;
  private final CallerLookUp callers;
  private final BodyAdmission bodies;
  private final RequestMeters meters;
  private final RefusedRequests refusals;
  private final Origins origins;
  private final AuditTrail audit;
  private final CallerLimits limits;
  private final ConsoleEntry console;
  private final DocsPages docs;
  private final Management management;
  private final Semaphore slow = new Semaphore(MOST_SLOW);

  Gate(
      ApiConfig config,
      CallerLookUp callers,
      BodyAdmission bodies,
      RequestMeters meters,
      RefusedRequests refusals,
      Origins origins,
      AuditTrail audit,
      CallerLimits limits,
      ConsoleEntry console,
      DocsPages docs,
      Management management) {
    this.management = management;
    this.config = config;
    this.callers = callers;
    this.bodies = bodies;
    this.meters = meters;
    this.refusals = refusals;
    this.origins = origins;
    this.audit = audit;
    this.limits = limits;
    this.console = console;
    this.docs = docs;
  }

  void install(@Observes Filters filters) {
    filters.register(this::handle, AFTER_REQUEST_IDS);
  }

  /** Who the caller is, or null where that is not known. */
  public static @Nullable Identity identityOrNull(RoutingContext context) {
    return context.get(IDENTITY) instanceof Identity identity ? identity : null;
  }

  /**
   * Whose request this is.
   *
   * @throws IllegalStateException where the request has no known caller
   */
  public static Identity identity(RoutingContext context) {
    if (context.get(IDENTITY) instanceof Identity identity) {
      return identity;
    }
    throw new IllegalStateException("This request has no known caller");
  }

  private void handle(RoutingContext context) {
    HttpServerResponse response = context.response();
    setHeaders(context, response);
    String path = context.request().path();
    boolean isPublic =
        path != null && PUBLIC.contains(path) && management.serves(path, context.request());
    meters.measure(context, isPublic);
    try {
      if (!isPublic && management.isOf(context.request())) {
        throw Problem.of(Kind.NOT_FOUND, "Only health checks and metrics are served on this port");
      }
      BodyHeaders.check(context.request());
      if (config.isApi() && ConsoleGate.isOf(path)) {
        console.handle(context, this::resume, bodies::admit);
        return;
      }
      if (config.isApi() && DocsPages.isOf(path)) {
        docs.answer(context, refusals::refuse);
        return;
      }
      if (!isPublic) {
        identify(context);
        return;
      }
      if (!READING.contains(context.request().method().name())) {
        response.putHeader(HttpHeaders.ALLOW, "GET, HEAD");
        throw Problem.ofStatus(Kind.METHOD_NOT_ALLOWED.status);
      } else if (SLOW.contains(path)) {
        enterSlow(context);
      }
      bodies.admit(context);
    } catch (Problem problem) {
      refuse(context, context.get(IDENTITY), problem);
      return;
    }
    context.next();
  }

  private void refuse(RoutingContext context, @Nullable Identity identity, Problem problem) {
    AuditEntry entry = AuditedRequests.refused(context, identity, problem);
    if (entry != null) {
      audit.refused(entry);
    }
    refusals.refuse(context, problem);
  }

  /** Those of every answer. A link to a route of ours is as the client has to write it. */
  private void setHeaders(RoutingContext context, HttpServerResponse response) {
    Origin origin = origins.of(context.request());
    origin.put(context);
    response.putHeader("X-Content-Type-Options", "nosniff");
    if (ConsoleGate.isOf(context.request().path())) {
      ConsoleGate.putHeaders(response);
    }
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

  /** Finds out whose the request is, which may take a look into the database. */
  private void identify(RoutingContext context) {
    if (!config.isApi()) {
      throw Problem.of(
          Kind.NOT_FOUND, "The API is not served here: this process runs commands only");
    }
    AtomicReference<@Nullable Identity> who = new AtomicReference<>();
    CompletableFuture<Identity> found = callers.find(context, who);
    if (isThere(found)) {
      enter(context, found.join());
      return;
    }
    context.request().pause();
    Context eventLoop = context.vertx().getOrCreateContext();
    found.whenComplete(
        (identity, fault) ->
            eventLoop.runOnContext(now -> resume(context, identity, who.get(), fault)));
  }

  /** Whether a caller was found without a look into the database. */
  private static boolean isThere(CompletableFuture<?> found) {
    return found.isDone() && !found.isCompletedExceptionally();
  }

  /**
   * Finds out again whose a request is, when its body has arrived: a key, a session or a project
   * that has ended meanwhile gives no right any more.
   *
   * @param goOn what to do for the caller; not called where the request is refused
   */
  void confirm(RoutingContext context, Runnable goOn) {
    Identity before = identityOrNull(context);
    if (before == null) { // a form that signs in
      goOn.run();
      return;
    }
    CompletableFuture<@Nullable Identity> found;
    try {
      found =
          ConsoleGate.isOf(context.request().path())
              ? console.again(context)
              : callers.find(context, new AtomicReference<>());
    } catch (Problem problem) {
      refuse(context, before, problem);
      return;
    }
    if (isThere(found)) {
      confirmed(context, before, found.join(), null, goOn);
      return;
    }
    Context eventLoop = context.vertx().getOrCreateContext();
    found.whenComplete(
        (identity, fault) ->
            eventLoop.runOnContext(now -> confirmed(context, before, identity, fault, goOn)));
  }

  private void confirmed(
      RoutingContext context,
      Identity before,
      @Nullable Identity identity,
      @Nullable Throwable fault,
      Runnable goOn) {
    if (context.response().ended() || context.response().closed()) {
      return;
    }
    try {
      if (fault != null) {
        throw problemOf(fault);
      }
      if (identity == null
          || !identity.principal().equals(before.principal())
          || !identity.project().equals(before.project())) {
        throw CallerLookUp.unauthenticated();
      }
      context.put(IDENTITY, identity);
      answersByRoute(context, identity);
    } catch (Problem problem) {
      refuse(context, before, problem);
      return;
    }
    goOn.run();
  }

  private void resume(
      RoutingContext context,
      @Nullable Identity identity,
      @Nullable Identity who,
      @Nullable Throwable fault) {
    if (context.response().closed()) {
      return;
    }
    try {
      if (identity == null) {
        throw problemOf(fault);
      }
      enter(context, identity);
    } catch (Problem problem) {
      refuse(context, who, problem);
    } finally {
      context.request().resume();
    }
  }

  private static Problem problemOf(@Nullable Throwable fault) {
    Throwable cause = fault instanceof CompletionException ? fault.getCause() : fault;
    if (cause instanceof Problem problem) {
      return problem;
    }
    if (cause instanceof NoRole) {
      return Problem.of(Kind.FORBIDDEN, String.valueOf(cause.getMessage()));
    }
    if (cause instanceof ProviderAway) {
      return Problem.providerAway(String.valueOf(cause.getMessage()));
    }
    return cause instanceof RejectedExecutionException
        ? Problem.tooMany("keys are being looked up")
        : ProblemMappers.problemOf(cause);
  }

  /**
   * Whether a path may be routed: it is decided on the path that is routed, so one that is written
   * in another way is not.
   *
   * @param normalized the path as the router reads it
   */
  static boolean isServed(@Nullable String path, String normalized) {
    return path != null
        && path.equals(normalized)
        && (path.startsWith("/v1/") || ConsoleGate.isOf(path))
        && !path.endsWith("/") // the framework would leave it out, as it does
        && path.indexOf(';') < 0; // matrix parameters
  }

  /** Lets a request with a known caller pass if its role may do that. */
  private void enter(RoutingContext context, Identity identity) {
    checkPath(context);
    context.put(IDENTITY, identity);
    limits.countRequest(context, identity);
    RequestMemory.watch(context);
    if (!answersByRoute(context, identity)) {
      bodies.admit(context);
      context.next();
    }
  }

  /** Answers 404 for a path that is not to be routed. */
  static void checkPath(RoutingContext context) {
    if (!isServed(context.request().path(), context.normalizedPath())) {
      throw Problem.of(Kind.NOT_FOUND, Kind.NOT_FOUND.title);
    }
  }

  /**
   * Refuses a method that the route of the path does not take or that the caller may not use, and
   * answers {@code OPTIONS}. The framework would name the methods of other paths too, also for one
   * that is not there.
   *
   * @return whether the request is answered
   */
  private static boolean answersByRoute(RoutingContext context, Identity identity) {
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
      requirePermission(route, method, identity);
      return false;
    }
    context.response().putHeader(HttpHeaders.ALLOW, route.allowed());
    if (!isAllowed) {
      throw Problem.ofStatus(Kind.METHOD_NOT_ALLOWED.status);
    }
    context.response().end();
    return true;
  }

  private static void requirePermission(Route route, String method, Identity identity) {
    Permission permission = route.permission(method);
    if (permission == null) {
      throw Problem.of(Kind.NOT_FOUND, Kind.NOT_FOUND.title);
    }
    if (!identity.role().may(permission)) {
      throw Problem.of(
          Kind.FORBIDDEN, "The role " + identity.role().wireName() + " may not do that");
    }
  }
}
