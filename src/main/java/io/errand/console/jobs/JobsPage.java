package io.errand.console.jobs;

import io.errand.api.request.Caller;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Pages;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;

/** The list of jobs. */
@Path("/console/jobs")
@Blocking
public class JobsPage {
  private final Pages pages;
  private final JobList list;
  private final Caller caller;

  JobsPage(Pages pages, JobList list, Caller caller) {
    this.pages = pages;
    this.list = list;
    this.caller = caller;
  }

  /** A page of the list; the parameters are those of {@code GET /v1/jobs}. */
  @GET
  @Requires(Permission.SEE)
  public Response list(@Context UriInfo uri) throws SQLException {
    return pages.ok(
        Templates.jobs(
            pages.shell("/jobs", "Jobs"), list.view(uri.getQueryParameters(), caller.access())));
  }
}
