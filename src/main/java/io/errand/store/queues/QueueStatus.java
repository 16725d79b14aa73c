package io.errand.store.queues;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A queue at this moment.
 *
 * @param name of the queue
 * @param settings what an operator has decided
 * @param circuit what its circuit breaker does, null where it has none
 * @param counts jobs by state, every state named
 * @param oldestReadySeconds how long the oldest job that could run has waited, null where none
 * @param tokens how many jobs its rate lets through at once, null where it has no rate
 * @param defaultsBytes how many characters its defaults and policy have
 */
public record QueueStatus(
    String name,
    QueueSettings settings,
    @Nullable CircuitNow circuit,
    Map<String, Long> counts,
    @Nullable Double oldestReadySeconds,
    @Nullable Double tokens,
    int defaultsBytes) {

  /**
   * A circuit breaker at this moment.
   *
   * @param state closed, open or half_open
   * @param openedByHand whether it stays open until it is closed by hand
   * @param changedAt when it came into this state, null where it always was
   * @param nextProbeAt from when the next probe may run, null where none is due
   * @param probes since it opened
   * @param attempts in the window
   * @param failures among them
   */
  public record CircuitNow(
      String state,
      boolean openedByHand,
      @Nullable Instant changedAt,
      @Nullable Instant nextProbeAt,
      int probes,
      long attempts,
      long failures) {}
}
