package io.errand.cli;

import io.errand.client.Json;
import io.errand.text.FaultText;
import io.errand.text.Visible;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand commands}: the catalogue of named commands. */
@Command(
    name = "commands",
    description = "Show the named commands of the catalogue, or do something with one.",
    synopsisSubcommandLabel = "[VERB]",
    subcommands = {
      Commands.Get.class,
      Commands.Put.class,
      Commands.Delete.class,
      Commands.Versions.class
    })
final class Commands implements Callable<Integer> {
  private static final int MOST_BYTES = 1 << 20;
  private static final List<String> COLUMNS =
      List.of("name", "version", "read_only", "parameters", "description");

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Override
  public Integer call() {
    Map<String, Object> answer = Http.connect().get("/v1/commands");
    Printer.print(
        output.format, Client.list(answer, "commands"), answer, "name", COLUMNS, List.of());
    return ExitCodes.OK;
  }

  private static String path(String name) {
    if (!name.matches("[a-z0-9][a-z0-9._-]{0,63}")) { // it would be a part of the path
      throw new ClientException(
          ExitCodes.USAGE, "'" + Visible.line(name) + "' is no name of a command");
    }
    return "/v1/commands/" + name;
  }

  /** What {@code get} and {@code put} print. */
  static final class WholeOption {
    @Option(
        names = {"-o", "--output"},
        paramLabel = "FORMAT",
        description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
        defaultValue = "json")
    Printer.Format format = Printer.Format.json;

    void print(Map<String, Object> command) {
      Map<String, Object> row = new Printer.Row(command);
      if (command.get("parameters") instanceof Map<?, ?> parameters) {
        row.put("parameters", List.copyOf(parameters.keySet()));
      }
      Printer.print(format, List.of(row), command, "name", COLUMNS, List.of());
    }
  }

  @Command(name = "get", description = "Show one with its definition.")
  static final class Get implements Callable<Integer> {
    @Parameters(paramLabel = "NAME")
    String name = "";

    @Option(names = "--version", paramLabel = "N", description = "An earlier version.")
    @Nullable Integer version;

    @Mixin WholeOption output = new WholeOption();

    @Override
    public Integer call() {
      String query = version == null ? "" : "?version=" + version;
      output.print(Http.connect().get(path(name) + query));
      return ExitCodes.OK;
    }
  }

  @Command(name = "put", description = "Make one, or a new version of one.")
  static final class Put implements Callable<Integer> {
    @Parameters(paramLabel = "NAME")
    String name = "";

    @Parameters(
        paramLabel = "FILE",
        description = "Its definition as JSON; - is the stdin of this client.")
    String file = "";

    @Mixin WholeOption output = new WholeOption();

    @Override
    public Integer call() {
      output.print(Http.connect().json("PUT", path(name), definition(file), null));
      return ExitCodes.OK;
    }
  }

  private static Object definition(String file) {
    try (InputStream in = file.equals("-") ? System.in : Files.newInputStream(Path.of(file))) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new ClientException(ExitCodes.USAGE, file + " has more than 1 MiB");
      }
      return Json.object(Typed.text(bytes, file));
    } catch (Json.MalformedException e) {
      throw new ClientException(ExitCodes.USAGE, file + " is no object of JSON");
    } catch (IOException e) {
      throw new ClientException(ExitCodes.USAGE, file + ": " + FaultText.of(e));
    }
  }

  @Command(name = "delete", description = "Remove one; jobs that were made of it stay.")
  static final class Delete implements Callable<Integer> {
    @Parameters(paramLabel = "NAME")
    String name = "";

    @Override
    public Integer call() {
      Http.connect().delete(path(name));
      return ExitCodes.OK;
    }
  }

  @Command(name = "versions", description = "Show its versions, the newest first.")
  static final class Versions implements Callable<Integer> {
    @Parameters(paramLabel = "NAME")
    String name = "";

    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Override
    public Integer call() {
      Map<String, Object> answer = Http.connect().get(path(name) + "/versions");
      Printer.print(
          output.format,
          Client.list(answer, "versions"),
          answer,
          "version",
          List.of("version", "created_at", "created_by"),
          List.of());
      return ExitCodes.OK;
    }
  }
}
