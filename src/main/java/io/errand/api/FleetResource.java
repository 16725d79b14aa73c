package io.errand.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.Problem.FieldError;
import io.errand.api.Problem.Kind;
import io.errand.job.JobSpec;
import io.errand.queue.ControlJob;
import io.errand.store.FleetReads;
import io.errand.store.FleetReads.QueueStatus;
import io.errand.store.WorkerEntity;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.control.ActivateRequestContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The calls about queues and workers. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class FleetResource {
  private final FleetReads reads;
  private final ControlJob control;

  FleetResource(FleetReads reads, ControlJob control) {
    this.reads = reads;
    this.control = control;
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

  /** Every queue that has jobs or settings. */
  @GET
  @Path("queues")
  public Map<String, List<QueueView>> queues() throws SQLException {
    return Map.of("queues", reads.queues().stream().map(QueueView::of).toList());
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
  public QueueView patchQueue(
      @PathParam("name") String name, InputStream body, @Context HttpHeaders headers)
      throws IOException, SQLException {
    if (!name.matches(JobSpec.QUEUE_PATTERN)) {
      throw Problem.invalid("name", "must match " + JobSpec.QUEUE_PATTERN);
    }
    JsonNode value = JsonBody.read(body, headers, JsonBody.MAX_BYTES);
    List<FieldError> errors = new ArrayList<>();
    Fields fields = Fields.of(value, "", errors);
    fields.only(Set.of("paused"));
    Boolean paused = fields.bool("paused");
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    boolean restoresDefault = value.has("paused") && value.get("paused").isNull();
    control.setQueue(name, restoresDefault ? Boolean.FALSE : paused);
    return queue(name);
  }

  /** Every worker that is alive. */
  @GET
  @Path("workers")
  @ActivateRequestContext
  public Map<String, List<WorkerView>> workers() {
    return Map.of("workers", reads.liveWorkers().stream().map(WorkerView::of).toList());
  }
}
