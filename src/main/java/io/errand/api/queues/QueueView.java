package io.errand.api.queues;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.request.WireTime;
import io.errand.job.ProjectNames;
import io.errand.store.queues.QueueSettings;
import io.errand.store.queues.QueueSettings.Circuit;
import io.errand.store.queues.QueueStatus;
import io.errand.store.queues.QueueStatus.CircuitNow;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A queue on the wire. */
@JsonNaming(SnakeCaseStrategy.class)
record QueueView(
    String name,
    boolean paused,
    @Nullable Integer maxRunning,
    @Nullable Double ratePerSecond,
    @Nullable Double burst,
    @Nullable Double tokens,
    double weight,
    @Nullable Long maxDepth,
    @Nullable Double maxReadyAgeSeconds,
    String overload,
    @Nullable Integer holdAfterLostWorkers,
    @Nullable CircuitView circuit,
    JsonNode defaults,
    @Nullable JsonNode policy,
    Map<String, Long> counts,
    long running,
    @Nullable Double oldestReadySeconds) {

  static QueueView of(QueueStatus queue) {
    QueueSettings settings = queue.settings();
    Double rate = settings.ratePerSecond();
    return new QueueView(
        ProjectNames.shownQueue(queue.name()),
        settings.paused(),
        settings.maxRunning(),
        rate,
        settings.burst() == null && rate != null
            ? Double.valueOf(Math.max(1, rate))
            : settings.burst(),
        queue.tokens(),
        settings.weight(),
        settings.maxDepth(),
        settings.maxReadyAgeSeconds(),
        settings.overload().wireName(),
        settings.holdAfterLostWorkers(),
        CircuitView.of(settings.circuit(), queue.circuit()),
        settings.defaults(),
        settings.policy(),
        queue.counts(),
        queue.counts().getOrDefault("running", 0L),
        queue.oldestReadySeconds());
  }

  /** A circuit breaker on the wire. */
  @JsonNaming(SnakeCaseStrategy.class)
  record CircuitView(
      String state,
      double failureRatio,
      double windowSeconds,
      int minimumAttempts,
      List<String> outcomes,
      double probeSeconds,
      double maxProbeSeconds,
      boolean openedByHand,
      @Nullable String changedAt,
      @Nullable String nextProbeAt,
      int probes,
      long attempts,
      long failures) {

    static @Nullable CircuitView of(@Nullable Circuit settings, @Nullable CircuitNow now) {
      return settings == null || now == null
          ? null
          : new CircuitView(
              now.state(),
              settings.failureRatio(),
              settings.windowSeconds(),
              settings.minimumAttempts(),
              settings.outcomes(),
              settings.probeSeconds(),
              settings.maxProbeSeconds(),
              now.openedByHand(),
              WireTime.format(now.changedAt()),
              WireTime.format(now.nextProbeAt()),
              now.probes(),
              now.attempts(),
              now.failures());
    }
  }
}
