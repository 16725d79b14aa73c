package io.errand.store.queues;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.store.PolicyJson;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What an operator decides about a queue. What is null is no such limit.
 *
 * @param paused whether its jobs wait
 * @param maxRunning how many of its jobs run at once, over all workers
 * @param ratePerSecond how many of its jobs are claimed per second, on average
 * @param burst how many may be claimed at once after a quiet time
 * @param weight its share of the slots of a worker against other queues, above 0
 * @param defaults fields of a job as an object of JSON, for jobs that do not name them
 * @param maxDepth how many jobs may wait
 * @param maxReadyAgeSeconds how long its oldest ready job may have waited
 * @param overload what a submit above either gets
 * @param holdAfterLostWorkers a job is held once so many workers were lost with it alone
 * @param circuit its circuit breaker, null where it has none
 * @param policy what its jobs must keep to as an object of JSON, null where to nothing
 */
public record QueueSettings(
    boolean paused,
    @Nullable Integer maxRunning,
    @Nullable Double ratePerSecond,
    @Nullable Double burst,
    double weight,
    JsonNode defaults,
    @Nullable Long maxDepth,
    @Nullable Double maxReadyAgeSeconds,
    OnOverload overload,
    @Nullable Integer holdAfterLostWorkers,
    @Nullable Circuit circuit,
    @Nullable JsonNode policy) {

  /** What a queue has that nobody has set. */
  public static final QueueSettings NONE =
      new QueueSettings(
          false,
          null,
          null,
          null,
          1,
          PolicyJson.MAPPER.createObjectNode(),
          null,
          null,
          OnOverload.REFUSE,
          null,
          null,
          null);

  /** What a submit gets that a limit of the queue does not admit. */
  public enum OnOverload {
    /** It is refused. */
    REFUSE,
    /** It is accepted, and its answer has a header. */
    WARN;

    /** The name on the wire and in the database. */
    public String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The one with this wire name. */
    public static OnOverload of(String wireName) {
      return valueOf(wireName.toUpperCase(Locale.ROOT));
    }
  }

  /**
   * When a circuit breaker opens and how it probes.
   *
   * @param failureRatio it opens once this share of the attempts has failed, above 0, at most 1
   * @param windowSeconds length of the sliding window
   * @param minimumAttempts with fewer in the window it stays closed
   * @param outcomes what counts as failed, by wire name
   * @param probeSeconds from the opening to the first probe; doubled with each that fails
   * @param maxProbeSeconds the longest time between two probes
   */
  public record Circuit(
      double failureRatio,
      double windowSeconds,
      int minimumAttempts,
      List<String> outcomes,
      double probeSeconds,
      double maxProbeSeconds) {

    /** Takes a copy. */
    public Circuit {
      outcomes = List.copyOf(outcomes);
    }

    /** What members have that are not named. */
    public static Circuit standard(double failureRatio) {
      return new Circuit(
          failureRatio,
          60,
          10,
          List.of("exit_code", "signal", "timeout", "out_of_memory", "spawn_failed"),
          10,
          600);
    }
  }

  /** The columns that {@link #read} needs. */
  static final String COLUMNS =
      """
      paused, max_running, rate_per_second, burst, weight, defaults::text AS defaults, max_depth,
      max_ready_age_seconds, overload, hold_after_lost_workers, circuit_failure_ratio,
      circuit_window_seconds, circuit_minimum_attempts, circuit_outcomes, circuit_probe_seconds,
      circuit_max_probe_seconds, policy::text AS policy
      """;

  /** The settings in this row. */
  static QueueSettings read(ResultSet row) throws SQLException {
    String policy = row.getString("policy");
    Double ratio = row.getObject("circuit_failure_ratio", Double.class);
    return new QueueSettings(
        row.getBoolean("paused"),
        row.getObject("max_running", Integer.class),
        row.getObject("rate_per_second", Double.class),
        row.getObject("burst", Double.class),
        row.getDouble("weight"),
        PolicyJson.read(row.getString("defaults")),
        row.getObject("max_depth", Long.class),
        row.getObject("max_ready_age_seconds", Double.class),
        OnOverload.of(row.getString("overload")),
        row.getObject("hold_after_lost_workers", Integer.class),
        ratio == null
            ? null
            : new Circuit(
                ratio,
                row.getDouble("circuit_window_seconds"),
                row.getInt("circuit_minimum_attempts"),
                List.of((String[]) row.getArray("circuit_outcomes").getArray()),
                row.getDouble("circuit_probe_seconds"),
                row.getDouble("circuit_max_probe_seconds")),
        policy == null ? null : PolicyJson.read(policy));
  }
}
