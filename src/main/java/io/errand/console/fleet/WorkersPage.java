package io.errand.console.fleet;

import io.errand.api.fleet.SeenWorkers;
import io.errand.api.fleet.SeenWorkers.Seen;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.PageAdmission;
import io.errand.console.Pages;
import io.errand.store.reads.FleetReads;
import io.errand.store.reads.FleetReads.Running;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.control.ActivateRequestContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.List;

/** The workers that the caller is shown, and what they run of its project. */
@Path("/console/workers")
@Blocking
public class WorkersPage {
  private static final int MOST = 200;
  private static final int MOST_RUNNING = 1_000;

  private final Pages pages;
  private final FleetReads reads;
  private final SeenWorkers workers;
  private final PageAdmission admission;
  private final Caller caller;

  WorkersPage(
      Pages pages, FleetReads reads, SeenWorkers workers, PageAdmission admission, Caller caller) {
    this.pages = pages;
    this.reads = reads;
    this.workers = workers;
    this.admission = admission;
    this.caller = caller;
  }

  /** All of them by name. */
  @GET
  @Requires(Permission.SEE)
  @ActivateRequestContext
  public Response list() throws SQLException {
    List<Seen> found;
    List<Running> running;
    try (Admission.Permit permit = admission.enter()) {
      found = workers.live(caller.identity(), MOST + 1);
      running =
          reads.running(
              found.stream().map(seen -> seen.worker().id).toList(), caller.access(), MOST_RUNNING);
    }
    return pages.ok(
        Templates.workers(
            pages.shell("/workers", "Workers"),
            found.stream().limit(MOST).map(seen -> WorkerLine.of(seen, running)).toList(),
            found.size() > MOST));
  }
}
