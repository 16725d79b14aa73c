package io.errand.cli;

import io.errand.text.FaultText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What {@code run} and {@code submit} say about a job. */
final class JobOptions {
  private static final int SUBMIT_TRIES = 3;
  private static final int MOST_STDIN_BYTES = 1 << 20; // more than the body of a request may have

  @Option(
      names = {"-q", "--queue"},
      paramLabel = "NAME",
      description = "The queue of the job (default).")
  @Nullable String queue;

  @Option(names = "--priority", paramLabel = "N", description = "-100 to 100, higher runs first.")
  @Nullable Integer priority;

  @Option(names = "--run-at", paramLabel = "TIME", description = "Not before this RFC 3339 time.")
  @Nullable String runAt;

  @Option(
      names = "--expires-at",
      paramLabel = "TIME",
      description = "Cancel the job at this time if it has not started.")
  @Nullable String expiresAt;

  @Option(
      names = {"-e", "--env"},
      paramLabel = "NAME=VALUE",
      description = "A variable for the command; may be repeated.")
  List<String> environment = List.of(); // a map would keep one of two values, and say nothing

  @Option(
      names = {"-l", "--label"},
      paramLabel = "NAME=VALUE",
      description = "A label of the job; may be repeated.")
  List<String> labels = List.of();

  @Option(
      names = "--stdin",
      paramLabel = "FILE",
      description = "A file that the command reads as stdin; - is the stdin of this client.")
  @Nullable String stdin;

