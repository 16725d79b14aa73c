package io.errand.api.bulk;

import io.errand.api.answer.AnswerBudget;
import io.errand.api.jobs.JobAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.queue.BulkJobs;
import io.errand.store.operations.Operation;
import io.errand.store.operations.OperationReads;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The calls about operations: bulk changes that are carried out, or have been. */
@Path("/v1/operations")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class OperationsResource {
  /** What an operation takes, as a row and as a view, beside its filter. */
  private static final long ROW_BYTES = 4 * 1024;

  /** As text, as a tree, as a copy of it and as JSON. */
  private static final long FILTER_COPIES = 12;

  private static final int RETRY_AFTER_SECONDS = 1;

  private final OperationReads reads;
  private final BulkJobs bulk;
  private final AnswerBudget budget;
  private final Caller caller;
  private final Admission lists;

  OperationsResource(
      OperationReads reads,
      BulkJobs bulk,
      AnswerBudget budget,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.reads = reads;
    this.bulk = bulk;
    this.budget = budget;
    this.caller = caller;
    this.lists = new Admission(pool, "lists of operations are being read");
  }

  /** The operations of the caller, the newest first. */
  @GET
  @Requires(Permission.SEE)
  public Response list(@Context UriInfo uri) throws SQLException {
    OperationsQuery query = OperationsQuery.read(uri.getQueryParameters());
    Reservation held =
        budget.reserve(query.pageSize() * ROW_BYTES + FILTER_COPIES * OperationReads.PAGE_BYTES);
    try {
      OperationReads.Page page;
      try (Admission.Permit permit = lists.enter()) {
        page = reads.list(caller.access(), query.state(), query.after(), query.pageSize());
      }
      List<Operation> operations = page.operations();
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("operations", operations.stream().map(OperationView::of).toList());
      answer.put(
          "next_page_token",
          page.more() ? query.tokenAfter(operations.get(operations.size() - 1)) : "");
      return Response.ok(budget.json(answer, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  /** One operation. */
  @GET
  @Requires(Permission.SEE)
  @Path("{id}")
  public Response get(@PathParam("id") String text) throws SQLException {
    return answer(200, find(text)).build();
  }

  /** Stops an operation; what it has changed stays changed. */
  @DELETE
  @Requires(Permission.SUBMIT)
  @Path("{id}")
  public Response stop(@PathParam("id") String text) throws SQLException {
    Operation before = find(text);
    Operation stopping = bulk.stop(before.id(), caller.access()).orElse(null);
    if (stopping != null) {
      return located(202, stopping).build();
    }
    Operation ended = find(text);
    if (ended.state().equals("stopped")) {
      return answer(200, ended).build();
    }
    throw Problem.of(
        Kind.CONFLICT, "The operation has ended (" + ended.state() + ") and cannot be stopped");
  }

  private Operation find(String text) throws SQLException {
    UUID id = JobAnswers.idOrNull(text);
    return (id == null ? Optional.<Operation>empty() : reads.find(id, caller.access()))
        .orElseThrow(
            () ->
                Problem.of(
                    Kind.NOT_FOUND,
                    id == null ? Kind.NOT_FOUND.title : "There is no operation " + id));
  }

  static Response.ResponseBuilder located(int status, Operation operation) {
    return answer(status, operation).header("Location", "/v1/operations/" + operation.id());
  }

  private static Response.ResponseBuilder answer(int status, Operation operation) {
    Response.ResponseBuilder answer = Response.status(status).entity(OperationView.of(operation));
    return operation.isFinal() ? answer : answer.header("Retry-After", RETRY_AFTER_SECONDS);
  }
}
