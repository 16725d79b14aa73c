package io.errand.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The server says which field of a request is wrong; who typed a command knows its options. So a
 * refusal contains their names.
 */
final class OptionNames {
  private static final Map<String, String> OF_JOB =
      Map.ofEntries(
          Map.entry("queue", "--queue"),
          Map.entry("priority", "--priority"),
          Map.entry("run_at", "--run-at"),
          Map.entry("expires_at", "--expires-at"),
          Map.entry("env", "--env"),
          Map.entry("labels", "--label"),
          Map.entry("run", "--named"),
          Map.entry("parameters", "--parameter"),
          Map.entry("stdin", "--stdin"),
          Map.entry("working_directory", "--cwd"),
          Map.entry("timeout_seconds", "--timeout"),
          Map.entry("kill_grace_seconds", "--kill-grace"),
          Map.entry("max_attempts", "--max-attempts"),
          Map.entry("on_lost", "--on-lost"),
          Map.entry("concurrency_key", "--concurrency-key"),
          Map.entry("concurrency_limit", "--concurrency-limit"),
          Map.entry("after", "--after"),
          Map.entry("on_dependency_failure", "--on-dependency-failure"),
          Map.entry("limits", "--limit"),
          Map.entry("user", "--user"),
          Map.entry("sandbox.writable", "--writable"),
          Map.entry("sandbox", "--sandbox"),
          Map.entry("stdout_limit_bytes", "--stdout-limit"),
          Map.entry("stderr_limit_bytes", "--stderr-limit"),
          Map.entry("on_finish.url", "--on-finish"),
          Map.entry("on_finish.secret_ref", "--on-finish-secret"),
          Map.entry("Idempotency-Key", "--key"));

  private static final Map<String, String> OF_SCHEDULE = new HashMap<>(OF_JOB);

  static {
    OF_SCHEDULE.put("cron", "--cron");
    OF_SCHEDULE.put("times", "--at");
    OF_SCHEDULE.put("zone", "--zone");
    OF_SCHEDULE.put("overlap", "--overlap");
    OF_SCHEDULE.put("catch_up", "--catch-up");
    OF_SCHEDULE.put("catch_up_limit", "--catch-up-limit");
    OF_SCHEDULE.put("jitter_seconds", "--jitter");
    OF_SCHEDULE.put("starts_at", "--starts-at");
    OF_SCHEDULE.put("ends_at", "--ends-at");
  }

  private static final Map<String, String> OF_LIST =
      Map.ofEntries(
          Map.entry("state", "--state"),
          Map.entry("queue", "--queue"),
          Map.entry("label", "--label"),
          Map.entry("q", "--search"),
          Map.entry("reason", "--reason"),
          Map.entry("worker", "--worker"),
          Map.entry("concurrency_key", "--concurrency-key"),
          Map.entry("schedule", "--schedule"),
          Map.entry("principal", "--principal"),
          Map.entry("created_after", "--created-after"),
          Map.entry("created_before", "--created-before"),
          Map.entry("page_size", "--limit"));

  private static final Map<String, String> OF_KEY =
      Map.of(
          "role", "--role",
          "name", "NAME",
          "expires_at", "--expires-at",
          "grace_seconds", "--grace");

  private static final Map<String, String> OF_PROJECT =
      Map.of("free_commands", "--free-commands", "max_waiting", "--max-waiting");

  private static final Map<String, String> OF_QUEUE =
      Map.ofEntries(
          Map.entry("max_running", "--max-running"),
          Map.entry("rate_per_second", "--rate"),
          Map.entry("burst", "--burst"),
          Map.entry("weight", "--weight"),
          Map.entry("max_depth", "--max-depth"),
          Map.entry("max_ready_age_seconds", "--max-ready-age"),
          Map.entry("overload", "--overload"),
          Map.entry("hold_after_lost_workers", "--hold-after-lost-workers"),
          Map.entry("circuit.failure_ratio", "--circuit-failure-ratio"),
          Map.entry("circuit.window_seconds", "--circuit-window"),
          Map.entry("circuit.minimum_attempts", "--circuit-minimum-attempts"),
          Map.entry("circuit.outcomes", "--circuit-outcomes"),
          Map.entry("circuit.probe_seconds", "--circuit-probe"),
          Map.entry("circuit.max_probe_seconds", "--circuit-max-probe"),
          Map.entry("circuit.state", "--circuit-state"));

