package io.errand.cli;

import io.errand.text.Visible;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand projects}: what jobs, queues, schedules and keys belong to. */
@Command(
    name = "projects",
    description = "Show the projects, or do something with one. For administrators.",
    synopsisSubcommandLabel = "[VERB]",
    subcommands = {
      Projects.Ls.class,
      Projects.Get.class,
      Projects.Put.class,
      Projects.Delete.class
    })
final class Projects implements Callable<Integer> {
  private static final String PATH = "/v1/projects";
  private static final List<String> COLUMNS =
      List.of("name", "free_commands", "max_waiting", "created_at");

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Override
  public Integer call() {
    return list(output);
  }

  private static int list(Client.OutputOption output) {
    Map<String, Object> answer = Http.connect().get(PATH);
    print(output, Client.list(answer, "projects"), answer);
    return ExitCodes.OK;
  }

  private static void print(
      Client.OutputOption output, List<Map<String, Object>> projects, Object whole) {
    Printer.print(output.format, projects, whole, "name", COLUMNS, List.of());
  }

  private static String path(String name) {
    if (!name.matches("[a-z0-9][a-z0-9._-]{0,62}")) { // it would be a part of the path
      throw new ClientException(
          ExitCodes.USAGE, "'" + Visible.line(name) + "' is no name of a project");
    }
    return PATH + "/" + name;
  }

  @Command(name = "list", description = "Show the projects.", mixinStandardHelpOptions = true)
  static final class Ls implements Callable<Integer> {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Override
    public Integer call() {
      return list(output);
    }
  }

  @Command(name = "get", description = "Show one project.", mixinStandardHelpOptions = true)
  static final class Get implements Callable<Integer> {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Parameters(paramLabel = "NAME")
    String name = "";

    @Override
    public Integer call() {
      Map<String, Object> project = Http.connect().get(path(name));
      print(output, List.of(project), project);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "put",
      description = "Make a project, or change it: what no option names has its default.",
      mixinStandardHelpOptions = true)
  static final class Put implements Callable<Integer> {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Parameters(paramLabel = "NAME")
    String name = "";

    @Option(
        names = "--free-commands",
        paramLabel = "true|false",
        arity = "1",
        description = "Whether its jobs may name any command (true).")
    @Nullable Boolean freeCommands;

    @Option(
        names = "--max-waiting",
        paramLabel = "N",
        description = "How many of its jobs may wait at once (any number).")
    @Nullable Long maxWaiting;

    @Override
    public Integer call() {
      Map<String, Object> body = new LinkedHashMap<>();
      if (freeCommands != null) {
        body.put("free_commands", freeCommands);
      }
      if (maxWaiting != null) {
        body.put("max_waiting", maxWaiting);
      }
      try {
        Map<String, Object> project = Http.connect().json("PUT", path(name), body, null);
        print(output, List.of(project), project);
      } catch (ClientException e) {
        throw OptionNames.ofProject(e);
      }
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "delete",
      description = "Remove projects that no job, schedule or key in use belongs to.",
      mixinStandardHelpOptions = true)
  static final class Delete implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "NAME")
    List<String> names = List.of();

    @Override
    public Integer call() {
      Http http = Http.connect();
      return Schedules.Names.tryAll(names, name -> http.delete(path(name)));
    }
  }
}
