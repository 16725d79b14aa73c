package io.errand.cli;

import io.errand.text.Visible;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code errand log-levels}: what the server that answers logs. */
@Command(
    name = "log-levels",
    description = "Show or change what the server that answers logs. For administrators.",
    synopsisSubcommandLabel = "[VERB]",
    subcommands = {LogLevels.Put.class, LogLevels.Reset.class})
final class LogLevels implements Callable<Integer> {
  private static final String PATH = "/v1/log-levels";
  private static final List<String> COLUMNS = List.of("name", "level", "changed");

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Override
  public Integer call() {
    Map<String, Object> answer = Http.connect().get(PATH);
    print(output, Client.list(answer, "log_levels"), answer);
    return ExitCodes.OK;
  }

  private static void print(
      Client.OutputOption output, List<Map<String, Object>> levels, Object whole) {
    Printer.print(output.format, levels, whole, "name", COLUMNS, List.of());
  }

  private static String path(String name) {
    if (!name.matches("[A-Za-z0-9_.]{1,255}")) { // it would be a part of the path
      throw new ClientException(
          ExitCodes.USAGE, "'" + Visible.line(name) + "' is no name of a category");
    }
    return PATH + "/" + name;
  }

  @Command(
      name = "set",
      description = "Set a level until it is reset or that server ends.",
      mixinStandardHelpOptions = true)
  static final class Put implements Callable<Integer> {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Parameters(paramLabel = "NAME", description = "io.errand, or a category below it.")
    String name = "";

    @Parameters(paramLabel = "LEVEL", description = "error, warn, info or debug.")
    String level = "";

    @Override
    public Integer call() {
      Map<String, Object> set =
          Http.connect().json("PUT", path(name), Map.of("level", level), null);
      print(output, List.of(set), set);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "reset",
      description = "Let a category have the level that it had at the start.",
      mixinStandardHelpOptions = true)
  static final class Reset implements Callable<Integer> {
    @Parameters(paramLabel = "NAME")
    String name = "";

    @Override
    public Integer call() {
      Http.connect().delete(path(name));
      return ExitCodes.OK;
    }
  }
}
