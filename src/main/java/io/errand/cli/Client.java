package io.errand.cli;

import io.errand.cli.Printer.Format;
import io.errand.text.CommandUse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code errand}: the commands, and how their ends become an exit status. */
@Command(
    name = "errand",
    description = "An asynchronous command queue on PostgreSQL.",
    mixinStandardHelpOptions = true,
    version = Client.VERSION,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Exit status: 0 done, 1 the server refused or the job did not succeed, 2 usage, 69 no server,"
          + " 74 what was to be printed is not complete, 77 refused, 141 the reader of the output has"
          + " ended; `run` exits as its command did."
    })
public final class Client {
  static final String VERSION = "errand 0.1.0";
  static final List<String> JOB_COLUMNS =
      List.of("id", "state", "reason", "queue", "attempt", "exit_code", "created_at", "command");
  static final List<String> WIDE_JOB_COLUMNS =
      List.of(
          "signal",
          "duration_seconds",
          "worker",
          "priority",
          "idempotency_key",
          "trace_id",
          "after",
          "detail");

  private Client() {}

  @Option(
      names = "--project",
      paramLabel = "NAME",
      scope = CommandLine.ScopeType.INHERIT,
      description = "Work in this project (default: $ERRAND_PROJECT, else that of the caller).")
  void workIn(String project) {
    ClientSettings.workIn(project);
  }

  @Option(
      names = "--context",
      paramLabel = "NAME",
      scope = CommandLine.ScopeType.INHERIT,
      description = "The server of this context (default: $ERRAND_CONTEXT, else that in use).")
  void useContext(String context) {
    ClientSettings.chooseContext(context);
  }

  /** Runs a command and exits with its status. */
  public static void main(String... arguments) {
    StandardStream.install();
    Thread.setDefaultUncaughtExceptionHandler((thread, fault) -> report(unforeseen(fault)));
    int exitCode =
        arguments.length == 1 && arguments[0].equals("rehearse")
            ? Rehearsal.run(Client::execute)
            : execute(arguments);
    try {
      StandardStream.flushAll();
    } catch (ClientException e) {
      exitCode = exitCode == e.exitCode() ? exitCode : report(e); // else it has been printed
    }
    System.exit(exitCode);
  }

  private static int execute(String... arguments) {
    try {
      Typed.check(arguments.length);
      return arguments.length == 0 ? line().execute("--help") : line(arguments).execute(arguments);
    } catch (ClientException e) {
      return report(e);
    } catch (OutOfMemoryError | StackOverflowError e) {
      return report(unforeseen(e));
    }
  }

  /** Nothing of it is printed: it may hold what came from the server, and names of classes. */
  private static ClientException unforeseen(Throwable fault) {
    return new ClientException(
        ExitCodes.UNAVAILABLE,
        fault instanceof OutOfMemoryError
            ? "what came from the server is more than the answer of an Errand server"
            : "the client cannot go on: what came from the server is not the answer of an Errand"
                + " server of this version");
  }

  /**
   * The whole command line, or that of the verb which its first word names: to read the
   * descriptions of all verbs takes longer than to do what most of them do.
   */
  static CommandLine line(String... arguments) {
    CommandLine line = new CommandLine(new Client());
    line.setExpandAtFiles(false); // what is typed is the command, and no file's words
    line.setCaseInsensitiveEnumValuesAllowed(true);
    Object one = arguments.length == 0 ? null : Verbs.command(arguments[0]);
    if (one == null) {
      Verbs.NAMES.forEach(name -> line.addSubcommand(name, Verbs.command(name)));
    } else {
      line.addSubcommand(arguments[0], one);
    }
    HelpText.prepare(line);
    CommandUse.prepare(line);
    for (String verb : new String[] {"run", "submit"}) {
      CommandLine command = line.getSubcommands().get(verb);
      if (command != null) {
        // From the first word of the command on, all is its own, as with env(1).
        command.setStopAtPositional(true);
      }
    }
    line.setExecutionStrategy(
        parsed -> {
          try {
            return new CommandLine.RunLast().execute(parsed); // the help is printed here, too
          } catch (ClientException e) {
            return report(e);
          }
        });
    line.setExecutionExceptionHandler(
        (fault, command, parsed) -> {
          return report(fault instanceof ClientException known ? known : unforeseen(fault));
        });
    return line;
  }

  /** Says what ended a command, unless no process is left to read it; gives the exit status. */
  private static int report(ClientException fault) {
    if (fault.exitCode() != ExitCodes.READER_GONE) {
      try {
        EachJob.say(String.valueOf(fault.getMessage()));
      } catch (ClientException e) {
        return fault.exitCode();
      }
    }
    return fault.exitCode();
  }

