package io.errand.console.fleet;

import io.errand.api.bulk.OperationsQuery;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.PageAdmission;
import io.errand.console.Pages;
import io.errand.console.Query;
import io.errand.store.operations.Operation;
import io.errand.store.operations.OperationReads;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;

/** Changes of many jobs: those in progress and those that have ended. */
@Path("/console/operations")
@Blocking
public class OperationsPage {
  private final Pages pages;
  private final OperationReads reads;
  private final PageAdmission admission;
  private final Caller caller;

  OperationsPage(Pages pages, OperationReads reads, PageAdmission admission, Caller caller) {
    this.pages = pages;
    this.reads = reads;
    this.admission = admission;
    this.caller = caller;
  }

  /** The newest first; the parameters are those of {@code GET /v1/operations}. */
  @GET
  @Requires(Permission.SEE)
  public Response list(@Context UriInfo uri) throws SQLException {
    MultivaluedMap<String, String> given = Query.of(uri);
    OperationsQuery query = OperationsQuery.read(given);
    OperationReads.Page page;
    try (Admission.Permit permit = admission.enter()) {
      page = reads.list(caller.access(), query.state(), query.after(), query.pageSize());
    }
    List<Operation> operations = page.operations();
    return pages.ok(
        Templates.operations(
            pages.shell("/operations", "Operations"),
            operations.stream().map(OperationLine::of).toList(),
            query.state() == null ? "" : query.state(),
            OperationsQuery.STATES,
            Query.text(given, Set.of()),
            page.more()
                ? Query.older(given, query.tokenAfter(operations.get(operations.size() - 1)))
                : ""));
  }
}
