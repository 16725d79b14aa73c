package io.errand.console.schedules;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.api.request.WireTime;
import io.errand.api.schedules.SchedulesResource;
import io.errand.api.submit.RunScheduleResource;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.PageAdmission;
import io.errand.console.Pages;
import io.errand.console.Words;
import io.errand.job.schedule.Schedule;
import io.errand.store.schedules.ScheduleReads;
import io.errand.store.schedules.ScheduleReads.Read;
import io.errand.store.schedules.TickRow;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Schedules: when they tick, what became of past ticks, and what may be done about them. */
@Path("/console/schedules")
@Blocking
public class SchedulesPage {
  private static final String SECTION = "/schedules";
  private static final int PAGE = 50;
  private static final int TICKS = 25;

  private final Pages pages;
  private final ScheduleReads reads;
  private final SchedulesResource schedules;
  private final RunScheduleResource runs;
  private final PageAdmission admission;
  private final Caller caller;

  SchedulesPage(
      Pages pages,
      ScheduleReads reads,
      SchedulesResource schedules,
      RunScheduleResource runs,
      PageAdmission admission,
      Caller caller) {
    this.pages = pages;
    this.reads = reads;
    this.schedules = schedules;
    this.runs = runs;
    this.admission = admission;
    this.caller = caller;
  }

  /** Schedules by name. */
  @GET
  @Requires(Permission.SEE)
  public Response list(@QueryParam("after") @Nullable String after) throws SQLException {
    String from = after == null ? "" : existing(after);
    List<Read> read;
    try (Admission.Permit permit = admission.enter()) {
      read = reads.list(caller.access(), from, PAGE + 1);
    }
    List<Read> page = read.subList(0, Math.min(PAGE, read.size()));
    return pages.ok(
        Templates.schedules(
            pages.shell(SECTION, "Schedules"),
            page.stream().map(ScheduleLine::of).toList(),
            read.size() > PAGE ? "?after=" + page.get(PAGE - 1).row().name() : ""));
  }

  /** One schedule with a page of its ticks. */
  @GET
  @Requires(Permission.SEE)
  @Path("{name}")
  public Response schedule(
      @PathParam("name") String name, @QueryParam("before") @Nullable String before)
      throws SQLException {
    Instant time = before == null ? null : WireTime.parse(before);
    if (before != null && time == null) {
      throw Problem.invalid("before", "must be a time of RFC 3339");
    }
    Read read;
    List<TickRow> found;
    try (Admission.Permit permit = admission.enter()) {
      read = reads.find(caller.access(), existing(name)).orElseThrow(() -> missing(name));
      found = reads.ticks(read.row().id(), caller.access().project(), time, TICKS + 1);
    }
    List<TickRow> page = found.subList(0, Math.min(TICKS, found.size()));
    return pages.ok(
        Templates.schedule(
            pages.shell(SECTION, name),
            ScheduleView.of(
                read,
                Words.lines(SchedulesResource.shownJob(read.row()).toPrettyString()),
                page.stream().map(TickLine::of).toList(),
                found.size() > TICKS ? "?before=" + page.get(TICKS - 1).tickAt() : "")));
  }

  /** Submits its job now. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{name}/run")
  public Response run(@PathParam("name") String name) throws SQLException {
    return pages.seeOther("/jobs/" + runs.runNow(name) + "?notice=submitted");
  }

  /** Lets it tick no more. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{name}/pause")
  public Response pause(@PathParam("name") String name) throws SQLException {
    return paused(name, true);
  }

  /** Lets it tick again. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{name}/resume")
  public Response resume(@PathParam("name") String name) throws SQLException {
    return paused(name, false);
  }

  private Response paused(String name, boolean isPaused) throws SQLException {
    schedules.change(name, JsonNodeFactory.instance.objectNode().put("paused", isPaused));
    return pages.seeOther(SECTION + "/" + name + "?notice=" + (isPaused ? "paused" : "resumed"));
  }

  /** Removes it; its jobs stay. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{name}/delete")
  public Response delete(@PathParam("name") String name) throws SQLException {
    schedules.delete(name).close();
    return pages.seeOther(SECTION + "?notice=removed");
  }

  /** The name, if a schedule can have it. */
  private static String existing(String name) {
    if (!name.matches(Schedule.NAME_PATTERN)) { // it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no schedule of that name");
    }
    return name;
  }

  private static Problem missing(String name) {
    return Problem.of(Kind.NOT_FOUND, "There is no schedule " + name);
  }
}
