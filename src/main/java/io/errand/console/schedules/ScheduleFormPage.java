package io.errand.console.schedules;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.ConsoleRequests;
import io.errand.api.schedules.SchedulesResource;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Fault;
import io.errand.console.FormGroup;
import io.errand.console.FormPage;
import io.errand.console.FormPage.Preview;
import io.errand.console.Pages;
import io.errand.console.Section;
import io.errand.job.schedule.Schedule;
import io.errand.store.schedules.ScheduleReads;
import io.errand.store.schedules.ScheduleRow;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Makes and changes schedules; what they would do can be looked at before. */
@Path("/console/schedules")
@Blocking
public class ScheduleFormPage {
  private static final String SECTION = "/schedules";

  private final Pages pages;
  private final SchedulesResource schedules;
  private final ScheduleReads reads;
  private final Caller caller;

  ScheduleFormPage(Pages pages, SchedulesResource schedules, ScheduleReads reads, Caller caller) {
    this.pages = pages;
    this.schedules = schedules;
    this.reads = reads;
    this.caller = caller;
  }

  /** The form of a new one. Names of schedules hold no colon. */
  @GET
  @Requires(Permission.SUBMIT)
  @Path(":new")
  public Response create() {
    return pages.form(200, page(null, "", ScheduleForm::standard, null, null));
  }

  /** Makes one, or says what it would do. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path(":new")
  public Response created() throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    try {
      JsonNode body = ScheduleForm.creation(form);
      if (form.value("check") != null) {
        ScheduleRow row = schedules.rehearse(body);
        Preview preview = ScheduleForm.preview(row.schedule(), Instant.now());
        return pages.form(200, page(null, "", form::text, null, preview));
      }
      return pages.seeOther(SECTION + "/" + schedules.create(body) + "?notice=saved");
    } catch (Problem problem) {
      return refused(null, "", form, problem);
    }
  }

  /** The form of one that is there. */
  @GET
  @Requires(Permission.SUBMIT)
  @Path("{name}/edit")
  public Response edit(@PathParam("name") String name) throws SQLException {
    ScheduleRow row = find(name);
    JsonNode job = SchedulesResource.shownJob(row);
    String hidden = hidden(job);
    return pages.form(
        200,
        page(
            name,
            hidden,
            field -> ScheduleForm.value(row.schedule(), typed(job), field),
            null,
            null));
  }

  /** Changes it, or says what it would do then. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{name}/edit")
  public Response edited(@PathParam("name") String name) throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    JsonNode job = SchedulesResource.shownJob(find(name));
    String hidden = hidden(job);
    try {
      ObjectNode patch = ScheduleForm.change(form, typed(job));
      if (form.value("check") != null) {
        Schedule schedule = schedules.rehearseChange(name, patch);
        Preview preview = ScheduleForm.preview(schedule, Instant.now());
        return pages.form(200, page(name, hidden, form::text, null, preview));
      }
      schedules.change(name, patch);
      return pages.seeOther(SECTION + "/" + name + "?notice=saved");
    } catch (Problem problem) {
      return refused(name, hidden, form, problem);
    }
  }

  private Response refused(
      @Nullable String name, String hidden, ConsoleForm form, Problem problem) {
    Fault fault = Fault.of(problem);
    return pages.form(fault.status(), page(name, hidden, form::text, fault, null));
  }

  private static FormPage page(
      @Nullable String name,
      String hidden,
      UnaryOperator<String> values,
      @Nullable Fault fault,
      @Nullable Preview preview) {
    List<FormGroup> groups = ScheduleForm.groups(name == null, hidden);
    Map<String, String> faults = FormGroup.faults(groups, fault);
    String path = SECTION + (name == null ? "" : "/" + name);
    return FormPage.of(
        name == null ? "New schedule" : name,
        Section.of(SECTION),
        path,
        name == null ? SECTION + "/:new" : path + "/edit",
        FormGroup.filled(groups, values, faults),
        faults,
        preview,
        true);
  }

  private ScheduleRow find(String name) throws SQLException {
    if (!name.matches(Schedule.NAME_PATTERN)) { // it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no schedule of that name");
    }
    return reads
        .find(caller.access(), name)
        .orElseThrow(() -> Problem.of(Kind.NOT_FOUND, "There is no schedule " + name))
        .row();
  }

  /** What one may type of a job: not what only says what is hidden. */
  private static JsonNode typed(JsonNode shown) {
    return shown instanceof ObjectNode job
        ? job.deepCopy().remove(List.of("env_names", "stdin_bytes"))
        : shown;
  }

  private static String hidden(JsonNode job) {
    List<String> hidden = new ArrayList<>();
    if (job.has("env_names")) {
      List<String> names = new ArrayList<>();
      job.get("env_names").forEach(one -> names.add(one.asText()));
      hidden.add("the values of " + String.join(", ", names));
    }
    if (job.has("stdin_bytes")) {
      hidden.add("its stdin");
    }
    return hidden.isEmpty()
        ? ""
        : "Not shown, and kept unless env or stdin is given anew: " + String.join(" and ", hidden);
  }
}