  /** The choice between the formats. */
  static final class OutputOption {
    @Option(
        names = {"-o", "--output"},
        paramLabel = "FORMAT",
        description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
        defaultValue = "table")
    Format format = Format.table;

    void print(List<Map<String, Object>> jobs, Object whole) {
      Printer.print(format, jobs, whole, "id", JOB_COLUMNS, WIDE_JOB_COLUMNS);
    }
  }

  /** Only for the help: the launch script starts the server itself. */
  @Command(name = "serve", description = "Run the server: API, worker and built-in PostgreSQL.")
  static final class Serve implements Callable<Integer> {
    @Override
    public Integer call() {
      throw new ClientException(ExitCodes.USAGE, "serve is the first word: errand serve");
    }
  }

  /** Only for the help: the launch script starts it, with more on its class path. */
  @Command(name = "doctor", description = "Look at this host as a worker would.")
  static final class Doctor implements Callable<Integer> {
    @Override
    public Integer call() {
      throw new ClientException(ExitCodes.USAGE, "doctor is the first word: errand doctor");
    }
  }

  /** Only for the help: the launch script starts it, with more on its class path. */
  @Command(name = "migrate", description = "Make or migrate the schema of the database.")
  static final class Migrate implements Callable<Integer> {
    @Override
    public Integer call() {
      throw new ClientException(ExitCodes.USAGE, "migrate is the first word: errand migrate");
    }
  }

  /** Only for the help: the launch script starts it, with more on its class path. */
  @Command(name = "verify-history", description = "Check the history of every job in the database.")
  static final class VerifyHistory implements Callable<Integer> {
    @Override
    public Integer call() {
      throw new ClientException(
          ExitCodes.USAGE, "verify-history is the first word: errand verify-history");
    }
  }

  @Command(name = "version", description = "Print the version.")
  static final class Version implements Callable<Integer> {
    @Override
    public Integer call() {
      System.out.println(VERSION);
      return ExitCodes.OK;
    }
  }

  @Command(name = "submit", description = "Submit a command and print the job's id.")
  static final class Submit implements Callable<Integer> {
    @Mixin JobOptions options = new JobOptions();

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FORMAT",
        description = "json: the whole job.")
    @Nullable Format format;

    @Option(
        names = "--validate-only",
        description = {
          "Print what would run and when it would be tried; nothing is stored.",
          "Warnings go to stderr."
        })
    boolean validateOnly;

    @Override
    public Integer call() {
      options.check();
      if (validateOnly) {
        return validate();
      }
      Map<String, Object> job = options.submit(Http.connect(), null, null);
      Printer.print(
          format == null ? Format.name : format,
          List.of(job),
          job,
          "id",
          JOB_COLUMNS,
          WIDE_JOB_COLUMNS);
      return ExitCodes.OK;
    }

    private int validate() {
      if (format != null && format != Format.json) {
        throw new ClientException(
            ExitCodes.USAGE, "--validate-only prints json only: there is no job yet");
      }
      Map<String, Object> preview = options.validate(Http.connect());
      list(preview, "warnings")
          .forEach(warning -> EachJob.say("warning: " + warning.get("message")));
      Printer.json(preview);
      System.out.flush();
      return ExitCodes.OK;
    }
  }

  @Command(name = "get", description = "Show jobs.")
  static final class Get implements Callable<Integer> {
    @Mixin EachJob jobs = new EachJob();

    @Override
    public Integer call() {
      Http http = Http.connect();
      return jobs.tryAll(id -> http.get("/v1/jobs/" + id));
    }
  }

  @Command(name = "workers", description = "Show the live workers.")
  static final class Workers implements Callable<Integer> {
    @Mixin OutputOption output = new OutputOption();

    @Override
    public Integer call() {
      Map<String, Object> answer = Http.connect().get("/v1/workers");
      Printer.print(
          output.format,
          list(answer, "workers"),
          answer,
          "id",
          List.of("id", "name", "slots", "busy", "queues", "heartbeat_at"),
          List.of(
              "claims_waiting",
              "claims_nothing_because",
              "abilities",
              "version",
              "pid",
              "lease_seconds",
              "started_at",
              "guarantees"));
      return ExitCodes.OK;
    }
  }

  @SuppressWarnings("unchecked")
  static List<Map<String, Object>> list(Map<String, Object> answer, String name) {
    return (List<Map<String, Object>>) answer.getOrDefault(name, List.of());
  }
}
