package io.errand.console;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.ConsoleRequests;
import io.errand.api.request.Origin;
import io.errand.auth.ConsoleSessions;
import io.errand.auth.ConsoleSessions.Session;
import io.errand.auth.Identities;
import io.errand.auth.Identity;
import io.errand.auth.ProviderSignIn;
import io.errand.auth.WrongTokens;
import io.smallrye.common.annotation.Blocking;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Where one signs in, by a key or by the link that the start prints. */
@Path("/console/login")
@Blocking
public class LoginResource {
  private static final int MOST_KEY = 8_192;
  private static final int PATIENCE_SECONDS = 20;

  private final Pages pages;
  private final Caller caller;
  private final ConsoleSessions sessions;
  private final Identities identities;
  private final WrongTokens wrongTokens;
  private final ConsoleRequests requests;
  private final ProviderSignIn provider;

  LoginResource(
      Pages pages,
      Caller caller,
      ConsoleSessions sessions,
      Identities identities,
      WrongTokens wrongTokens,
      ConsoleRequests requests,
      ProviderSignIn provider) {
    this.provider = provider;
    this.pages = pages;
    this.caller = caller;
    this.sessions = sessions;
    this.identities = identities;
    this.wrongTokens = wrongTokens;
    this.requests = requests;
  }

  /** The form. Whoever follows a link of another page has a session that only ours may show. */
  @GET
  public Response form(
      @QueryParam("next") @Nullable String next,
      @QueryParam("link") @Nullable String link,
      @HeaderParam("Sec-Fetch-Site") @Nullable String site) {
    Shell shell = pages.shell("", "Sign in");
    if ("cross-site".equals(site) && next != null && link == null) {
      return pages.ok(Templates.again(shell, Query.next(next)));
    }
    return pages.ok(
        Templates.login(
            shell, Query.next(next), link == null ? "" : link, null, provider.provider()));
  }

  /** Opens a session. */
  @POST
  public Response signIn() throws SQLException {
    RoutingContext context = caller.request();
    String address = Origin.of(context).client();
    ConsoleForm form = ConsoleRequests.form(context);
    String link = form.text("link");
    boolean wasRight = link.isEmpty() && identities.wasRight(form.text("key"));
    int seconds = wasRight ? 0 : wrongTokens.waitSeconds(address, System.nanoTime());
    if (seconds > 0) {
      throw Problem.tooManyWrongTokens(seconds);
    }
    String next = Query.next(form.value("next"));
    Optional<Session> session =
        link.isEmpty() ? byKey(form.text("key")) : sessions.openByLink(link);
    if (session.isEmpty()) {
      wrongTokens.add(address, System.nanoTime());
      requests.refused(
          context, null, Problem.of(Kind.UNAUTHENTICATED, "Nobody has this key or this link"));
      String fault =
          link.isEmpty()
              ? "This key is not known here, has expired or was revoked."
              : "This link has been used, or is too old. Sign in with a key.";
      return pages.answer(
          401, Templates.login(pages.shell("", "Sign in"), next, "", fault, provider.provider()));
    }
    requests.signedIn(context, session.get().identity());
    return Response.fromResponse(pages.seeOther(next))
        .header("Set-Cookie", ConsoleRequests.cookie(context, session.get()))
        .build();
  }

  private Optional<Session> byKey(String key) throws SQLException {
    if (key.isEmpty() || key.length() > MOST_KEY) {
      return Optional.empty();
    }
    Identity identity = identity(key);
    return identity == null ? Optional.empty() : sessions.open(identity, key);
  }

  private @Nullable Identity identity(String key) throws SQLException {
    try {
      return identities.find(key).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SQLException fault) {
        throw fault;
      }
      return null;
    } catch (TimeoutException e) {
      throw Problem.busy();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Problem.busy();
    }
  }
}
