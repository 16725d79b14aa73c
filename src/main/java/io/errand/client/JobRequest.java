package io.errand.client;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a job is to be. It is not changed: each method gives another one. The server checks the
 * values, and what is not named has the default of the queue or of the server.
 */
public final class JobRequest {
  private final Map<String, Object> fields;

  private JobRequest(Map<String, Object> fields) {
    this.fields = Collections.unmodifiableMap(fields);
  }

  /** A command: the program and its arguments. No shell reads it. */
  public static JobRequest command(String... command) {
    return command(List.of(command));
  }

  /** The same from a list. */
  public static JobRequest command(List<String> command) {
    return new JobRequest(Map.of("command", List.copyOf(command)));
  }

  /** A command of the catalogue, with values for its parameters. */
  public static JobRequest named(String name, Map<String, ?> parameters) {
    return new JobRequest(Map.of("run", name, "parameters", Map.copyOf(parameters)));
  }

  /** The queue it goes into. */
  public JobRequest queue(String name) {
    return with("queue", name);
  }

  /** −100 to 100; higher runs first. */
  public JobRequest priority(int priority) {
    return with("priority", priority);
  }

  /** Not before this time, to the microsecond. */
  public JobRequest runAt(Instant time) {
    return with("run_at", time.toString());
  }

  /** The text that the command reads. */
  public JobRequest stdin(String text) {
    return with("stdin", text);
  }

  /** One variable of its environment. */
  public JobRequest env(String name, String value) {
    return withMember("env", name, value);
  }

  /** One label. */
  public JobRequest label(String name, String value) {
    return withMember("labels", name, value);
  }

  /** How long one attempt may take, to the millisecond. */
  public JobRequest timeout(Duration timeout) {
    return with("timeout_seconds", timeout.toMillis() / 1_000.0);
  }

  /** How many attempts it has at most, from 1. */
  public JobRequest maxAttempts(int attempts) {
    return with("max_attempts", attempts);
  }

  /** How many bytes of each stream are kept, at most 1 MiB. */
  public JobRequest outputLimit(int bytes) {
    return with("stdout_limit_bytes", bytes).with("stderr_limit_bytes", bytes);
  }

  /**
   * Any field of a job by its name in the API.
   *
   * @param value as {@link Json#write} takes it
   */
  public JobRequest with(String field, Object value) {
    Map<String, Object> all = new LinkedHashMap<>(fields);
    all.put(field, value);
    return new JobRequest(all);
  }

  private JobRequest withMember(String field, String name, String value) {
    Map<String, Object> members = new LinkedHashMap<>();
    if (fields.get(field) instanceof Map<?, ?> known) {
      known.forEach((key, old) -> members.put(String.valueOf(key), old));
    }
    members.put(name, value);
    return with(field, members);
  }

  /** The body of the request. */
  public Map<String, Object> fields() {
    return fields;
  }
}
