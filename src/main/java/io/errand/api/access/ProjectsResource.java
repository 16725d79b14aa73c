package io.errand.api.access;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.api.request.Parameters;
import io.errand.api.request.WireTime;
import io.errand.auth.Identities;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.ProjectNames;
import io.errand.queue.KnownQueues;
import io.errand.store.Notifications;
import io.errand.store.access.Project;
import io.errand.store.access.ProjectStore;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
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
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The calls about projects. An administrator of the project default decides about all; one of
 * another project sees that one.
 */
@Path("/v1/projects")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class ProjectsResource {
  private static final Pattern NAME = Pattern.compile(ProjectNames.PATTERN);
  private static final long MOST_WAITING = 1_000_000_000_000L;

  private final ProjectStore store;
  private final Identities identities;
  private final KnownQueues queues;
  private final Notifications notifications;
  private final Caller caller;

  ProjectsResource(
      ProjectStore store,
      Identities identities,
      KnownQueues queues,
      Notifications notifications,
      Caller caller) {
    this.queues = queues;
    this.store = store;
    this.identities = identities;
    this.notifications = notifications;
    this.caller = caller;
  }

  /** A project on the wire. */
  @JsonNaming(SnakeCaseStrategy.class)
  record ProjectView(
      String name, boolean freeCommands, @Nullable Long maxWaiting, @Nullable String createdAt) {
    static ProjectView of(Project project) {
      return new ProjectView(
          project.name(),
          project.freeCommands(),
          project.maxWaiting(),
          WireTime.format(project.createdAt()));
    }
  }

  /** All projects by name, which are 1,000 at most. */
  @GET
  @Requires(Permission.ADMINISTER)
  public Map<String, Object> list(@Context UriInfo uri) throws SQLException {
    Parameters.refuseAll(uri);
    return Map.of(
        "projects",
        store.list().stream()
            .filter(project -> isVisible(project.name()))
            .map(ProjectView::of)
            .toList());
  }

  /** One project. */
  @GET
  @Requires(Permission.ADMINISTER)
  @Path("{name}")
  public ProjectView project(@PathParam("name") String name) throws SQLException {
    return store.find(visible(name)).map(ProjectView::of).orElseThrow(() -> missing(name));
  }

  /** Makes a project, or changes it: a field that is missing has its default. */
  @PUT
  @Requires(Permission.ADMINISTER)
  @Path("{name}")
  @Consumes(MediaType.APPLICATION_JSON)
  public Response put(@PathParam("name") String name) throws IOException, SQLException {
    ProjectStore.Put put = put(name, JsonBody.read(caller.body()));
    return Response.status(put == ProjectStore.Put.CREATED ? 201 : 200)
        .entity(project(name))
        .build();
  }

  /**
   * Makes a project, or changes it.
   *
   * @param body as that of the call
   */
  public ProjectStore.Put put(String name, JsonNode body) throws SQLException {
    requireServerAdmin();
    if (!NAME.matcher(name).matches()) {
      throw Problem.invalid("name", "must match " + ProjectNames.PATTERN);
    }
    List<FieldError> errors = new ArrayList<>();
    Fields fields = Fields.of(body, "", errors);
    fields.only(Set.of("name", "free_commands", "max_waiting"));
    String inBody = fields.string("name", 255);
    if (inBody != null && !inBody.equals(name)) {
      fields.complain("name", "must be that of the path, or missing");
    }
    boolean freeCommands = !Boolean.FALSE.equals(fields.bool("free_commands"));
    Long maxWaiting = fields.whole("max_waiting", 0, MOST_WAITING);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    ProjectStore.Put put = store.put(name, freeCommands, maxWaiting);
    if (put == ProjectStore.Put.TOO_MANY) {
      throw Problem.of(
          Kind.CONFLICT, "There are " + ProjectStore.MOST + " projects, and there may be no more");
    }
    changed();
    return put;
  }

  /** Removes a project that no job, schedule or key belongs to. */
  @DELETE
  @Requires(Permission.ADMINISTER)
  @Path("{name}")
  public Response delete(@PathParam("name") String name) throws SQLException {
    requireServerAdmin();
    if (name.equals(ProjectNames.DEFAULT)) {
      throw Problem.of(Kind.CONFLICT, "The project default cannot be removed");
    }
    return switch (store.delete(visible(name))) {
      case REMOVED -> {
        changed();
        yield Response.noContent().build();
      }
      case UNKNOWN -> throw missing(name);
      case IN_USE ->
          throw Problem.of(
              Kind.CONFLICT,
              "The project has jobs, schedules or keys that are in use; remove those first");
    };
  }

  private void changed() {
    identities.forget();
    queues.forget();
    notifications.send(Notifications.Topic.KEYS);
    notifications.send(Notifications.Topic.QUEUES);
  }

  private void requireServerAdmin() {
    if (!caller.identity().isServerAdmin()) {
      throw Problem.of(
          Kind.FORBIDDEN, "Only an administrator of the project default changes projects");
    }
  }

  private boolean isVisible(String name) {
    return caller.identity().isServerAdmin() || name.equals(caller.project());
  }

  private String visible(String name) {
    if (!NAME.matcher(name).matches() || !isVisible(name)) {
      throw missing(name);
    }
    return name;
  }

  private static Problem missing(String name) {
    return Problem.of(
        Kind.NOT_FOUND,
        NAME.matcher(name).matches()
            ? "There is no project " + name
            : "There is no project of that name");
  }
}
