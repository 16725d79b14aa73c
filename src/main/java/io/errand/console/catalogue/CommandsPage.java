package io.errand.console.catalogue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.ConsoleRequests;
import io.errand.api.submit.SubmitResource;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Faults;
import io.errand.console.FormJson;
import io.errand.console.Pages;
import io.errand.queue.KnownQueues;
import io.errand.queue.catalogue.Catalogue;
import io.errand.queue.catalogue.NamedCommand;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** The catalogue, and for each command a form that submits a job of it. */
@Path("/console/commands")
@Blocking
public class CommandsPage {
  private static final String SECTION = "/commands";

  private final Pages pages;
  private final KnownQueues known;
  private final SubmitResource submit;
  private final Caller caller;

  CommandsPage(Pages pages, KnownQueues known, SubmitResource submit, Caller caller) {
    this.pages = pages;
    this.known = known;
    this.submit = submit;
    this.caller = caller;
  }

  /** The commands of the project by name. */
  @GET
  @Requires(Permission.SEE)
  public Response list() throws SQLException {
    Catalogue catalogue = known.now().catalogue();
    List<CommandLine> commands =
        catalogue.commands().getOrDefault(caller.project(), Map.of()).values().stream()
            .sorted(Comparator.comparing(NamedCommand::name))
            .map(CommandLine::of)
            .toList();
    return pages.ok(
        Templates.commands(
            pages.shell(SECTION, "Commands"),
            commands,
            !catalogue.takesFreeCommands(caller.project())));
  }

  /** One of them. */
  @GET
  @Requires(Permission.SEE)
  @Path("{name}")
  public Response command(@PathParam("name") String name) throws SQLException {
    return pages.ok(
        Templates.command(
            pages.shell(SECTION, name), CommandView.of(find(name), field -> "", null)));
  }

  /** Submits a job of one. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{name}")
  public Response submit(@PathParam("name") String name) throws SQLException {
    NamedCommand command = find(name);
    ConsoleForm form = ConsoleRequests.form(caller.request());
    ObjectNode body = new FormJson(form).text("queue").number("priority").body();
    body.put("run", name);
    ObjectNode parameters = body.putObject("parameters");
    for (String parameter : command.parameters().keySet()) {
      String value = form.value(CommandView.PREFIX + parameter);
      if (value != null && !value.isEmpty()) {
        parameters.put(parameter, value);
      }
    }
    try {
      return pages.seeOther("/jobs/" + submit.submit(body.toString()) + "?notice=submitted");
    } catch (Problem problem) {
      return pages.answer(
          problem.status(),
          Templates.command(
              pages.shell(SECTION, name),
              CommandView.of(command, form::text, Faults.why(problem))));
    }
  }

  private NamedCommand find(String name) throws SQLException {
    NamedCommand command =
        name.matches(NamedCommand.NAME_PATTERN)
            ? known.now().catalogue().find(caller.project(), name)
            : null;
    if (command == null) {
      throw Problem.of(Kind.NOT_FOUND, "There is no such command in the catalogue of this project");
    }
    return command;
  }
}