  @Option(
      names = "--cwd",
      paramLabel = "DIR",
      description = "The directory on the worker in which the command starts.")
  @Nullable String workingDirectory;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "End the command after this time.")
  @Nullable Double timeoutSeconds;

  @Option(names = "--description", paramLabel = "TEXT", description = "A text for people.")
  @Nullable String description;

  @Option(
      names = "--kill-grace",
      paramLabel = "SECONDS",
      description = "The time from SIGTERM to SIGKILL.")
  @Nullable Double killGraceSeconds;

  @Option(names = "--max-attempts", paramLabel = "N", description = "The most attempts of the job.")
  @Nullable Integer maxAttempts;

  @Option(
      names = "--on-lost",
      paramLabel = "WORD",
      description = "What follows when the worker is lost: retry, fail or hold.")
  @Nullable String onLost;

  @Option(
      names = "--concurrency-key",
      paramLabel = "KEY",
      description = "Of jobs with this key only so many run at a time as --concurrency-limit says.")
  @Nullable String concurrencyKey;

  @Option(
      names = "--concurrency-limit",
      paramLabel = "N",
      description = "Start only while fewer jobs with its key run, 1 to 10000 (1).")
  @Nullable Integer concurrencyLimit;

  @Option(
      names = "--after",
      paramLabel = "ID",
      split = ",",
      description =
          "Not before this job has finished; may be repeated, or hold several IDs with commas.")
  List<String> after = List.of();

  @Option(
      names = "--on-dependency-failure",
      paramLabel = "WORD",
      description = "What follows when a job of --after fails: cancel (default) or run.")
  @Nullable String onDependencyFailure;

  @Option(
      names = "--limit",
      paramLabel = "NAME=NUMBER",
      description =
          "memory_bytes, cpu_seconds, processes, file_size_bytes, open_files, disk_bytes, disk_files,"
              + " nice; may be repeated.")
  List<String> limits = List.of();

  @Option(names = "--user", paramLabel = "NAME", description = "Run the command as this user.")
  @Nullable String user;

  @Option(names = "--sandbox", description = "No network, and a read-only file system.")
  boolean sandbox;

  @Option(
      names = "--writable",
      paramLabel = "DIR",
      description = "What a sandbox may write to; may be repeated.")
  List<String> writable = List.of();

  @Option(
      names = "--stdout-limit",
      paramLabel = "BYTES",
      description = "How much of stdout is kept, at most 1048576.")
  @Nullable Integer stdoutLimit;

  @Option(
      names = "--stderr-limit",
      paramLabel = "BYTES",
      description = "How much of stderr is kept, at most 1048576.")
  @Nullable Integer stderrLimit;

  @Option(
      names = "--on-finish",
      paramLabel = "URL",
      description = "A webhook that is told when the job has finished.")
  @Nullable String onFinish;

  @Option(
      names = "--on-finish-secret",
      paramLabel = "NAME",
      description = "The secret of the server that signs the webhook.")
  @Nullable String onFinishSecret;

  @Option(names = "--key", paramLabel = "KEY", description = "Idempotency key; else a random one.")
  @Nullable String key;

  @Option(
      names = "--named",
      paramLabel = "NAME",
      description = "Run this command of the catalogue instead of COMMAND.")
  @Nullable String named;

  @Option(
      names = "--parameter",
      paramLabel = "NAME=VALUE",
      description = "A parameter of --named; may be repeated.")
  List<String> parameters = List.of();

  @Spec(Spec.Target.MIXEE)
  @Nullable CommandSpec spec;

  @Parameters(
      arity = "0..*",
      paramLabel = "COMMAND",
      description = "The program and its arguments, byte for byte; -- may stand before it.")
  List<String> command = List.of();

  /** Refuses a command line without a command, or with two. */
  void check() {
    if (named == null && command.isEmpty() && spec != null) {
      throw new ParameterException(
          spec.commandLine(), "Missing required parameter: 'COMMAND', or the option --named");
    }
    if (named != null && !command.isEmpty()) {
      throw new ClientException(ExitCodes.USAGE, "--named and a command exclude each other");
    }
  }

  /**
   * Submits it. The key makes it safe to ask again when no answer came.
   *
   * @param defaultMaxAttempts how many attempts it has without the option, or null for the server's
   *     default
   * @param defaultOutputLimit how many bytes of each stream are kept without the option, or null
   * @return the job
   */
  Map<String, Object> submit(
      Http http, @Nullable Integer defaultMaxAttempts, @Nullable Integer defaultOutputLimit) {
    Map<String, Object> body =
        named == null
            ? body(defaultMaxAttempts, defaultOutputLimit)
            : body(null, null); // which are for the named command to say
    String idempotencyKey = key == null ? UUID.randomUUID().toString() : key;
    ClientException last = null;
    for (int i = 0; i < SUBMIT_TRIES; i++) {
      try {
        return http.json("POST", "/v1/jobs", body, idempotencyKey);
      } catch (ClientException e) {
        if (e.exitCode() != ExitCodes.UNAVAILABLE) {
          throw OptionNames.ofJob(e);
        }
        last = e;
      }
    }
    throw OptionNames.ofJob(
        last == null ? new ClientException(ExitCodes.UNAVAILABLE, "no answer") : last);
  }

  /** What it would be, as the server sees it. */
  Map<String, Object> validate(Http http) {
    try {
      return http.json("POST", "/v1/jobs?validate_only=true", body(null, null), key);
    } catch (ClientException e) {
      throw OptionNames.ofJob(e);
    }
  }

  /**
   * The job of a schedule, with what was said of it only.
   *
   * @param words the command, or empty if none was given
   */
  Map<String, Object> ofSchedule(List<String> words) {
    if (key != null) {
      throw new ClientException(ExitCodes.USAGE, "--key does not belong to a schedule");
    }
    Map<String, Object> body = body(null, null);
    body.remove("command");
    if (!words.isEmpty()) {
      body.put("command", words);
    } else if (named != null) {
      body.put("command", null); // a change takes it away
    }
    return body;
  }

  private Map<String, Object> body(
      @Nullable Integer defaultMaxAttempts, @Nullable Integer defaultOutputLimit) {
    Map<String, Object> body = new LinkedHashMap<>();
    put(body, "stdout_limit_bytes", stdoutLimit == null ? defaultOutputLimit : stdoutLimit);
    put(body, "stderr_limit_bytes", stderrLimit == null ? defaultOutputLimit : stderrLimit);
    put(body, "command", named == null ? command : null);
    put(body, "run", named);
    put(body, "parameters", pairs("--parameter", parameters, value -> value));
    put(body, "description", description);
    put(body, "queue", queue);
    put(body, "priority", priority);
    put(body, "run_at", runAt);
    put(body, "expires_at", expiresAt);
    put(body, "env", pairs("--env", environment, value -> value));
    put(body, "labels", labels(labels));
    put(body, "stdin", stdin == null ? null : read(stdin));
    put(body, "working_directory", workingDirectory);
    put(body, "timeout_seconds", timeoutSeconds);
    put(body, "kill_grace_seconds", killGraceSeconds);
    put(body, "max_attempts", maxAttempts == null ? defaultMaxAttempts : maxAttempts);
    put(body, "on_lost", onLost);
    put(body, "concurrency_key", concurrencyKey);
    put(body, "concurrency_limit", concurrencyLimit);
    put(body, "after", after.isEmpty() ? null : after);
    put(body, "on_dependency_failure", onDependencyFailure);
    put(body, "limits", pairs("--limit", limits, Long::valueOf));
    put(body, "user", user);
    if (sandbox || !writable.isEmpty()) {
      body.put("sandbox", Map.of("network", false, "read_only", true, "writable", writable));
    }
    put(body, "on_finish", webhook());
    return body;
  }

  private @Nullable Map<String, Object> webhook() {
    if (onFinish == null) {
      if (onFinishSecret != null) {
        throw new ClientException(
            ExitCodes.USAGE, "--on-finish-secret is given without --on-finish");
      }
      return null;
    }
    return onFinishSecret == null
        ? Map.of("url", onFinish)
        : Map.of("url", onFinish, "secret_ref", "secret://" + onFinishSecret);
  }

  /** Labels as they are typed, or null if there are none. */
  static @Nullable Map<String, Object> labels(List<String> given) {
    Map<String, Object> pairs = pairs("--label", given, value -> value);
    for (String label : given) {
      int colon = label.indexOf(':');
      if (colon >= 0 && colon < label.indexOf('=')) {
        throw new ClientException(ExitCodes.USAGE, "--label " + label + ": a name holds no colon");
      }
    }
    return pairs;
  }

  /** What an option says that is given as {@code NAME=VALUE}, or null if it is not given. */
  private static @Nullable Map<String, Object> pairs(
      String option, List<String> given, Function<String, Object> reader) {
    Map<String, Object> pairs = new LinkedHashMap<>();
    for (String pair : given) {
      String[] parts = pair.split("=", 2);
      if (parts.length < 2 || parts[0].isEmpty()) {
        throw new ClientException(ExitCodes.USAGE, option + " " + pair + " is not NAME=VALUE");
      }
      try {
        if (pairs.putIfAbsent(parts[0], reader.apply(parts[1])) != null) {
          throw new ClientException(
              ExitCodes.USAGE, option + " gives " + parts[0] + " more than one value");
        }
      } catch (NumberFormatException e) {
        throw new ClientException(ExitCodes.USAGE, option + " " + pair + " is not a whole number");
      }
    }
    return pairs.isEmpty() ? null : pairs;
  }

  private static void put(Map<String, Object> body, String name, @Nullable Object value) {
    if (value != null) {
      body.put(name, value);
    }
  }

  private static String read(String file) {
    if (!file.equals("-")
        && Files.isDirectory(
            Path.of(file))) { // Java says so of the first read only, without a name
      throw new ClientException(ExitCodes.USAGE, "--stdin: " + file + ": is a directory");
    }
    try (InputStream in = file.equals("-") ? System.in : Files.newInputStream(Path.of(file))) {
      byte[] bytes = in.readNBytes(MOST_STDIN_BYTES + 1);
      if (bytes.length > MOST_STDIN_BYTES) {
        throw new ClientException(
            ExitCodes.USAGE,
            file + " has more than " + MOST_STDIN_BYTES + " bytes, the most that a job can hold");
      }
      return Typed.text(bytes, file.equals("-") ? "standard input" : file);
    } catch (IOException e) {
      throw new ClientException(ExitCodes.USAGE, "--stdin: " + FaultText.of(e));
    }
  }
}
