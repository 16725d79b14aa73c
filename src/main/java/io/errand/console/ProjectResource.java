package io.errand.console;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.AuditedRequests;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.ConsoleRequests;
import io.errand.auth.ConsoleSessions;
import io.errand.auth.ConsoleSessions.Session;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.ProjectNames;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;

/** Chooses the project that a session works in, for who has several. */
@Path("/console/project")
@Blocking
public class ProjectResource {
  private final Pages pages;
  private final Caller caller;
  private final ConsoleSessions sessions;

  ProjectResource(Pages pages, Caller caller, ConsoleSessions sessions) {
    this.pages = pages;
    this.caller = caller;
    this.sessions = sessions;
  }

  /** Has all pages of this session show another project, and its forms change that. */
  @POST
  @Requires(Permission.SEE)
  public Response choose() throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    Session session = ConsoleRequests.session(caller.request());
    String other = form.text("other");
    String project = other.isEmpty() ? form.text("project") : other;
    if (session == null
        || !project.matches(ProjectNames.PATTERN)
        || !sessions.choose(session, project)) {
      throw Problem.of(Kind.NOT_FOUND, "There is no such project, or you have no role in it");
    }
    AuditedRequests.note(caller.request(), "{\"project\":\"" + project + "\"}", null);
    String section = form.text("section");
    boolean isKnown = Section.ALL.stream().anyMatch(entry -> entry.path().equals(section));
    return pages.seeOther((isKnown ? section : "") + "?notice=project");
  }
}
