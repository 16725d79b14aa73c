package io.errand.console.queues;

import io.errand.console.Words;
import io.errand.job.JobState;
import io.errand.store.queues.QueueReads.Event;
import io.errand.store.queues.QueueSettings;
import io.errand.store.queues.QueueSettings.Circuit;
import io.errand.store.queues.QueueStatus;
import io.errand.store.queues.QueueStatus.CircuitNow;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One queue with its settings.
 *
 * @param counts jobs by state
 * @param circuit its circuit breaker as it is set, or null
 * @param now what that does, or null
 * @param defaults fields that its jobs get, as JSON, or empty
 * @param policy what its jobs must keep to, as JSON, or empty
 * @param events what has happened, the newest first
 * @param fault what was wrong with the form, or null
 */
record QueueView(
    QueueLine line,
    List<Count> counts,
    QueueSettings settings,
    @Nullable Circuit circuit,
    @Nullable CircuitNow now,
    String defaults,
    String policy,
    List<EventLine> events,
    @Nullable String fault) {

  /** How many jobs are in a state. */
  record Count(String state, long jobs) {}

  /** What has happened to a queue. */
  record EventLine(Instant at, String event, String actor, String detail) {
    static EventLine of(Event event) {
      return new EventLine(
          event.at(),
          event.event().replace('_', ' '),
          Words.oneLine(event.actor()),
          Words.oneLine(event.detail()));
    }
  }

  static QueueView of(QueueStatus queue, List<Event> events, @Nullable String fault) {
    QueueSettings settings = queue.settings();
    return new QueueView(
        QueueLine.of(queue),
        Arrays.stream(JobState.values())
            .map(state -> new Count(state.wireName(), QueueLine.count(queue, state.wireName())))
            .toList(),
        settings,
        settings.circuit(),
        settings.circuit() == null ? null : queue.circuit(),
        settings.defaults().isEmpty() ? "" : settings.defaults().toPrettyString(),
        settings.policy() == null ? "" : settings.policy().toPrettyString(),
        events.stream().map(EventLine::of).toList(),
        fault);
  }

  /** A number of a setting, or nothing. */
  public String plain(@Nullable Double number) {
    return QueueLine.plain(number);
  }

  /** The number of a setting of the circuit breaker, or what it is unless it is set. */
  public String breaker(String name) {
    Circuit shown = circuit == null ? Circuit.standard(0.5) : circuit;
    return switch (name) {
      case "failure_ratio" -> plain(shown.failureRatio());
      case "window_seconds" -> plain(shown.windowSeconds());
      case "minimum_attempts" -> Integer.toString(shown.minimumAttempts());
      case "probe_seconds" -> plain(shown.probeSeconds());
      case "max_probe_seconds" -> plain(shown.maxProbeSeconds());
      default -> throw new IllegalArgumentException(name);
    };
  }

  /** Whether a submit above the limits is accepted all the same. */
  public boolean isWarning() {
    return settings.overload() == QueueSettings.OnOverload.WARN;
  }
}
