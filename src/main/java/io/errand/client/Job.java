package io.errand.client;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A job as the server has answered it.
 *
 * @param fields all of it, by the names of the API; a job of a list is without its output
 */
public record Job(Map<String, Object> fields) {
  private static final Set<String> FINAL = Set.of("succeeded", "failed", "cancelled");

  /** Its id, a UUID. */
  public String id() {
    return text("id");
  }

  /** {@code queued}, {@code running}, {@code retrying}, {@code held}, or one of the final ones. */
  public String state() {
    return text("state");
  }

  /** Whether it has finished: {@code succeeded}, {@code failed} or {@code cancelled}. */
  public boolean isFinal() {
    return FINAL.contains(state());
  }

  /** Whether it has finished well. */
  public boolean hasSucceeded() {
    return state().equals("succeeded");
  }

  /** Why it is in this state, such as {@code exit_code}, if there is more to say. */
  public Optional<String> reason() {
    return optional("reason");
  }

  /** The queue it is in. */
  public String queue() {
    return text("queue");
  }

  /** The number of the latest attempt; 0 before the first. */
  public int attempt() {
    return (int) number("attempt");
  }

  /** How the latest attempt ended, from 0 to 255, if it ended by itself. */
  public OptionalInt exitCode() {
    return fields.get("exit_code") instanceof Number code
        ? OptionalInt.of(code.intValue())
        : OptionalInt.empty();
  }

  /** The signal that ended the latest attempt, such as {@code SIGKILL}. */
  public Optional<String> signal() {
    return optional("signal");
  }

  /** The kept text of the latest attempt; {@link ErrandClient#output} brings the bytes. */
  public String stdout() {
    return text("stdout");
  }

  /** The same of its other stream. */
  public String stderr() {
    return text("stderr");
  }

  /** How many bytes of stdout the server has not kept. */
  public long stdoutDroppedBytes() {
    return number("stdout_dropped_bytes");
  }

  /** How many bytes of stderr the server has not kept. */
  public long stderrDroppedBytes() {
    return number("stderr_dropped_bytes");
  }

  /** When it was submitted. */
  public Optional<Instant> createdAt() {
    return optional("created_at").map(Instant::parse);
  }

  /** When it has finished. */
  public Optional<Instant> finishedAt() {
    return optional("finished_at").map(Instant::parse);
  }

  private String text(String field) {
    return optional(field).orElse("");
  }

  private Optional<String> optional(String field) {
    return Optional.ofNullable(fields.get(field)).map(Object::toString);
  }

  private long number(String field) {
    return fields.get(field) instanceof Number number ? number.longValue() : 0;
  }
}
