package io.errand.console.fleet;

import io.errand.console.Words;
import io.errand.store.operations.Operation;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A change of many jobs in a list.
 *
 * @param filter which jobs, as JSON, shortened
 * @param total how many jobs there were, or null where they could not be counted
 */
record OperationLine(
    String id,
    String kind,
    String state,
    String filter,
    @Nullable Long total,
    long done,
    long skipped,
    long errors,
    String detail,
    Instant createdAt,
    boolean isFinal) {
  static OperationLine of(Operation operation) {
    return new OperationLine(
        operation.id().toString(),
        operation.kind(),
        operation.state(),
        Words.oneLine(operation.filter().toString()),
        operation.total(),
        operation.done(),
        operation.skipped(),
        operation.errors(),
        Words.oneLine(operation.detail()),
        operation.createdAt(),
        operation.isFinal());
  }

  /** A class of the style sheet. */
  public String tone() {
    return switch (state) {
      case "finished" -> errors > 0 ? "failed" : "succeeded";
      case "failed" -> "failed";
      case "stopped" -> "cancelled";
      default -> "running";
    };
  }

  /** How many jobs have been looked at. */
  public long handled() {
    return done + skipped + errors;
  }

  /** How many that will be at the end, as far as it is known; 1 at least. */
  public long most() {
    return Math.max(1, Math.max(total == null ? 0 : total, handled()));
  }
}
