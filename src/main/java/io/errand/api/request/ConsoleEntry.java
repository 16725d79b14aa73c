package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.problem.Routes;
import io.errand.api.problem.Routes.Route;
import io.errand.auth.ConsoleSessions;
import io.errand.auth.ConsoleSessions.Session;
import io.errand.auth.Identity;
import io.errand.auth.WrongTokens;
import io.vertx.core.Context;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Finds out whose a request to the console is: that of the session in its cookie. */
@ApplicationScoped
class ConsoleEntry {
  private static final int SEE_OTHER = 303;

  /** Of what project the page is that asks for a part of itself again. */
  private static final String PAGE_PROJECT = "Errand-Page-Project";

  private final ConsoleGate rules;
  private final ConsoleSessions sessions;
  private final WrongTokens wrongTokens;

  ConsoleEntry(ConsoleGate rules, ConsoleSessions sessions, WrongTokens wrongTokens) {
    this.rules = rules;
    this.sessions = sessions;
    this.wrongTokens = wrongTokens;
  }

  /** What the gate does with a request whose caller has been looked up. */
  interface Resume {
    void with(
        RoutingContext context,
        @Nullable Identity identity,
        @Nullable Identity who,
        @Nullable Throwable fault);
  }

  /**
   * Lets a request in, sends it to where one signs in, or refuses it.
   *
   * @param resume goes on in the gate with the caller of the session
   * @param admit lets the body of a request in that needs no session
   * @throws Problem where it is refused at once, or where its address sent too many wrong sessions
   */
  void handle(RoutingContext context, Resume resume, Consumer<RoutingContext> admit) {
    HttpServerRequest request = context.request();
    String path = String.valueOf(request.path());
    rules.check(request, Origin.of(context));
    String elsewhere = ConsoleGate.redirect(path);
    if (elsewhere != null && ConsoleGate.isRead(request)) {
      seeOther(context, elsewhere);
      return;
    }
    Gate.checkPath(context);
    if (ConsoleGate.isOpen(request)) {
      checkMethod(context, path);
      admit.accept(context);
      context.next();
      return;
    }
    String secret = ConsoleGate.session(context);
    if (secret == null) {
      turnAway(context, resume);
      return;
    }
    String address = Origin.of(context).client();
    int seconds =
        sessions.wasRight(secret) ? 0 : wrongTokens.waitSeconds(address, System.nanoTime());
    if (seconds > 0) {
      throw Problem.tooManyWrongTokens(seconds);
    }
    request.pause();
    Context eventLoop = context.vertx().getOrCreateContext();
    sessions
        .find(secret)
        .whenComplete(
            (session, fault) -> {
              if (session == null && fault == null) {
                wrongTokens.add(address, System.nanoTime());
              }
              eventLoop.runOnContext(now -> goOn(context, session, fault, resume));
            });
  }

  /** The caller of a request that was let in, if its session still counts; else null. */
  CompletableFuture<@Nullable Identity> again(RoutingContext context) {
    String secret = ConsoleGate.session(context);
    return secret == null
        ? CompletableFuture.completedFuture(null)
        : sessions.find(secret).thenApply(session -> session == null ? null : session.identity());
  }

  private static void checkMethod(RoutingContext context, String path) {
    Route route = Routes.ofApi().find(path);
    if (route != null && !route.methods().contains(context.request().method().name())) {
      context.response().putHeader(HttpHeaders.ALLOW, route.allowed());
      throw Problem.ofStatus(Kind.METHOD_NOT_ALLOWED.status);
    }
  }

  private static void goOn(
      RoutingContext context, @Nullable Session session, @Nullable Throwable fault, Resume resume) {
    String page = context.request().getHeader(PAGE_PROJECT);
    if (session != null && page != null && !page.equals(session.identity().project())) {
      // Another page of this session has chosen another project, so that this one must not go on.
      context.response().putHeader("HX-Refresh", "true");
      resume.with(
          context,
          null,
          session.identity(),
          Problem.of(Kind.CONFLICT, "This page shows another project than the session is in now"));
    } else if (session != null) {
      ConsoleRequests.put(context, session);
      endStreamWith(context, session.identity().expiresAt());
      resume.with(context, session.identity(), null, null);
    } else if (fault != null) {
      resume.with(context, null, null, fault);
    } else if (!context.response().closed()) {
      turnAway(context, resume);
    }
  }

  /** A stream lasts no longer than who watches it may see. */
  private static void endStreamWith(RoutingContext context, @Nullable Instant end) {
    if (end != null && String.valueOf(context.request().path()).endsWith("/stream")) {
      long millis = Math.max(1, Duration.between(Instant.now(), end).toMillis());
      long timer =
          context.vertx().setTimer(millis, fired -> context.request().connection().close());
      context.addEndHandler(ended -> context.vertx().cancelTimer(timer));
    }
  }

  /** Nobody is signed in: a person is asked to, and anything else is refused. */
  private static void turnAway(RoutingContext context, Resume resume) {
    String login = ConsoleGate.toLogin(context.request());
    if (login == null) {
      resume.with(
          context,
          null,
          null,
          Problem.of(Kind.UNAUTHENTICATED, "Nobody is signed in to the console; sign in first"));
    } else {
      seeOther(context, login);
      context.request().resume();
    }
  }

  private static void seeOther(RoutingContext context, String location) {
    context
        .response()
        .setStatusCode(SEE_OTHER)
        .putHeader(HttpHeaders.LOCATION, location)
        .putHeader(HttpHeaders.CONTENT_LENGTH, "0")
        .end();
  }
}
