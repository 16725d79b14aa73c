package io.errand.console.queues;

import io.errand.console.Words;
import io.errand.job.JobState;
import io.errand.store.queues.QueueReads.Event;
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
 * @param now what that does, or null
 * @param events what has happened, the newest first
 * @param depth over the last day
 * @param form its settings, as they are or as they were typed
 */
record QueueView(
    QueueLine line,
    List<Count> counts,
    @Nullable CircuitNow now,
    double windowSeconds,
    List<EventLine> events,
    QueueForm form,
    DepthView depth) {

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

  static QueueView of(QueueStatus queue, List<Event> events, QueueForm form, DepthView depth) {
    Circuit circuit = queue.settings().circuit();
    return new QueueView(
        QueueLine.of(queue),
        Arrays.stream(JobState.values())
            .map(state -> new Count(state.wireName(), QueueLine.count(queue, state.wireName())))
            .toList(),
        circuit == null ? null : queue.circuit(),
        circuit == null ? 0 : circuit.windowSeconds(),
        events.stream().map(EventLine::of).toList(),
        form,
        depth);
  }

  /** The length of the window that attempts are counted in. */
  public String window() {
    return QueueLine.plain(windowSeconds);
  }
}
