package io.errand.cli;

import io.errand.cli.Printer.Format;
import io.errand.text.CommandUse;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
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
    subcommands = {
      Client.Serve.class,
      Run.class,
      Client.Submit.class,
      Client.Get.class,
      ListJobs.class,
      Client.Wait.class,
      Logs.class,
      Events.class,
      Client.Cancel.class,
      Client.Retry.class,
      Client.Release.class,
      Client.Queues.class,
      Client.Workers.class,
      Top.class,
      Client.Doctor.class,
      Client.VerifyHistory.class,
      Client.Completion.class,
      Client.Version.class
    },
    footer = {
      "",
      "The client finds the server through ERRAND_URL and ERRAND_TOKEN, else through the files url"
          + " and token in ERRAND_HOME. Exit status: 0 done, 1 the server refused or the job did not"
          + " succeed, 2 usage, 69 no server, 74 what was to be printed is not complete, 77 refused,"
          + " 141 the reader of the output has ended; `run` exits as its command did."
    })
public final class Client {
  static final String VERSION = "errand 0.1.0";
  static final List<String> JOB_COLUMNS =
      List.of("id", "state", "reason", "queue", "attempt", "exit_code", "created_at", "command");
  static final List<String> WIDE_JOB_COLUMNS =
      List.of("signal", "duration_seconds", "worker", "priority", "idempotency_key", "detail");

  private Client() {}

  /** Runs a command and exits with its status. */
  public static void main(String... arguments) {
    StandardStream.install();
    Thread.setDefaultUncaughtExceptionHandler((thread, fault) -> report(unforeseen(fault)));
    int exitCode = execute(arguments);
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
      return line().execute(arguments.length == 0 ? new String[] {"--help"} : arguments);
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

  private static CommandLine line() {
    CommandLine line = new CommandLine(new Client());
    line.setExpandAtFiles(false); // what is typed is the command, and no file's words
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.getSubcommands()
        .values()
        .forEach(command -> command.getCommandSpec().mixinStandardHelpOptions(true));
    line.addSubcommand("help", new CommandLine.HelpCommand());
    CommandUse.prepare(line);
    line.getSubcommands()
        .forEach(
            (verb, command) -> {
              if (verb.equals("run") || verb.equals("submit")) {
                // From the first word of the command on, all is its own, as with env(1).
                command.setStopAtPositional(true);
              }
            });
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

  /** The choice between table, wide, json and name. */
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
  @Command(name = "verify-history", description = "Check the history of every job in the database.")
  static final class VerifyHistory implements Callable<Integer> {
    @Override
    public Integer call() {
      throw new ClientException(
          ExitCodes.USAGE, "verify-history is the first word: errand verify-history");
    }
  }

  @Command(
      name = "completion",
      description = {
        "Print a completion script for bash and zsh.",
        "To load it: source <(errand completion)"
      })
  static final class Completion implements Callable<Integer> {
    @Override
    public Integer call() {
      String script = AutoComplete.bash("errand", line());
      // As it is called from a directory of its own, too.
      System.out.println(script.replace(" errand errand.sh errand.bash", " errand ./errand"));
      return ExitCodes.OK;
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
    Format format = Format.name;

    @Override
    public Integer call() {
      Map<String, Object> job = options.submit(Http.connect(), null, null);
      Printer.print(format, List.of(job), job, "id", JOB_COLUMNS, WIDE_JOB_COLUMNS);
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

  @Command(
      name = "wait",
      description = {
        "Wait until jobs have finished; 0 if all of them succeeded, else 1.",
        "It goes on while the server restarts, for up to ten minutes without an answer."
      })
  static final class Wait implements Callable<Integer> {
    @Mixin EachJob jobs = new EachJob();

    @Override
    public Integer call() {
      Http http = Http.connect();
      int exitCode = jobs.tryAll(id -> JobOutput.await(http, id));
      return exitCode == ExitCodes.OK && !jobs.allSucceeded() ? ExitCodes.FAILED : exitCode;
    }
  }

  @Command(name = "cancel", description = "Cancel jobs; a running one ends with its whole tree.")
  static final class Cancel extends Change {
    @Override
    Map<String, Object> change(Http http, String id) {
      Map<String, Object> job = http.post("/v1/jobs/" + id + "/cancel");
      if ("running".equals(job.get("state"))) {
        EachJob.say(
            "job " + id + ": the cancel was accepted; the job ends when its processes have ended");
      }
      return job;
    }
  }

  @Command(name = "retry", description = "Submit finished jobs again, as new jobs.")
  static final class Retry extends Change {
    @Override
    Map<String, Object> change(Http http, String id) {
      return http.post("/v1/jobs/" + id + "/retry");
    }
  }

  @Command(name = "release", description = "Let held jobs go on.")
  static final class Release extends Change {
    @Override
    Map<String, Object> change(Http http, String id) {
      return http.post("/v1/jobs/" + id + "/release");
    }
  }

  /** A command that changes jobs one by one and prints them. */
  abstract static class Change implements Callable<Integer> {
    @Mixin EachJob jobs = new EachJob();

    abstract Map<String, Object> change(Http http, String id);

    @Override
    public Integer call() {
      Http http = Http.connect();
      return jobs.tryAll(id -> change(http, id));
    }
  }

  @Command(name = "queues", description = "Show the queues.")
  static final class Queues implements Callable<Integer> {
    @Mixin OutputOption output = new OutputOption();

    @Override
    public Integer call() {
      Map<String, Object> answer = Http.connect().get("/v1/queues");
      Printer.print(
          output.format,
          list(answer, "queues").stream().map(Queues::flat).toList(),
          answer,
          "name",
          List.of("name", "paused", "queued", "running", "retrying", "held"),
          List.of("succeeded", "failed", "cancelled", "oldest_ready_seconds"));
      return ExitCodes.OK;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> flat(Map<String, Object> queue) {
      Map<String, Object> row = new LinkedHashMap<>(queue);
      row.putAll((Map<String, Object>) queue.getOrDefault("counts", Map.of()));
      return row;
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
