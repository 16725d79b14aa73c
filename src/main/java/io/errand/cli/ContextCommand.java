package io.errand.cli;

import io.errand.text.FaultText;
import io.errand.text.Visible;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand context}: names for servers. */
@Command(
    name = "context",
    description = "Show the servers that have a name on this host, or choose one.",
    synopsisSubcommandLabel = "[VERB]",
    subcommands = {
      ContextCommand.Ls.class,
      ContextCommand.Use.class,
      ContextCommand.Add.class,
      ContextCommand.Remove.class
    },
    footer = {
      "",
      "What names the server, in this order: --context; ERRAND_URL; ERRAND_CONTEXT; ERRAND_HOME; the"
          + " context in use; the data directory of this user. ERRAND_TOKEN, ERRAND_PROJECT and"
          + " ERRAND_CA_FILE go before what a context says, unless --context names it."
    })
final class ContextCommand implements Callable<Integer> {
  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Override
  public Integer call() {
    return list(output);
  }

  private static int list(Client.OutputOption output) {
    Contexts contexts = Contexts.read();
    List<Map<String, Object>> rows =
        contexts.all().values().stream().map(context -> row(context, contexts)).toList();
    Printer.print(
        output.format,
        rows,
        Map.of("contexts", rows),
        "name",
        List.of("name", "current", "url", "home", "project"),
        List.of("has_token", "ca_file"));
    return ExitCodes.OK;
  }

  private static Map<String, Object> row(Context context, Contexts contexts) {
    Map<String, Object> row = context.shown();
    row.put("has_token", context.token() != null);
    row.put("current", context.name().equals(contexts.current()));
    return row;
  }

  private static String checked(String name) {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) {
      throw new ClientException(
          ExitCodes.USAGE,
          "'" + Visible.line(name) + "' is no name of a context: letters, digits, . _ and -");
    }
    return name;
  }

  /** {@code errand context list}. */
  @Command(name = "list", description = "The same.")
  static final class Ls implements Callable<Integer> {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Override
    public Integer call() {
      return list(output);
    }
  }

  /** {@code errand context use}. */
  @Command(name = "use", description = "Use this one where nothing else names a server.")
  static final class Use implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "NAME")
    @Nullable String name;

    @Option(names = "--none", description = "Use none: the server of the data directory again.")
    boolean none;

    @Override
    public Integer call() {
      if (none == (name != null)) {
        throw new ClientException(ExitCodes.USAGE, "give a NAME or --none");
      }
      Contexts contexts = Contexts.read();
      String chosen = name == null ? "" : contexts.get(name).name();
      new Contexts(chosen, contexts.all()).save();
      for (String variable : List.of("ERRAND_URL", "ERRAND_CONTEXT", "ERRAND_HOME")) {
        if (name != null && ClientSettings.of(variable) != null) {
          EachJob.say(variable + " is set and goes before the context in use");
        }
      }
      return ExitCodes.OK;
    }
  }

  /** {@code errand context add}. */
  @Command(name = "add", description = "Give a server a name.")
  static final class Add implements Callable<Integer> {
    private static final int MOST_TOKEN = 16_384;

    @Parameters(paramLabel = "NAME")
    String name = "";

    @Option(names = "--url", paramLabel = "URL", description = "The address of the server.")
    @Nullable String url;

    @Option(
        names = "--home",
        paramLabel = "DIR",
        description = "Instead of --url and a token: the data directory of a server on this host.")
    @Nullable String home;

    @Option(
        names = "--token-file",
        paramLabel = "FILE",
        description = {
          "A file with the token, which is copied; - is the stdin of this client.",
          "Without it: the login for this server, see `errand login`."
        })
    @Nullable String tokenFile;

    @Option(names = "--in-project", paramLabel = "NAME", description = "The project to work in.")
    @Nullable String project;

    @Option(
        names = "--ca-file",
        paramLabel = "FILE",
        description = "Certificates of authorities (PEM) that are trusted for this server.")
    @Nullable String caFile;

    @Option(names = "--use", description = "Use it from now on.")
    boolean use;

    @Option(names = "--replace", description = "Replace the one of this name.")
    boolean replace;

    @Override
    public Integer call() {
      if ((url == null) == (home == null)) {
        throw new ClientException(ExitCodes.USAGE, "give one of --url and --home");
      }
      if (home != null && tokenFile != null) {
        throw new ClientException(
            ExitCodes.USAGE, "--home and --token-file exclude each other: the token is there");
      }
      if (url != null && !url.matches("https?://[!-~]+")) {
        throw new ClientException(
            ExitCodes.USAGE, "--url is an address such as https://errand.example.org");
      }
      Contexts contexts = Contexts.read();
      if (contexts.all().containsKey(checked(name)) && !replace) {
        throw new ClientException(
            ExitCodes.USAGE, "there is a context " + name + "; --replace replaces it");
      }
      Map<String, Context> all = new LinkedHashMap<>(contexts.all());
      all.put(
          name,
          new Context(
              name,
              url == null ? null : ClientSettings.plain(url),
              absolute(home),
              tokenFile == null ? null : token(tokenFile),
              project == null ? null : ClientSettings.checkedProject(project),
              absolute(caFile)));
      new Contexts(use ? name : contexts.current(), all).save();
      return ExitCodes.OK;
    }

    private static @Nullable String absolute(@Nullable String file) {
      return file == null ? null : Path.of(file).toAbsolutePath().normalize().toString();
    }

    private static String token(String file) {
      try (InputStream in = file.equals("-") ? System.in : Files.newInputStream(Path.of(file))) {
        byte[] bytes = in.readNBytes(MOST_TOKEN + 1);
        String token = Typed.text(bytes, file).strip();
        if (token.isEmpty() || bytes.length > MOST_TOKEN || !token.matches("[!-~]+")) {
          throw new ClientException(
              ExitCodes.USAGE, "--token-file holds no token: one word of printable ASCII");
        }
        return token;
      } catch (IOException e) {
        throw new ClientException(ExitCodes.USAGE, "--token-file: " + FaultText.of(e));
      }
    }
  }

  /** {@code errand context remove}. */
  @Command(name = "remove", description = "Forget names, with their tokens.")
  static final class Remove implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "NAME")
    List<String> names = List.of();

    @Override
    public Integer call() {
      Contexts contexts = Contexts.read();
      Map<String, Context> left = new LinkedHashMap<>(contexts.all());
      names.forEach(name -> left.remove(contexts.get(name).name()));
      String current = left.containsKey(contexts.current()) ? contexts.current() : "";
      new Contexts(current, left).save();
      return ExitCodes.OK;
    }
  }
}
