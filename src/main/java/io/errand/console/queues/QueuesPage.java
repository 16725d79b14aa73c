package io.errand.console.queues;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.queues.QueueResource;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.ConsoleRequests;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Fault;
import io.errand.console.PageAdmission;
import io.errand.console.Pages;
import io.errand.job.JobSpec;
import io.errand.job.ProjectNames;
import io.errand.store.queues.DepthStore;
import io.errand.store.queues.DepthStore.Depth;
import io.errand.store.queues.QueueReads;
import io.errand.store.queues.QueueReads.Event;
import io.errand.store.queues.QueueSettings;
import io.errand.store.queues.QueueStatus;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Queues: how they are, and what operators decide about them. */
@Path("/console/queues")
@Blocking
public class QueuesPage {
  private static final String SECTION = "/queues";
  private static final int MOST = 500;
  private static final int EVENTS = 20;

  private final Pages pages;
  private final QueueReads reads;
  private final QueueResource queues;
  private final DepthStore depths;
  private final PageAdmission admission;
  private final Caller caller;

  QueuesPage(
      Pages pages,
      QueueReads reads,
      QueueResource queues,
      DepthStore depths,
      PageAdmission admission,
      Caller caller) {
    this.depths = depths;
    this.pages = pages;
    this.reads = reads;
    this.queues = queues;
    this.admission = admission;
    this.caller = caller;
  }

  /** All queues that have jobs or settings. */
  @GET
  @Requires(Permission.SEE)
  public Response list() throws SQLException {
    List<QueueStatus> read;
    try (Admission.Permit permit = admission.enter()) {
      read = reads.queues(caller.project(), MOST + 1);
    }
    return pages.ok(
        Templates.queues(
            pages.shell(SECTION, "Queues"),
            read.stream().limit(MOST).map(QueueLine::of).toList(),
            read.size() > MOST));
  }

  /** Makes a queue known. */
  @POST
  @Requires(Permission.OPERATE)
  public Response create() throws SQLException {
    String name = ConsoleRequests.form(caller.request()).text("name");
    queues.change(name, JsonNodeFactory.instance.objectNode());
    return done(name, "saved");
  }

  /** One queue. */
  @GET
  @Requires(Permission.SEE)
  @Path("{name}")
  public Response queue(@PathParam("name") String name) throws SQLException {
    return page(name, null, null);
  }

  private Response page(String name, @Nullable ConsoleForm typed, @Nullable Fault fault)
      throws SQLException {
    String stored = ProjectNames.queue(caller.project(), existing(name));
    QueueStatus queue;
    List<Event> events;
    List<Depth> depth;
    try (Admission.Permit permit = admission.enter()) {
      queue =
          reads
              .queue(stored)
              .orElseThrow(() -> Problem.of(Kind.NOT_FOUND, "There is no queue " + name));
      events = reads.events(stored, Long.MAX_VALUE, EVENTS);
      depth = depths.depths(caller.project(), stored);
    }
    return pages.answer(
        fault == null ? 200 : fault.status(),
        Templates.queue(
            pages.shell(SECTION, name),
            QueueView.of(
                queue, events, QueueForm.of(queue.settings(), typed, fault), DepthView.of(depth))));
  }

  /** Lets no more of its jobs start. */
  @POST
  @Requires(Permission.OPERATE)
  @Path("{name}/pause")
  public Response pause(@PathParam("name") String name) throws SQLException {
    queues.change(name, JsonNodeFactory.instance.objectNode().put("paused", true));
    return done(name, "paused");
  }

  /** Lets its jobs start again. */
  @POST
  @Requires(Permission.OPERATE)
  @Path("{name}/resume")
  public Response resume(@PathParam("name") String name) throws SQLException {
    queues.change(name, JsonNodeFactory.instance.objectNode().put("paused", false));
    return done(name, "resumed");
  }

  /** Opens or closes its circuit breaker by hand. */
  @POST
  @Requires(Permission.OPERATE)
  @Path("{name}/circuit")
  public Response circuit(@PathParam("name") String name) throws SQLException {
    String state = ConsoleRequests.form(caller.request()).text("state");
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch.putObject("circuit").put("state", state);
    queues.change(name, patch);
    return done(name, state.equals("open") ? "opened" : "closed");
  }

  /** Changes its settings. */
  @POST
  @Requires(Permission.OPERATE)
  @Path("{name}")
  public Response change(@PathParam("name") String name) throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    try {
      queues.change(name, QueueForm.patch(form, settings(name)));
    } catch (Problem problem) {
      return page(name, form, Fault.of(problem));
    }
    return done(name, "saved");
  }

  private QueueSettings settings(String name) throws SQLException {
    return reads
        .queue(ProjectNames.queue(caller.project(), existing(name)))
        .map(QueueStatus::settings)
        .orElse(QueueSettings.NONE);
  }

  /** The name, if a queue can have it. */
  private static String existing(String name) {
    if (!name.matches(JobSpec.QUEUE_PATTERN)) { // it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no queue of that name");
    }
    return name;
  }

  private Response done(String name, String notice) {
    return pages.seeOther(SECTION + "/" + name + "?notice=" + notice);
  }
}
