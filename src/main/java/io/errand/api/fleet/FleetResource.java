package io.errand.api.fleet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.api.request.Parameters;
import io.errand.api.request.WireTime;
import io.errand.job.JobSpec;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.queue.ControlJob;
import io.errand.store.reads.FleetReads;
import io.errand.store.reads.FleetReads.QueueStatus;
import io.errand.store.reads.WorkerEntity;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.control.ActivateRequestContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/** The calls about queues and workers. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class FleetResource {
  /** How many queues or workers an answer names. */
  private static final int MOST = 1_000;

  /** What one of them takes, as a row and as a view. */
  private static final long ROW_BYTES = 4 * 1024;

  private final Admission lists;
  private final Admission changes;
  private final FleetReads reads;
  private final ControlJob control;
  private final AnswerBudget budget;
  private final Caller caller;

  FleetResource(
      FleetReads reads,
      ControlJob control,
      AnswerBudget budget,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.lists = new Admission(pool, "lists of queues or workers are being read");
    this.changes = new Admission(pool, "queues are being changed");
    this.reads = reads;
    this.control = control;
    this.budget = budget;
    this.caller = caller;
  }

  /** A queue on the wire. */
  @JsonNaming(SnakeCaseStrategy.class)
  record QueueView(
      String name, boolean paused, Map<String, Long> counts, @Nullable Double oldestReadySeconds) {
    static QueueView of(QueueStatus queue) {
      return new QueueView(
          queue.name(), queue.paused(), queue.counts(), queue.oldestReadySeconds());
    }
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
    static WorkerView of(WorkerEntity worker) {
      return new WorkerView(
          worker.id,
          worker.name,
          worker.slots,
          worker.busy,
          worker.claimsWaiting,
          worker.claimsNothingBecause,
          List.of(worker.queues),
          worker.leaseSeconds,
          WireTime.format(worker.startedAt),
          WireTime.format(worker.heartbeatAt),
          worker.version,
          worker.pid,
          worker.guarantees,
          List.of(worker.abilities));
    }
  }

  /** The queues that have jobs or settings. */
  @GET
  @Path("queues")
  public Response queues(@Context UriInfo uri) throws SQLException {
    Parameters.refuseAll(uri);
    Reservation held = budget.reserve(ROW_BYTES);
    return list("queues", held, () -> reads.queues(MOST + 1).stream().map(QueueView::of).toList());
  }

  /** One queue. */
  @GET
  @Path("queues/{name}")
  public QueueView queue(@PathParam("name") String name) throws SQLException {
    if (!name.matches(JobSpec.QUEUE_PATTERN)) { // no queue has such a name; it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no queue of that name");
    }
    return reads
        .queue(name)
        .map(QueueView::of)
        .orElseThrow(() -> Problem.of(Kind.NOT_FOUND, "There is no queue " + name));
  }

  /** Pauses or resumes a queue, and makes it known if it is not. */
  @PATCH
  @Path("queues/{name}")
  @Consumes({MediaType.APPLICATION_JSON, "application/merge-patch+json"})
  public QueueView patchQueue(@PathParam("name") String name) throws IOException, SQLException {
    if (!name.matches(JobSpec.QUEUE_PATTERN)) {
      throw Problem.invalid("name", "must match " + JobSpec.QUEUE_PATTERN);
    }
    JsonNode value = JsonBody.read(caller.body());
    List<FieldError> errors = new ArrayList<>();
    Fields fields = Fields.of(value, "", errors);
    fields.only(Set.of("paused"));
    Boolean paused = fields.bool("paused");
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    boolean restoresDefault = value.has("paused") && value.get("paused").isNull();
    try (Admission.Permit permit = changes.enter()) {
      control.setQueue(name, restoresDefault ? Boolean.FALSE : paused);
    }
    return queue(name);
  }

  /** The workers that are alive. */
  @GET
  @Path("workers")
  @ActivateRequestContext
  public Response workers(@Context UriInfo uri) throws SQLException {
    Parameters.refuseAll(uri);
    Reservation held = budget.reserve(ROW_BYTES);
    return list(
        "workers", held, () -> reads.liveWorkers(MOST + 1).stream().map(WorkerView::of).toList());
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
      answer.put(name, read.subList(0, Math.min(read.size(), MOST)));
      answer.put("more", read.size() > MOST);
      return Response.ok(budget.json(answer, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }
}
