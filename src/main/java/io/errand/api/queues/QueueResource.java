package io.errand.api.queues;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.queues.QueueEvents.EventView;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.api.request.JsonBody;
import io.errand.api.request.Parameters;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.auth.Role;
import io.errand.job.JobSpec;
import io.errand.job.ProjectNames;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.queue.ChangeQueue;
import io.errand.store.queues.QueueReads;
import io.errand.store.queues.QueueReads.Event;
import io.errand.store.queues.QueueStatus;
import io.errand.store.queues.QueueStore;
import io.smallrye.common.annotation.Blocking;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The calls about queues. */
@Path("/v1/queues")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class QueueResource {
  /** How many queues an answer names. */
  private static final int MOST = 1_000;

  /** What one of them takes, or an event, as a row and as a view, beside its defaults. */
  private static final long ROW_BYTES = 4 * 1024;

  /** A character of defaults, as text and as JSON values. */
  private static final long DEFAULTS_COPIES = 12;

  private static final Pattern NAME = Pattern.compile(JobSpec.QUEUE_PATTERN);

  private final Admission lists;
  private final Admission changes;
  private final QueueReads reads;
  private final ChangeQueue change;
  private final AnswerBudget budget;
  private final Caller caller;

  QueueResource(
      QueueReads reads,
      ChangeQueue change,
      AnswerBudget budget,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.lists = new Admission(pool, "lists of queues are being read");
    this.changes = new Admission(pool, "queues are being changed");
    this.reads = reads;
    this.change = change;
    this.budget = budget;
    this.caller = caller;
  }

  /** The queues that have jobs or settings. */
  @GET
  @Requires(Permission.SEE)
  public Response queues(@Context UriInfo uri) throws SQLException {
    Parameters.refuseAll(uri);
    Reservation held = budget.reserve(ROW_BYTES);
    try {
      List<QueueStatus> read;
      try (Admission.Permit permit = lists.enter()) {
        read = reads.queues(caller.project(), MOST + 1);
      }
      long bytes = 0;
      for (QueueStatus queue : read) {
        bytes += ROW_BYTES + DEFAULTS_COPIES * queue.defaultsBytes();
      }
      if (!budget.grow(held, bytes)) {
        throw Problem.busy();
      }
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("queues", read.stream().limit(MOST).map(QueueView::of).toList());
      answer.put("more", read.size() > MOST);
      return json(answer, held);
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  /** One queue. */
  @GET
  @Requires(Permission.SEE)
  @Path("{name}")
  public QueueView queue(@PathParam("name") String name) throws SQLException {
    if (!NAME.matcher(name).matches()) { // no queue has such a name; it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no queue of that name");
    }
    return reads
        .queue(stored(name))
        .map(QueueView::of)
        .orElseThrow(() -> Problem.of(Kind.NOT_FOUND, "There is no queue " + name));
  }

  /** Changes the settings of a queue, and makes it known if it is not. */
  @PATCH
  @Requires(Permission.OPERATE)
  @Path("{name}")
  @Consumes({MediaType.APPLICATION_JSON, "application/merge-patch+json"})
  public QueueView patch(@PathParam("name") String name) throws IOException, SQLException {
    change(name, JsonBody.read(caller.body()));
    return queue(name);
  }

  /**
   * Changes the settings of a queue of the caller's project.
   *
   * @param patch a merge patch, as the body of the call
   */
  public void change(String name, JsonNode patch) throws SQLException {
    if (!NAME.matcher(name).matches()) {
      throw Problem.invalid("name", "must match " + JobSpec.QUEUE_PATTERN);
    }
    if (patch.has("policy") && caller.identity().role() != Role.ADMIN) {
      throw Problem.of(
          Kind.FORBIDDEN,
          "Only an administrator changes the policy of a queue; nothing was changed");
    }
    try (Admission.Permit permit = changes.enter()) {
      if (!change.change(stored(name), caller.access(), now -> QueuePatch.apply(patch, now))) {
        throw Problem.of(
            Kind.CONFLICT,
            "A project can have at most "
                + QueueStore.MOST_OF_PROJECT
                + " queues that were changed. At most "
                + QueueStore.MOST_WITH_RULES
                + " queues can have defaults, a policy, max_depth or max_ready_age_seconds, and all"
                + " defaults and policies together at most "
                + QueueStore.MOST_DEFAULTS
                + " bytes; of a project other than default at most "
                + QueueStore.MOST_WITH_RULES_OF_PROJECT
                + " queues and "
                + QueueStore.MOST_DEFAULTS_OF_PROJECT
                + " bytes; nothing was changed");
      }
    }
  }

  /** What happened to a queue in the last 30 days, the newest first. */
  @GET
  @Requires(Permission.SEE)
  @Path("{name}/events")
  public Response events(@PathParam("name") String name, @Context UriInfo uri) throws SQLException {
    if (!NAME.matcher(name).matches()) {
      throw Problem.of(Kind.NOT_FOUND, "There is no queue of that name");
    }
    QueueEvents page = QueueEvents.read(name, uri);
    Reservation held = budget.reserve(ROW_BYTES * (page.pageSize() + 1));
    try {
      List<Event> read;
      try (Admission.Permit permit = lists.enter()) {
        read = reads.events(stored(name), page.before(), page.pageSize() + 1);
        if (read.isEmpty()) {
          queue(name);
        }
      }
      List<Event> shown = read.subList(0, Math.min(read.size(), page.pageSize()));
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("events", shown.stream().map(EventView::of).toList());
      answer.put(
          "next_page_token",
          read.size() > shown.size() ? page.tokenAfter(shown.get(shown.size() - 1)) : "");
      return json(answer, held);
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  private String stored(String name) {
    return ProjectNames.queue(caller.project(), name);
  }

  private Response json(Map<String, Object> answer, Reservation held) {
    return Response.ok(budget.json(answer, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
  }
}
