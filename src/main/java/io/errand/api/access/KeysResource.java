package io.errand.api.access;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.api.request.PageSize;
import io.errand.api.request.Pages;
import io.errand.api.request.Parameters;
import io.errand.auth.ApiKey;
import io.errand.auth.Identities;
import io.errand.auth.Identity;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.auth.Role;
import io.errand.job.ProjectNames;
import io.errand.store.DatabaseCheck;
import io.errand.store.Notifications;
import io.errand.store.access.KeyRow;
import io.errand.store.access.KeyStore;
import io.errand.store.access.KeyStore.NewKey;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The calls about keys. */
@Path("/v1/keys")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class KeysResource {
  private static final String LIST = "keys";
  private static final int MOST_NAME_CHARACTERS = 100;
  private static final int MOST_GRACE_SECONDS = 604_800;
  private static final Pattern ID = Pattern.compile("[a-z0-9]{12}");

  private final KeyStore store;
  private final Identities identities;
  private final Notifications notifications;
  private final Caller caller;

  KeysResource(KeyStore store, Identities identities, Notifications notifications, Caller caller) {
    this.store = store;
    this.identities = identities;
    this.notifications = notifications;
    this.caller = caller;
  }

  /** Makes a key, whose text is in this answer and in no other. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Consumes(MediaType.APPLICATION_JSON)
  public Response create(@Context UriInfo uri) throws IOException, SQLException {
    Parameters.refuseAll(uri);
    Made made = create(JsonBody.read(caller.body()));
    return Response.status(Response.Status.CREATED)
        .header("Location", "/v1/keys/" + made.row().id())
        .entity(KeyView.of(made.row(), made.key()))
        .build();
  }

  /**
   * A key that was made, or given another secret.
   *
   * @param key its text, which is not kept
   */
  public record Made(KeyRow row, String key) {
    /** Without its text. */
    @Override
    public String toString() {
      return "key " + row.id();
    }
  }

  /**
   * Makes a key.
   *
   * @param body as that of the call
   */
  public Made create(JsonNode body) throws SQLException {
    Identity by = caller.identity();
    ApiKey key = ApiKey.random();
    NewKey wanted = read(body, key, by);
    if (!wanted.project().equals(by.project()) && !by.isServerAdmin()) {
      throw Problem.of(
          Kind.FORBIDDEN,
          "Only an administrator of the project default makes keys for other projects");
    }
    KeyRow row;
    try {
      row = store.create(wanted).orElseThrow(() -> tooMany(wanted.project()));
    } catch (SQLException e) {
      if (DatabaseCheck.isOwnerMissing(e)) {
        throw Problem.invalid("project", "is not the name of a project");
      }
      throw e;
    }
    return new Made(row, key.text());
  }

  private static Problem tooMany(String project) {
    return Problem.of(
        Kind.CONFLICT,
        "The project "
            + project
            + " has "
            + KeyStore.MOST_OF_PROJECT
            + " keys that are in use, and may have no more");
  }

  private static NewKey read(JsonNode body, ApiKey key, Identity by) {
    List<FieldError> errors = new ArrayList<>();
    Fields fields = Fields.of(body, "", errors);
    fields.only(Set.of("name", "role", "project", "expires_at"));
    String name = fields.name("name", MOST_NAME_CHARACTERS);
    if (fields.get("name") == null || (name != null && name.isBlank())) {
      fields.complain("name", "is required: text of 1 to 100 characters");
    }
    if (name != null && (name.startsWith("sql:") || name.startsWith("oidc:"))) {
      fields.complain(
          "name", "must not begin with sql: or oidc:, as the names of other callers do");
    }
    String roleName = fields.string("role", MOST_NAME_CHARACTERS);
    Role role = roleName == null ? null : Role.ofWireName(roleName);
    if (role == null) {
      fields.complain("role", "is required: viewer, submitter, operator or admin");
    }
    String project = fields.string("project", MOST_NAME_CHARACTERS);
    if (project != null && !project.matches(ProjectNames.PATTERN)) {
      fields.complain("project", "must match " + ProjectNames.PATTERN);
    }
    Instant expires = fields.time("expires_at");
    if (expires != null && !expires.isAfter(Instant.now())) {
      fields.complain("expires_at", "must be in the future");
    }
    if (!errors.isEmpty() || name == null || role == null) {
      throw Problem.invalid(errors);
    }
    return new NewKey(
        key.id(),
        name,
        name + "#" + key.id(),
        role.wireName(),
        project == null ? by.project() : project,
        by.principal(),
        expires,
        key.hash());
  }

  /** Keys in the order of their ids; an administrator of all projects sees those of all. */
  @GET
  @Requires(Permission.ADMINISTER)
  public Map<String, Object> list(@Context UriInfo uri) throws SQLException {
    Parameters.refuseOthers(uri, Set.of("page_size", "page_token"));
    int size = PageSize.read(uri.getQueryParameters().getFirst("page_size"), PageSize.MOST);
    String after = Pages.position(LIST, uri.getQueryParameters().getFirst("page_token"));
    List<KeyRow> found = store.list(onlyProject(), after, size + 1);
    List<KeyRow> page = found.subList(0, Math.min(size, found.size()));
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("keys", page.stream().map(KeyView::of).toList());
    answer.put(
        "next_page_token",
        found.size() > page.size() ? Pages.token(LIST, page.get(page.size() - 1).id()) : "");
    return answer;
  }

  /** Ends a key for good. */
  @DELETE
  @Requires(Permission.ADMINISTER)
  @Path("{id}")
  public Response revoke(@PathParam("id") String id) throws SQLException {
    if (!store.revoke(existing(id), onlyProject())) {
      throw missing(id);
    }
    changed();
    return Response.noContent().build();
  }

  /** Gives a key another secret; the one before may be taken for a while. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Path("{id}/rotate")
  @Consumes(MediaType.APPLICATION_JSON)
  public KeyView rotate(@PathParam("id") String id) throws IOException, SQLException {
    Made made = rotate(id, JsonBody.read(caller.body()));
    return KeyView.of(made.row(), made.key());
  }

  /**
   * Gives a key another secret.
   *
   * @param body as that of the call
   */
  public Made rotate(String id, JsonNode body) throws SQLException {
    List<FieldError> errors = new ArrayList<>();
    Fields fields = Fields.of(body, "", errors);
    fields.only(Set.of("grace_seconds"));
    double grace = fields.number("grace_seconds", 0, 0, false, MOST_GRACE_SECONDS);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    ApiKey key = ApiKey.withNewSecret(existing(id));
    KeyRow row =
        store.rotate(key.id(), onlyProject(), key.hash(), grace).orElseThrow(() -> missing(id));
    changed();
    return new Made(row, key.text());
  }

  private void changed() {
    identities.forget();
    notifications.send(Notifications.Topic.KEYS);
  }

  private @Nullable String onlyProject() {
    return caller.identity().isServerAdmin() ? null : caller.project();
  }

  private static String existing(String id) {
    if (!ID.matcher(id).matches()) { // no key has such an id; it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no key of that id");
    }
    return id;
  }

  private static Problem missing(String id) {
    return Problem.of(Kind.NOT_FOUND, "There is no key " + id + " that is in use");
  }
}