  private static final Map<String, String> OF_BULK =
      Map.ofEntries(
          Map.entry("filter.state", "--state"),
          Map.entry("filter.queue", "--queue"),
          Map.entry("filter.labels", "--label"),
          Map.entry("filter.reason", "--reason"),
          Map.entry("filter.q", "--id-prefix"),
          Map.entry("filter.created_after", "--created-after"),
          Map.entry("filter.created_before", "--created-before"),
          Map.entry("filter.worker", "--worker"),
          Map.entry("filter.concurrency_key", "--concurrency-key"),
          Map.entry("filter.schedule", "--schedule"),
          Map.entry("filter.principal", "--principal"),
          Map.entry("filter", "--filter"),
          Map.entry("expected_count", "--expected-count"),
          Map.entry("set.priority", "--priority"),
          Map.entry("set.queue", "--to-queue"),
          Map.entry("set.run_at", "--run-at"),
          Map.entry("priority", "--priority"),
          Map.entry("queue", "--to-queue"),
          Map.entry("run_at", "--run-at"));

  private static final Pattern INDEX = Pattern.compile("\\[[0-9]+\\]");

  /** A field's name that is no word of the language. */
  private static final Pattern NAME = Pattern.compile("[a-z]+(?:_[a-z]+)+|Idempotency-Key");

  private OptionNames() {}

  /** A refusal of a submit. */
  static ClientException ofJob(ClientException refusal) {
    ClientException renamed = renamed(refusal, OF_JOB);
    String text = String.valueOf(renamed.getMessage());
    return new ClientException(
        renamed.exitCode(),
        text.replace("with another body", "with another command or other options"));
  }

  /** A refusal of a change of a queue. */
  static ClientException ofQueue(ClientException refusal) {
    return renamed(refusal, OF_QUEUE);
  }

  /** A refusal about a key. */
  static ClientException ofKey(ClientException refusal) {
    return renamed(refusal, OF_KEY);
  }

  /** A refusal of a change of a project. */
  static ClientException ofProject(ClientException refusal) {
    return renamed(refusal, OF_PROJECT);
  }

  /** A refusal of a schedule, whose job has fields of its own. */
  static ClientException ofSchedule(ClientException refusal) {
    List<ClientException.FieldError> errors =
        refusal.errors().stream()
            .map(
                error ->
                    new ClientException.FieldError(
                        error.field().replaceFirst("^job\\.", ""), error.message()))
            .toList();
    return renamed(
        new ClientException(refusal.exitCode(), String.valueOf(refusal.getMessage()), errors),
        OF_SCHEDULE);
  }

  /** A refusal of a list. */
  static ClientException ofList(ClientException refusal) {
    return renamed(refusal, OF_LIST);
  }

  /** A refusal of a change, of one job or of many. */
  static ClientException ofBulk(ClientException refusal) {
    return renamed(refusal, OF_BULK);
  }

  private static ClientException renamed(ClientException refusal, Map<String, String> options) {
    List<ClientException.FieldError> errors = refusal.errors();
    String text =
        errors.isEmpty()
            ? inText(String.valueOf(refusal.getMessage()), options)
            : String.join(
                "; ",
                errors.stream()
                    .map(error -> option(error.field(), options) + inText(error.message(), options))
                    .toList());
    return new ClientException(refusal.exitCode(), text);
  }

  /** The option that gives a field, and where the field is one of many, which. */
  private static String option(String field, Map<String, String> options) {
    String plain = INDEX.matcher(field).replaceAll("");
    String option = options.get(plain);
    if (option != null) {
      return option + " ";
    }
    int dot = plain.indexOf('.');
    String whole = dot < 0 ? null : options.get(plain.substring(0, dot));
    return whole == null ? field + ": " : whole + " " + plain.substring(dot + 1) + " ";
  }

  private static String inText(String text, Map<String, String> options) {
    return NAME.matcher(text)
        .replaceAll(
            found -> Matcher.quoteReplacement(options.getOrDefault(found.group(), found.group())));
  }
}
