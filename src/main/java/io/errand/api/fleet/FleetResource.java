package io.errand.api.fleet;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.problem.Problem;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.api.request.Parameters;
import io.errand.api.request.WireTime;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.reads.WorkerEntity;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.control.ActivateRequestContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/** The calls about workers. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class FleetResource {
  /** What one of them takes, as a row and as a view. */
  private static final long ROW_BYTES = 4 * 1024;

  private final Admission lists;
  private final SeenWorkers workers;
  private final AnswerBudget budget;
  private final Caller caller;

  FleetResource(
      SeenWorkers workers,
      AnswerBudget budget,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.lists = new Admission(pool, "lists of workers are being read");
    this.workers = workers;
    this.budget = budget;
    this.caller = caller;
  }

  /** A worker on the wire. */
  @JsonNaming(SnakeCaseStrategy.class)
  record WorkerView(
      UUID id,
      String name,
      int slots,
      int busy,
      int claimsWaiting,
      @Nullable String claimsNothingBecause,
      List<String> queues,
      double leaseSeconds,
      @Nullable String startedAt,
      @Nullable String heartbeatAt,
      String version,
      long pid,
      String guarantees,
      List<String> abilities) {
    static WorkerView of(SeenWorkers.Seen seen) {
      WorkerEntity worker = seen.worker();
      return new WorkerView(
          worker.id,
          worker.name,
          worker.slots,
          worker.busy,
          worker.claimsWaiting,
          worker.claimsNothingBecause,
          seen.queues(),
          worker.leaseSeconds,
          WireTime.format(worker.startedAt),
          WireTime.format(worker.heartbeatAt),
          worker.version,
          worker.pid,
          worker.guarantees,
          List.of(worker.abilities));
    }
  }

  /**
   * The workers that are alive. Who is no administrator of all projects sees those that serve
   * queues of its project, and of the names of queues only these.
   */
  @GET
  @Requires(Permission.SEE)
  @Path("workers")
  @ActivateRequestContext
  public Response workers(@Context UriInfo uri) throws SQLException {
    Parameters.refuseAll(uri);
    Reservation held = budget.reserve(ROW_BYTES);
    return list(
        "workers",
        held,
        () ->
            workers.live(caller.identity(), SeenWorkers.MOST + 1).stream()
                .map(WorkerView::of)
                .toList());
  }

  /** Reads rows. */
  private interface Rows {
    List<?> read() throws SQLException;
  }

  /** The first rows, and whether there are more. */
  private Response list(String name, Reservation held, Rows rows) throws SQLException {
    try {
      List<?> read;
      try (Admission.Permit permit = lists.enter()) {
        read = rows.read();
      }
      if (!budget.grow(held, read.size() * ROW_BYTES)) {
        throw Problem.busy();
      }
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put(name, read.subList(0, Math.min(read.size(), SeenWorkers.MOST)));
      answer.put("more", read.size() > SeenWorkers.MOST);
      return Response.ok(budget.json(answer, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }
}
