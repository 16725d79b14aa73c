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
import io.errand.console.Faults;
import io.errand.console.FormJson;
import io.errand.console.PageAdmission;
import io.errand.console.Pages;
import io.errand.job.JobSpec;
import io.errand.job.ProjectNames;
import io.errand.store.queues.QueueReads;
import io.errand.store.queues.QueueReads.Event;
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
  private final PageAdmission admission;
  private final Caller caller;

  QueuesPage(
      Pages pages, QueueReads reads, QueueResource queues, PageAdmission admission, Caller caller) {
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
    return page(name, 200, null);
  }

  private Response page(String name, int status, @Nullable String fault) throws SQLException {
    if (!name.matches(JobSpec.QUEUE_PATTERN)) { // no queue has such a name; it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no queue of that name");
    }
    String stored = ProjectNames.queue(caller.project(), name);
    QueueStatus queue;
    List<Event> events;
    try (Admission.Permit permit = admission.enter()) {
      queue =
          reads
              .queue(stored)
              .orElseThrow(() -> Problem.of(Kind.NOT_FOUND, "There is no queue " + name));
      events = reads.events(stored, Long.MAX_VALUE, EVENTS);
    }
    return pages.answer(
        status, Templates.queue(pages.shell(SECTION, name), QueueView.of(queue, events, fault)));
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
    ObjectNode patch =
        new FormJson(form)
            .number("max_running")
            .number("rate_per_second")
            .number("burst")
            .number("weight")
            .number("max_depth")
            .number("max_ready_age_seconds")
            .number("hold_after_lost_workers")
            .text("overload")
            .body();
    if (form.value("breaker") == null) {
      patch.putNull("circuit");
    } else {
      patch.set(
          "circuit",
          new FormJson(form)
              .number("failure_ratio")
              .number("window_seconds")
              .number("minimum_attempts")
              .number("probe_seconds")
              .number("max_probe_seconds")
              .body());
    }
    try {
      queues.change(name, patch);
    } catch (Problem problem) {
      return page(name, problem.status(), Faults.why(problem));
    }
    return done(name, "saved");
  }

  private Response done(String name, String notice) {
    return pages.seeOther(SECTION + "/" + name + "?notice=" + notice);
  }
}
