package io.errand.console;

import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleRequests;
import io.errand.auth.ConsoleSessions;
import io.errand.auth.ConsoleSessions.Session;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;

/** Ends a session. */
@Path("/console/logout")
@Blocking
public class LogoutResource {
  private final Pages pages;
  private final Caller caller;
  private final ConsoleSessions sessions;

  LogoutResource(Pages pages, Caller caller, ConsoleSessions sessions) {
    this.pages = pages;
    this.caller = caller;
    this.sessions = sessions;
  }

  /** Ends the session of this request, on every server. */
  @POST
  @Requires(Permission.SEE)
  public Response signOut() throws SQLException {
    Session session = ConsoleRequests.session(caller.request());
    if (session != null) {
      sessions.close(session);
    }
    return Response.fromResponse(pages.seeOther("/login?notice=signed-out"))
        .header("Set-Cookie", ConsoleRequests.noCookie(caller.request()))
        .build();
  }
}
