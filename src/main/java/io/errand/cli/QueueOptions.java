package io.errand.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code errand queues update} changes of a queue: a merge patch. */
final class QueueOptions {
  @Option(
      names = "--max-running",
      paramLabel = "N",
      description = "At most so many of its jobs run at once, over all workers.")
  @Nullable Integer maxRunning;

  @Option(
      names = "--rate",
      paramLabel = "N",
      description = "At most so many of its jobs start per second, on average.")
  @Nullable String rate;

  @Option(
      names = "--burst",
      paramLabel = "N",
      description = "So many may start at once after a quiet time.")
  @Nullable String burst;

  @Option(
      names = "--weight",
      paramLabel = "N",
      description = "Its share of the slots against other queues, 0.001 to 1000 (1).")
  @Nullable String weight;

  @Option(
      names = "--max-depth",
      paramLabel = "N",
      description = "At most so many of its jobs wait.")
  @Nullable Integer maxDepth;

  @Option(
      names = "--max-ready-age",
      paramLabel = "SECONDS",
      description = "Its oldest ready job may wait so long.")
  @Nullable String maxReadyAge;

  @Option(
      names = "--overload",
      paramLabel = "WORD",
      description = "What a submit above these two gets: refuse or warn.")
  @Nullable String overload;

  @Option(
      names = "--hold-after-lost-workers",
      paramLabel = "N",
      description = "Hold a job that was alone on so many workers that were lost.")
  @Nullable Integer holdAfterLostWorkers;

  @Option(
      names = "--circuit-failure-ratio",
      paramLabel = "RATIO",
      description = "Open the circuit at this share of failed attempts, above 0, at most 1.")
  @Nullable String failureRatio;

  @Option(
      names = "--circuit-window",
      paramLabel = "SECONDS",
      description = "The sliding window of these attempts (60).")
  @Nullable String window;

  @Option(
      names = "--circuit-minimum-attempts",
      paramLabel = "N",
      description = "With fewer attempts in the window the circuit stays closed (10).")
  @Nullable Integer minimumAttempts;

  @Option(
      names = "--circuit-outcomes",
      paramLabel = "WORD,…",
      description = "The outcomes that count as failed.")
  @Nullable String outcomes;

  @Option(
      names = "--circuit-probe",
      paramLabel = "SECONDS",
      description = "From the opening to the first probe (10).")
  @Nullable String probe;

  @Option(
      names = "--circuit-max-probe",
      paramLabel = "SECONDS",
      description = "The longest time between two probes (600).")
  @Nullable String maxProbe;

  @Option(
      names = "--circuit-state",
      paramLabel = "WORD",
      description = "Open or close the circuit by hand: open or closed.")
  @Nullable String circuitState;

  @Option(
      names = "--default",
      paramLabel = "FIELD=VALUE",
      description =
          "A value for a field that a job of the queue does not name, such as timeout_seconds=60 or"
              + " limits.memory_bytes=100000000; may be repeated.")
  List<String> defaults = List.of();

  @Option(
      names = "--unset",
      paramLabel = "FIELD",
      description =
          "Restore the default of a field, such as max_running, circuit or"
              + " defaults.timeout_seconds; may be repeated.")
  List<String> unset = List.of();

  /** The merge patch. */
  Map<String, Object> body() {
    Map<String, Object> body = new LinkedHashMap<>();
    put(body, "max_running", maxRunning);
    put(body, "rate_per_second", number("--rate", rate));
    put(body, "burst", number("--burst", burst));
    put(body, "weight", number("--weight", weight));
    put(body, "max_depth", maxDepth);
    put(body, "max_ready_age_seconds", number("--max-ready-age", maxReadyAge));
    put(body, "overload", overload);
    put(body, "hold_after_lost_workers", holdAfterLostWorkers);
    put(body, "circuit.failure_ratio", number("--circuit-failure-ratio", failureRatio));
    put(body, "circuit.window_seconds", number("--circuit-window", window));
    put(body, "circuit.minimum_attempts", minimumAttempts);
    put(body, "circuit.outcomes", outcomes == null ? null : Arrays.asList(outcomes.split(",")));
    put(body, "circuit.probe_seconds", number("--circuit-probe", probe));
    put(body, "circuit.max_probe_seconds", number("--circuit-max-probe", maxProbe));
    put(body, "circuit.state", circuitState);
    for (String one : defaults) {
      int equals = one.indexOf('=');
      if (equals < 1) {
        throw new ClientException(ExitCodes.USAGE, "--default " + one + " is not FIELD=VALUE");
      }
      put(body, "defaults." + one.substring(0, equals), value(one.substring(equals + 1)));
    }
    for (String field : unset) {
      at(body, field, "--unset " + field).put(last(field), null);
    }
    if (body.isEmpty()) {
      throw new ClientException(ExitCodes.USAGE, "nothing to change; see --help for the options");
    }
    return body;
  }

  private static void put(Map<String, Object> body, String field, @Nullable Object value) {
    if (value != null) {
      Map<String, Object> object = at(body, field, field);
      if (object.containsKey(last(field))) {
        throw new ClientException(ExitCodes.USAGE, field + " is given more than one value");
      }
      object.put(last(field), value);
    }
  }

  private static String last(String field) {
    return field.substring(field.lastIndexOf('.') + 1);
  }

  /** The object that has the field, made where it is missing. */
  @SuppressWarnings("unchecked")
  private static Map<String, Object> at(Map<String, Object> body, String field, String words) {
    Map<String, Object> object = body;
    List<String> names = new ArrayList<>(Arrays.asList(field.split("\\.", -1)));
    names.remove(names.size() - 1);
    for (String name : names) {
      Object inner = object.computeIfAbsent(name, missing -> new LinkedHashMap<String, Object>());
      if (!(inner instanceof Map)) {
        throw new ClientException(ExitCodes.USAGE, words + ": " + name + " has another value too");
      }
      object = (Map<String, Object>) inner;
    }
    return object;
  }

  private static @Nullable Object number(String option, @Nullable String text) {
    if (text == null) {
      return null;
    }
    if (!text.matches("[0-9]{1,15}(\\.[0-9]{1,15})?")) {
      throw new ClientException(ExitCodes.USAGE, option + " " + text + " is not a number");
    }
    return Double.valueOf(text);
  }

  /** A number or a list of numbers where it looks like one, else a word. */
  private static Object value(String text) {
    if (text.matches("-?[0-9]{1,15}")) {
      return Long.valueOf(text);
    }
    if (text.matches("[0-9]{1,15}\\.[0-9]{1,15}")) {
      return Double.valueOf(text);
    }
    if (text.matches("[0-9]{1,3}(,[0-9]{1,3})+")) {
      return Arrays.stream(text.split(",")).map(Long::valueOf).toList();
    }
    return text;
  }
}
