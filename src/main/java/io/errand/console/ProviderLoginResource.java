package io.errand.console;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.ConsoleRequests;
import io.errand.api.request.Origin;
import io.errand.auth.ConsoleSessions;
import io.errand.auth.ConsoleSessions.Session;
import io.errand.auth.NoRole;
import io.errand.auth.ProviderAway;
import io.errand.auth.ProviderClaims;
import io.errand.auth.ProviderSignIn;
import io.errand.auth.SignIn;
import io.errand.auth.SignInRefused;
import io.errand.auth.WrongTokens;
import io.errand.store.access.SignInStore;
import io.errand.store.access.SignInStore.Begun;
import io.smallrye.common.annotation.Blocking;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where one signs in by way of an identity provider. A form begins it; the provider sends the
 * browser back to a page, and that page sends a form of its own: so the browser adds the cookies of
 * this console, which it keeps back where other sites lead, and no request that only reads changes
 * anything.
 */
@Path("/console/login")
@Blocking
public class ProviderLoginResource {
  private static final int SECONDS = 60 * SignInStore.MINUTES;
  private static final int MOST_CODE = 4_096;
  private static final String AGAIN = "; sign in again";

  private final Pages pages;
  private final Caller caller;
  private final ConsoleSessions sessions;
  private final ProviderSignIn provider;
  private final WrongTokens wrongTokens;
  private final ConsoleRequests requests;

  /** How many sign-ins an address begins, which is bounded as that of wrong tokens is. */
  private final WrongTokens begun = new WrongTokens();

  ProviderLoginResource(
      Pages pages,
      Caller caller,
      ConsoleSessions sessions,
      ProviderSignIn provider,
      WrongTokens wrongTokens,
      ConsoleRequests requests) {
    this.pages = pages;
    this.caller = caller;
    this.sessions = sessions;
    this.provider = provider;
    this.wrongTokens = wrongTokens;
    this.requests = requests;
  }

  /** Leads to the provider. */
  @POST
  @Path("provider")
  public Response begin() throws SQLException {
    RoutingContext context = caller.request();
    String name = provider.provider();
    if (name == null) {
      throw Problem.of(Kind.NOT_FOUND, "Nobody can sign in by way of an identity provider here");
    }
    String next = Query.next(ConsoleRequests.form(context).value("next"));
    String address = Origin.of(context).client();
    int seconds = begun.waitSeconds(address, System.nanoTime());
    if (seconds > 0) {
      Problem problem =
          Problem.tooManyOfCaller("Too many sign-ins were begun from this address", seconds);
      requests.refused(context, null, problem);
      throw problem;
    }
    begun.add(address, System.nanoTime());
    String elsewhere = requests.elsewhere(context);
    if (elsewhere != null) {
      return page(
          Kind.INVALID.status,
          next,
          "Signing in with " + name + " works at " + elsewhere + " only, and you are elsewhere");
    }
    String redirectUri = requests.callback(context);
    try {
      SignIn signIn = sessions.begin(new Begun(next, redirectUri));
      return Response.fromResponse(
              pages.ok(
                  Templates.leave(
                      pages.shell("", "Sign in"), name, provider.address(signIn, redirectUri))))
          .header("Set-Cookie", ConsoleRequests.cookie(context, signIn, SECONDS))
          .build();
    } catch (SignInRefused e) {
      return refused(next, Kind.FORBIDDEN, e.why());
    } catch (ProviderAway e) {
      return page(Kind.UNAVAILABLE.status, next, e.getMessage() + AGAIN);
    }
  }

  /**
   * What the provider answers. A page of ours takes it further. Providers add what they like to it,
   * such as {@code session_state} (RFC 6749, section 4.1.2).
   */
  @GET
  @Path("callback")
  public Response answered(@Context UriInfo uri) {
    MultivaluedMap<String, String> given = uri.getQueryParameters();
    String code = only(given, "code");
    String state = only(given, "state");
    String issuer = only(given, "iss");
    String error = only(given, "error");
    if (error != null) {
      String word = error.matches("[a-z_]{1,60}") ? " (" + error + ")" : "";
      return refused(
          "", Kind.UNAUTHENTICATED, "The identity provider has not signed you in" + word);
    }
    if (isTooLong(code) || isTooLong(state)) {
      return refused(
          "", Kind.UNAUTHENTICATED, "This is no answer of the identity provider" + AGAIN);
    }
    return pages.ok(
        Templates.callback(
            pages.shell("", "Sign in"),
            String.valueOf(code),
            String.valueOf(state),
            issuer == null ? "" : issuer));
  }

  /** The value of a parameter that is there once, or null. */
  private static @Nullable String only(MultivaluedMap<String, String> given, String name) {
    List<String> values = given.get(name);
    return values == null || values.size() != 1 ? null : values.get(0);
  }

  private static boolean isTooLong(@Nullable String text) {
    return text == null || text.isEmpty() || text.length() > MOST_CODE;
  }

  /** Opens a session. */
  @POST
  @Path("callback")
  public Response finish() throws SQLException {
    RoutingContext context = caller.request();
    String address = Origin.of(context).client();
    int seconds = wrongTokens.waitSeconds(address, System.nanoTime());
    if (seconds > 0) {
      throw Problem.tooManyWrongTokens(seconds);
    }
    ConsoleForm form = ConsoleRequests.form(context);
    SignIn signIn = ConsoleRequests.signIn(context);
    // The state first: whoever sends a browser here with another one ends no sign-in of it.
    if (signIn == null || !SignIn.isSame(signIn.state(), form.value("state"))) {
      return wrong(
          "", Kind.UNAUTHENTICATED, "This sign-in was not begun in this browser, or took too long");
    }
    Optional<Begun> known = sessions.take(signIn);
    if (known.isEmpty()) {
      return wrong("", Kind.UNAUTHENTICATED, "This sign-in has ended, or took too long");
    }
    String next = known.get().next();
    String issuer = form.text("iss");
    try {
      ProviderClaims claims =
          provider.exchange(
              signIn,
              issuer.isEmpty() ? null : issuer,
              form.text("code"),
              known.get().redirectUri());
      Optional<Session> session = sessions.open(claims);
      if (session.isEmpty()) {
        return wrong(next, Kind.FORBIDDEN, "You have no role in a project of this server");
      }
      requests.signedIn(context, session.get().identity());
      return Response.fromResponse(pages.seeOther(next))
          .header("Set-Cookie", ConsoleRequests.cookie(context, session.get()))
          .header("Set-Cookie", ConsoleRequests.noSignInCookie(context))
          .build();
    } catch (SignInRefused e) {
      return wrong(next, Kind.UNAUTHENTICATED, e.why());
    } catch (NoRole e) {
      return wrong(next, Kind.FORBIDDEN, String.valueOf(e.getMessage()));
    } catch (ProviderAway e) {
      return page(Kind.UNAVAILABLE.status, next, e.getMessage() + AGAIN);
    }
  }

  private Response wrong(String next, Kind kind, String why) {
    wrongTokens.add(Origin.of(caller.request()).client(), System.nanoTime());
    return Response.fromResponse(refused(next, kind, why + AGAIN))
        .header("Set-Cookie", ConsoleRequests.noSignInCookie(caller.request()))
        .build();
  }

  private Response refused(String next, Kind kind, String why) {
    requests.refused(caller.request(), null, Problem.of(kind, why));
    return page(kind.status, next, why);
  }

  private Response page(int status, String next, String why) {
    return pages.answer(
        status,
        Templates.login(pages.shell("", "Sign in"), next, "", why + ".", provider.provider()));
  }
}
