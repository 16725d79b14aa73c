package io.errand.console.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.catalogue.CommandsResource;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.ConsoleRequests;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Fault;
import io.errand.console.FormField;
import io.errand.console.FormGroup;
import io.errand.console.FormPage;
import io.errand.console.JsonText;
import io.errand.console.Pages;
import io.errand.console.Section;
import io.errand.queue.KnownQueues;
import io.errand.queue.catalogue.NamedCommand;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Makes named commands and new versions of them, and retires them. */
@Path("/console/commands")
@Blocking
public class CommandFormPage {
  private static final String SECTION = "/commands";
  private static final List<String> OBJECTS = List.of("parameters", "defaults");

  private final Pages pages;
  private final CommandsResource commands;
  private final KnownQueues known;
  private final Caller caller;

  CommandFormPage(Pages pages, CommandsResource commands, KnownQueues known, Caller caller) {
    this.pages = pages;
    this.commands = commands;
    this.known = known;
    this.caller = caller;
  }

  /** The form of a new one. Names of commands hold no colon. */
  @GET
  @Requires(Permission.ADMINISTER)
  @Path(":new")
  public Response create() {
    return pages.form(200, page(null, field -> "", null));
  }

  /** Makes one. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Path(":new")
  public Response created() throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    String name = form.text("name");
    try {
      if (known.now().catalogue().find(caller.project(), name) != null) {
        throw Problem.invalid("name", "is that of a command that is there; edit that one");
      }
      commands.store(name, definition(form));
      return pages.seeOther(SECTION + "/" + name + "?notice=saved");
    } catch (Problem problem) {
      Fault fault = Fault.of(problem);
      return pages.form(fault.status(), page(null, form::text, fault));
    }
  }

  /** The form of the next version of one. */
  @GET
  @Requires(Permission.ADMINISTER)
  @Path("{name}/edit")
  public Response edit(@PathParam("name") String name) throws SQLException {
    JsonNode definition = find(name).definition();
    return pages.form(200, page(name, field -> value(definition, field), null));
  }

  /** Makes the next version. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Path("{name}/edit")
  public Response edited(@PathParam("name") String name) throws SQLException {
    find(name);
    ConsoleForm form = ConsoleRequests.form(caller.request());
    try {
      commands.store(name, definition(form));
      return pages.seeOther(SECTION + "/" + name + "?notice=saved");
    } catch (Problem problem) {
      Fault fault = Fault.of(problem);
      return pages.form(fault.status(), page(name, form::text, fault));
    }
  }

  /** Takes one out of the catalogue. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Path("{name}/retire")
  public Response retire(@PathParam("name") String name) throws SQLException {
    commands.remove(name);
    return pages.seeOther(SECTION + "?notice=retired");
  }

  private NamedCommand find(String name) throws SQLException {
    NamedCommand command =
        name.matches(NamedCommand.NAME_PATTERN) // it may hold NUL
            ? known.now().catalogue().find(caller.project(), name)
            : null;
    if (command == null) {
      throw Problem.of(Kind.NOT_FOUND, "There is no such command in the catalogue of this project");
    }
    return command;
  }

  private static FormPage page(
      @Nullable String name, UnaryOperator<String> values, @Nullable Fault fault) {
    List<FormGroup> groups = new ArrayList<>();
    if (name == null) {
      groups.add(FormGroup.of("", FormField.text("name", "Name").placeholder("resize").needed()));
    }
    groups.add(
        FormGroup.wide(
            "",
            FormField.text("description", "What it does"),
            FormField.area("command", "Command", 5)
                .placeholder("/usr/bin/convert\n{in}\n-resize\n{size}\n{out}")
                .hint(
                    "The program and its arguments, one a line, or a list of JSON; {size} stands"
                        + " for a parameter")
                .needed(),
            FormField.area("parameters", "Parameters", 8)
                .placeholder(
                    "{\"size\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 4000}}")
                .hint("An object of JSON: types string, integer, number, boolean, enum, path"),
            FormField.area("defaults", "What its jobs get", 4)
                .placeholder("{\"timeout_seconds\": 600}")
                .hint("Fields of POST /v1/jobs as an object of JSON"),
            FormField.text("job_may_set", "What a job may set all the same")
                .placeholder("none")
                .hint("Of env, stdin, working_directory, user and sandbox, with commas between")));
    Map<String, String> faults = FormGroup.faults(groups, fault);
    String path = SECTION + (name == null ? "" : "/" + name);
    return FormPage.of(
        name == null ? "New command" : name + ": next version",
        Section.of(SECTION),
        path,
        name == null ? SECTION + "/:new" : path + "/edit",
        FormGroup.filled(groups, values, faults),
        faults,
        null,
        false);
  }

  private static String value(JsonNode definition, String field) {
    JsonNode value = definition.path(field);
    if (field.equals("command") && !fitsLines(value)) {
      return value.toPrettyString();
    }
    if (value.isArray()) {
      List<String> texts = new ArrayList<>();
      value.forEach(one -> texts.add(one.asText()));
      return String.join(field.equals("command") ? "\n" : ", ", texts);
    }
    return value.isObject() ? value.toPrettyString() : value.asText("");
  }

  /** Whether each word is one line of a form, as a browser sends it back. */
  private static boolean fitsLines(JsonNode words) {
    for (JsonNode word : words) {
      String text = word.asText();
      if (text.isEmpty() || !text.strip().equals(text) || text.lines().count() > 1) {
        return false;
      }
    }
    return !words.path(0).asText().startsWith("[");
  }

  /** The body of the call that makes it. */
  private static ObjectNode definition(ConsoleForm form) {
    ObjectNode body = JsonNodeFactory.withExactBigDecimals(true).objectNode();
    String command = form.text("command");
    if (command.startsWith("[")) {
      body.set("command", JsonText.value("command", command));
    } else {
      ArrayNode words = body.putArray("command");
      command.lines().map(String::strip).forEach(words::add);
    }
    if (!form.text("description").isEmpty()) {
      body.put("description", form.text("description"));
    }
    for (String field : OBJECTS) {
      if (!form.text(field).isEmpty()) {
        body.set(field, JsonText.object(field, form.text(field)));
      }
    }
    if (!form.text("job_may_set").isEmpty()) {
      ArrayNode names = body.putArray("job_may_set");
      for (String name : form.text("job_may_set").split(",", -1)) {
        names.add(name.strip());
      }
    }
    return body;
  }
}
