package io.errand.console.queues;

import io.errand.job.ProjectNames;
import io.errand.store.queues.QueueSettings;
import io.errand.store.queues.QueueStatus;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A queue as it is shown.
 *
 * @param name as its project knows it
 * @param circuit closed, open or half_open, or empty where it has no circuit breaker
 * @param waiting jobs that are queued or retrying
 * @param oldest seconds that the oldest ready job has waited, or null
 * @param limits in words, or empty
 */
record QueueLine(
    String name,
    boolean isPaused,
    String circuit,
    long waiting,
    long running,
    long held,
    long failed,
    @Nullable Integer maxRunning,
    @Nullable Double oldest,
    String limits) {
  static QueueLine of(QueueStatus queue) {
    QueueSettings settings = queue.settings();
    return new QueueLine(
        ProjectNames.shownQueue(queue.name()),
        settings.paused(),
        queue.circuit() == null || settings.circuit() == null ? "" : queue.circuit().state(),
        count(queue, "queued") + count(queue, "retrying"),
        count(queue, "running"),
        count(queue, "held"),
        count(queue, "failed"),
        settings.maxRunning(),
        queue.oldestReadySeconds(),
        limits(settings));
  }

  static long count(QueueStatus queue, String state) {
    return queue.counts().getOrDefault(state, 0L);
  }

  private static String limits(QueueSettings settings) {
    List<String> words = new ArrayList<>();
    if (settings.maxRunning() != null) {
      words.add(settings.maxRunning() + " at once");
    }
    if (settings.ratePerSecond() != null) {
      words.add(plain(settings.ratePerSecond()) + " per second");
    }
    if (settings.maxDepth() != null) {
      words.add(settings.maxDepth() + " may wait");
    }
    if (settings.weight() != 1) {
      words.add("weight " + plain(settings.weight()));
    }
    return String.join(", ", words);
  }

  /** A number without an exponent, or nothing. */
  static String plain(@Nullable Double number) {
    return number == null ? "" : BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
  }

  /** The state as a class of the style sheet has it. */
  public String tone() {
    return switch (circuit) {
      case "open" -> "failed";
      case "half_open" -> "retrying";
      default -> isPaused ? "held" : "succeeded";
    };
  }

  /** The state in words. */
  public String state() {
    String breaker =
        switch (circuit) {
          case "open" -> "circuit open";
          case "half_open" -> "probing";
          default -> "";
        };
    return isPaused
        ? breaker.isEmpty() ? "paused" : "paused, " + breaker
        : breaker.isEmpty() ? "active" : breaker;
  }
}
