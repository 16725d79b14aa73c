package io.errand.api.logs;

import io.errand.api.logs.LogLevels.LogLevel;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.api.request.Parameters;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
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
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jboss.logmanager.Level;

/**
 * The calls about what this process logs, for administrators of the project default: a log is of
 * all projects.
 */
@Path("/v1/log-levels")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class LogLevelsResource {
  private static final Logger LOG = Logger.getLogger(LogLevelsResource.class);

  private final LogLevels levels;
  private final Caller caller;

  LogLevelsResource(LogLevels levels, Caller caller) {
    this.levels = levels;
    this.caller = caller;
  }

  /** The categories that were changed, and io.errand. */
  @GET
  @Requires(Permission.ADMINISTER)
  public Map<String, Object> list(@Context UriInfo uri) {
    requireServerAdmin();
    Parameters.refuseAll(uri);
    return Map.of("log_levels", levels.all());
  }

  /** Sets the level of a category of this process, until it is reset or the process ends. */
  @PUT
  @Requires(Permission.ADMINISTER)
  @Path("{name}")
  @Consumes(MediaType.APPLICATION_JSON)
  public LogLevel put(@PathParam("name") String name) throws IOException {
    requireServerAdmin();
    List<FieldError> errors = new ArrayList<>();
    Fields fields = Fields.of(JsonBody.read(caller.body()), "", errors);
    fields.only(Set.of("level"));
    String word = fields.string("level", 10);
    Level level = word == null ? null : LogLevels.LEVELS.get(word);
    if (level == null) {
      fields.complain("level", "must be error, warn, info or debug");
    }
    if (!LogLevels.isCategory(name)) {
      fields.complain("name", "must be io.errand, or a category below it such as io.errand.worker");
    }
    if (!errors.isEmpty() || level == null) {
      throw Problem.invalid(errors);
    }
    if (!levels.set(name, level)) {
      throw Problem.of(
          Kind.CONFLICT, LogLevels.MOST + " categories are changed already; reset one of them");
    }
    LOG.infof("The log level of %s is %s, as %s has it", name, word, caller.identity().name());
    return levels.of(name);
  }

  /** Lets a category have the level that it had at the start. */
  @DELETE
  @Requires(Permission.ADMINISTER)
  @Path("{name}")
  public void reset(@PathParam("name") String name) {
    requireServerAdmin();
    if (!levels.reset(name)) {
      throw Problem.of(Kind.NOT_FOUND, "The level of that category was not changed");
    }
    LOG.infof("The log level of %s is that of the start again", name);
  }

  private void requireServerAdmin() {
    if (!caller.identity().isServerAdmin()) {
      throw Problem.of(
          Kind.FORBIDDEN, "Only an administrator of the project default may decide what is logged");
    }
  }
}
