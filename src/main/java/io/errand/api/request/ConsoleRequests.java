package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.audit.AuditTrail;
import io.errand.auth.ConsoleSessions.Session;
import io.errand.auth.Identity;
import io.errand.auth.SignIn;
import io.errand.store.audit.AuditEntry;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.ext.Provider;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * What the console does with its requests: each form that changes something must carry the token of
 * its session, in the field {@code csrf} or the header {@code Errand-CSRF}; this is looked at
 * before the audit and the route. Writes sign-ins into the audit.
 */
@Provider
@Priority(Priorities.AUTHENTICATION)
@ApplicationScoped
public class ConsoleRequests implements ContainerRequestFilter {
  private static final String SESSION = ConsoleRequests.class.getName() + ".session";
  private static final String FORM = ConsoleRequests.class.getName() + ".form";
  private static final int SEE_OTHER = 303;

  private final CurrentVertxRequest current;
  private final AuditTrail audit;
  private final ApiConfig config;

  ConsoleRequests(CurrentVertxRequest current, AuditTrail audit, ApiConfig config) {
    this.config = config;
    this.current = current;
    this.audit = audit;
  }

  static void put(RoutingContext context, Session session) {
    context.put(SESSION, session);
  }

  /** The session of a request to the console, or null where it has none. */
  public static @Nullable Session session(RoutingContext context) {
    return context.get(SESSION);
  }

  /**
   * The fields of the form that a request has sent.
   *
   * @throws Problem 400 if they are no form
   */
  public static ConsoleForm form(RoutingContext context) {
    ConsoleForm form = context.get(FORM);
    if (form == null) {
      form = ConsoleForm.read(RequestBody.of(context));
      context.put(FORM, form);
    }
    return form;
  }

  /** The header that keeps a session in the browser. */
  public static String cookie(RoutingContext context, Session session) {
    return ConsoleGate.setCookie(Origin.of(context), session.secret());
  }

  /** The header that removes it. */
  public static String noCookie(RoutingContext context) {
    return ConsoleGate.setCookie(Origin.of(context), "");
  }

  /** The sign-in by way of a provider that the browser has begun, or null. */
  public static @Nullable SignIn signIn(RoutingContext context) {
    String secret = ConsoleGate.signIn(context);
    return secret == null ? null : new SignIn(secret);
  }

  /** The header that keeps one in the browser. */
  public static String cookie(RoutingContext context, SignIn signIn, int seconds) {
    return ConsoleGate.setSignInCookie(Origin.of(context), signIn.secret(), seconds);
  }

  /** The header that removes it. */
  public static String noSignInCookie(RoutingContext context) {
    return ConsoleGate.setSignInCookie(Origin.of(context), "", 0);
  }

  /** Where an identity provider sends the browser back to. */
  public String callback(RoutingContext context) {
    return ConsoleGate.callback(Origin.of(context), config.publicUrl().orElse(null));
  }

  /**
   * The address under which people can sign in by way of a provider, where the browser is at
   * another one and its cookie would not come along; else null.
   */
  public @Nullable String elsewhere(RoutingContext context) {
    Origin origin = Origin.of(context);
    String callback = callback(context);
    String here = (origin.isSecure() ? "https://" : "http://") + origin.host() + "/";
    return config.publicUrl().isEmpty() || callback.startsWith(here)
        ? null
        : callback.substring(0, callback.lastIndexOf('/'));
  }

  @Override
  public void filter(ContainerRequestContext request) {
    RoutingContext context = current.getCurrent();
    if (!ConsoleGate.isOf(context.request().path())
        || ConsoleGate.isRead(context.request())
        || ConsoleGate.isSignIn(context)) {
      return;
    }
    Session session = session(context);
    String header = context.request().getHeader("Errand-CSRF");
    String given = header == null ? form(context).value("csrf") : header;
    if (session == null || !session.isCsrfToken(given)) {
      Problem problem =
          Problem.of(
              Kind.FORBIDDEN,
              "This form does not carry the token of your session; load the page again and repeat"
                  + " what you did");
      refused(context, session == null ? null : session.identity(), problem);
      throw problem;
    }
  }

  /** A try that is refused. */
  public void refused(RoutingContext context, @Nullable Identity identity, Problem problem) {
    AuditEntry entry = AuditedRequests.refused(context, identity, problem);
    if (entry != null) {
      audit.refused(entry);
    }
  }

  /** Somebody has signed in. */
  public void signedIn(RoutingContext context, Identity identity) throws SQLException {
    AuditEntry entry = AuditedRequests.signIn(context, identity);
    audit.end(audit.begin(entry), entry.ended(SEE_OTHER, null, null, null));
  }
}
