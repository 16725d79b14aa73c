package io.errand.api.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.catalogue.CommandViews.Listed;
import io.errand.api.catalogue.CommandViews.Version;
import io.errand.api.catalogue.CommandViews.Whole;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.api.request.JsonBody;
import io.errand.api.request.Parameters;
import io.errand.api.submit.JobDefaults;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.ProjectNames;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.queue.KnownQueues;
import io.errand.queue.catalogue.NamedCommand;
import io.errand.queue.catalogue.PatternsBusyException;
import io.errand.store.Notifications;
import io.errand.store.catalogue.CommandRow;
import io.errand.store.catalogue.CommandStore;
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
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/** The calls about named commands. Each project has its own. */
@Path("/v1/commands")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class CommandsResource {
  private static final Pattern NAME = Pattern.compile(NamedCommand.NAME_PATTERN);
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");
  private static final int MOST_ERRORS = 20;

  /** What one takes in a list, as a view and as an answer. */
  private static final long ROW_BYTES = 16 * 1024;

  /** What a definition takes as text, as JSON and as an answer. */
  private static final long DEFINITION_BYTES = 512 * 1024;

  /** What an answer has beside the definition; a body that was got before may be put again. */
  private static final List<String> OF_SERVER =
      List.of("name", "version", "read_only", "created_at", "created_by");

  private final Admission admission;
  private final CommandStore store;
  private final KnownQueues known;
  private final Notifications notifications;
  private final AnswerBudget budget;
  private final Caller caller;

  CommandsResource(
      CommandStore store,
      KnownQueues known,
      Notifications notifications,
      AnswerBudget budget,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.admission = new Admission(pool, "named commands are being read or changed");
    this.store = store;
    this.known = known;
    this.notifications = notifications;
    this.budget = budget;
    this.caller = caller;
  }

  /** The named commands of the project by name, without their definitions. */
  @GET
  @Requires(Permission.SEE)
  public Response list(@Context UriInfo uri) throws SQLException {
    Parameters.refuseAll(uri);
    Map<String, NamedCommand> commands =
        known.now().catalogue().commands().getOrDefault(caller.project(), Map.of());
    Reservation held = budget.reserve(ROW_BYTES * (commands.size() + 1));
    List<Listed> listed =
        commands.values().stream()
            .sorted(Comparator.comparing(NamedCommand::name))
            .map(Listed::of)
            .toList();
    return json(Map.of("commands", listed), held);
  }

  /** One with its definition, as it is now or in an earlier version. */
  @GET
  @Requires(Permission.SEE)
  @Path("{name}")
  public Response get(@PathParam("name") String name, @Context UriInfo uri) throws SQLException {
    Parameters.refuseOthers(uri, Set.of("version"));
    requireName(name);
    Integer version = version(uri.getQueryParameters().get("version"));
    NamedCommand ofFile = ofFile(name);
    Reservation held = budget.reserve(DEFINITION_BYTES);
    if (ofFile != null && (version == null || version == NamedCommand.OF_FILE)) {
      return json(Whole.of(ofFile), held);
    }
    try {
      CommandRow row;
      try (Admission.Permit permit = admission.enter()) {
        row = store.find(caller.project(), name, version).orElseThrow(() -> missing(name, version));
      }
      return json(Whole.of(row), held);
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  private static @Nullable Integer version(@Nullable List<String> given) {
    if (given == null) {
      return null;
    }
    if (given.size() > 1 || !NUMBER.matcher(given.get(0)).matches()) {
      throw Problem.invalid("version", "must be the number of a version");
    }
    return Integer.valueOf(given.get(0));
  }

  /** The versions of one that are kept, the newest first. */
  @GET
  @Requires(Permission.SEE)
  @Path("{name}/versions")
  public Map<String, Object> versions(@PathParam("name") String name, @Context UriInfo uri)
      throws SQLException {
    Parameters.refuseAll(uri);
    requireName(name);
    List<CommandRow> rows;
    try (Admission.Permit permit = admission.enter()) {
      rows = store.versions(caller.project(), name);
    }
    if (rows.isEmpty() && ofFile(name) == null) {
      throw missing(name, null);
    }
    return Map.of("versions", rows.stream().map(Version::of).toList());
  }

  /** Makes a command, or a new version of one. */
  @PUT
  @Requires(Permission.ADMINISTER)
  @Path("{name}")
  @Consumes(MediaType.APPLICATION_JSON)
  public Response put(@PathParam("name") String name) throws IOException, SQLException {
    CommandRow row = store(name, JsonBody.read(caller.body()));
    return Response.status(row.version() == 1 ? 201 : 200).entity(Whole.of(row)).build();
  }

  /**
   * Makes a command, or a new version of one.
   *
   * @param body of the call
   */
  public CommandRow store(String name, JsonNode body) throws SQLException {
    if (!NAME.matcher(name).matches()) {
      throw Problem.invalid("name", "must match " + NamedCommand.NAME_PATTERN);
    }
    List<FieldError> errors = new ArrayList<>();
    if (body.hasNonNull("name") && !name.equals(body.get("name").textValue())) {
      errors.add(new FieldError("name", "must be that of the path, or missing"));
    }
    JsonNode definition = body instanceof ObjectNode object ? object.without(OF_SERVER) : body;
    NamedCommand command = read(name, definition, errors);
    if (command != null) {
      JobDefaults.checkOfCommand(command.defaults(), "defaults", errors);
    }
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    requireNoFile(name);
    OptionalInt version;
    try (Admission.Permit permit = admission.enter()) {
      version =
          store.put(caller.project(), name, definition.toString(), caller.identity().principal());
    }
    if (version.isEmpty()) {
      throw Problem.of(
          Kind.CONFLICT,
          "There may be at most "
              + CommandStore.MOST
              + " named commands, of "
              + CommandStore.MOST_CHARACTERS
              + " characters together, and 1/"
              + CommandStore.SHARE
              + " of both in a project other than "
              + ProjectNames.DEFAULT
              + "; nothing was stored");
    }
    changed();
    return store
        .find(caller.project(), name, version.getAsInt())
        .orElseThrow(() -> missing(name, version.getAsInt()));
  }

  private static @Nullable NamedCommand read(
      String name, JsonNode definition, List<FieldError> errors) {
    try {
      return NamedCommand.read(
          name,
          1,
          definition,
          (field, message) -> {
            if (errors.size() < MOST_ERRORS) {
              errors.add(new FieldError(field, message));
            }
          });
    } catch (PatternsBusyException e) {
      throw Problem.tooMany("patterns of named commands are being compiled");
    }
  }

  /** Removes a command. Jobs that were made of it stay, and can be tried again. */
  @DELETE
  @Requires(Permission.ADMINISTER)
  @Path("{name}")
  public Response delete(@PathParam("name") String name) throws SQLException {
    remove(name);
    return Response.noContent().build();
  }

  /** Removes a command. */
  public void remove(String name) throws SQLException {
    requireName(name);
    requireNoFile(name);
    try (Admission.Permit permit = admission.enter()) {
      if (!store.delete(caller.project(), name)) {
        throw missing(name, null);
      }
    }
    changed();
  }

  private void changed() {
    known.forget();
    notifications.send(Notifications.Topic.QUEUES);
  }

  /** The one of this name that stands in a file, or null. */
  private @Nullable NamedCommand ofFile(String name) throws SQLException {
    NamedCommand command = known.now().catalogue().find(caller.project(), name);
    return command != null && command.isOfFile() ? command : null;
  }

  private void requireNoFile(String name) throws SQLException {
    if (ofFile(name) != null) {
      throw Problem.of(
          Kind.CONFLICT,
          "The command " + name + " stands in a file of the server, and is changed there");
    }
  }

  private static void requireName(String name) {
    if (!NAME.matcher(name).matches()) { // no command has such a name; it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no command of that name");
    }
  }

  private static Problem missing(String name, @Nullable Integer version) {
    return Problem.of(
        Kind.NOT_FOUND,
        "There is no command "
            + name
            + (version == null ? "" : " in version " + version)
            + " in the catalogue of this project");
  }

  private Response json(Object answer, Reservation held) {
    return Response.ok(budget.json(answer, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
  }
}
