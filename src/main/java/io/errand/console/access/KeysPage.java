package io.errand.console.access;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.access.KeysResource;
import io.errand.api.access.KeysResource.Made;
import io.errand.api.access.ProjectsResource;
import io.errand.api.problem.Problem;
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
import io.errand.store.access.KeyRow;
import io.errand.store.access.KeyStore;
import io.errand.store.access.Project;
import io.errand.store.access.ProjectStore;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Keys and projects, for administrators. The text of a key is in one answer and in no other. */
@Path("/console/keys")
@Blocking
public class KeysPage {
  private static final String SECTION = "/keys";
  private static final int PAGE = 100;

  private final Pages pages;
  private final KeyStore store;
  private final ProjectStore projects;
  private final KeysResource keys;
  private final ProjectsResource changes;
  private final PageAdmission admission;
  private final Caller caller;

  KeysPage(
      Pages pages,
      KeyStore store,
      ProjectStore projects,
      KeysResource keys,
      ProjectsResource changes,
      PageAdmission admission,
      Caller caller) {
    this.pages = pages;
    this.store = store;
    this.projects = projects;
    this.keys = keys;
    this.changes = changes;
    this.admission = admission;
    this.caller = caller;
  }

  /** A page of keys, and the projects. */
  @GET
  @Requires(Permission.ADMINISTER)
  public Response list(@QueryParam("after") @Nullable String after) throws SQLException {
    if (after != null && !after.matches("[a-z0-9]{12}")) {
      throw Problem.invalid("after", "must be the id of a key");
    }
    return page(200, after, null, null);
  }

  private Response page(
      int status, @Nullable String after, @Nullable Made made, @Nullable String fault)
      throws SQLException {
    boolean isServerAdmin = caller.identity().isServerAdmin();
    String own = caller.project();
    List<KeyRow> found;
    List<Project> all;
    try (Admission.Permit permit = admission.enter()) {
      found = store.list(isServerAdmin ? null : own, after, PAGE + 1);
      all = projects.list();
    }
    List<KeyRow> page = found.subList(0, Math.min(PAGE, found.size()));
    return pages.answer(
        status,
        Templates.keys(
            pages.shell(SECTION, "Keys"),
            new KeysView(
                page.stream().map(KeyLine::of).toList(),
                all.stream().filter(one -> isServerAdmin || one.name().equals(own)).toList(),
                made == null ? "" : made.key(),
                made == null ? "" : made.row().name(),
                isServerAdmin,
                fault,
                found.size() > PAGE ? "?after=" + page.get(PAGE - 1).id() : "")));
  }

  /** Makes a key, and shows its text. */
  @POST
  @Requires(Permission.ADMINISTER)
  public Response create() throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    try {
      ObjectNode body = new FormJson(form).text("name").text("role").text("project").body();
      String days = form.text("days");
      if (!days.isEmpty()) {
        if (!days.matches("[1-9][0-9]{0,3}")) {
          throw Problem.invalid("days", "must be a whole number from 1 to 9999");
        }
        body.put(
            "expires_at", Instant.now().plus(Duration.ofDays(Long.parseLong(days))).toString());
      }
      Made made = keys.create(body);
      return Response.fromResponse(page(201, null, made, null))
          .header("Location", "keys/" + made.row().id()) // the audit names what was made
          .build();
    } catch (Problem problem) {
      return page(problem.status(), null, null, Faults.why(problem));
    }
  }

  /** Ends a key for good. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Path("{id}/revoke")
  public Response revoke(@PathParam("id") String id) throws SQLException {
    keys.revoke(id).close();
    return pages.seeOther(SECTION + "?notice=revoked");
  }

  /** Gives a key another secret, and shows its text. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Path("{id}/rotate")
  public Response rotate(@PathParam("id") String id) throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    return page(
        200, null, keys.rotate(id, new FormJson(form).number("grace_seconds").body()), null);
  }

  /** Makes a project, or changes it. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Path("projects")
  public Response project() throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    try {
      changes.put(
          form.text("name"),
          new FormJson(form).checked("free_commands").number("max_waiting").body());
    } catch (Problem problem) {
      return page(problem.status(), null, null, Faults.why(problem));
    }
    return pages.seeOther(SECTION + "?notice=saved");
  }

  /** Removes a project that nothing belongs to. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Path("projects/{name}/delete")
  public Response deleteProject(@PathParam("name") String name) throws SQLException {
    changes.delete(name).close();
    return pages.seeOther(SECTION + "?notice=removed");
  }
}
