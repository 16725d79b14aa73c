package io.errand.console.jobs;

import io.errand.store.operations.Operation;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A change of many jobs, and how far it is.
 *
 * @param total how many jobs there were, or null where they could not be counted
 * @param handled how many have been looked at
 */
record OperationView(
    String id,
    String kind,
    String state,
    String filter,
    @Nullable Long total,
    long handled,
    long done,
    long skipped,
    long errors,
    String detail,
    Instant createdAt,
    @Nullable Instant finishedAt,
    boolean isFinal) {
  static OperationView of(Operation operation) {
    return new OperationView(
        operation.id().toString(),
        operation.kind(),
        operation.state(),
        operation.filter().toString(),
        operation.total(),
        operation.done() + operation.skipped() + operation.errors(),
        operation.done(),
        operation.skipped(),
        operation.errors(),
        operation.detail() == null ? "" : operation.detail(),
        operation.createdAt(),
        operation.finishedAt(),
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

  /** How much is done, of {@link #total}. */
  public long most() {
    return total == null || total == 0 ? Math.max(1, handled) : Math.max(total, handled);
  }
}
