package io.errand.console.jobs;

import io.errand.api.jobs.JobAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Pages;
import io.errand.queue.BulkJobs;
import io.errand.store.operations.Operation;
import io.errand.store.operations.OperationReads;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;

/** The progress of a change of many jobs. It goes on whether anybody looks or not. */
@Path("/console/operations/{id}")
@Blocking
public class OperationPage {
  private final Pages pages;
  private final OperationReads reads;
  private final BulkJobs bulk;
  private final Caller caller;

  OperationPage(Pages pages, OperationReads reads, BulkJobs bulk, Caller caller) {
    this.pages = pages;
    this.reads = reads;
    this.bulk = bulk;
    this.caller = caller;
  }

  /** The page. */
  @GET
  @Requires(Permission.SEE)
  public Response page(@PathParam("id") String text) throws SQLException {
    return pages.ok(
        Templates.operation(pages.shell("/operations", "Operation"), OperationView.of(find(text))));
  }

  /** Stops it; what it has changed stays changed. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("stop")
  public Response stop(@PathParam("id") String text) throws SQLException {
    Operation operation = find(text);
    bulk.stop(operation.id(), caller.access());
    return pages.seeOther("/operations/" + operation.id() + "?notice=stopping");
  }

  private Operation find(String text) throws SQLException {
    UUID id = JobAnswers.idOrNull(text);
    return (id == null ? Optional.<Operation>empty() : reads.find(id, caller.access()))
        .orElseThrow(() -> Problem.of(Kind.NOT_FOUND, "There is no such operation"));
  }
}
