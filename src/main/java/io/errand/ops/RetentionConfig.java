package io.errand.ops;

import io.errand.job.JobState;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Optional;

/** How long finished jobs are kept. */
@ConfigMapping(prefix = "errand")
public interface RetentionConfig {
  /** Days that a job is kept after it reached a final state, may have decimals; 0 is for ever. */
  @WithDefault("30")
  double retentionDays();

  /** The same for succeeded jobs alone. */
  Optional<Double> retentionDaysSucceeded();

  /** The same for failed jobs alone. */
  Optional<Double> retentionDaysFailed();

  /** The same for cancelled jobs alone. */
  Optional<Double> retentionDaysCancelled();

  /** Days that the id and the key of a removed job are remembered, above 0. */
  @WithDefault("30")
  double retentionKeyDays();

  /** Days that an operation is kept after it has ended, above 0. */
  @WithDefault("7")
  double retentionOperationDays();

  /** Days that rows of the audit are kept, may have decimals; 0 is for ever. */
  @WithDefault("365")
  double retentionAuditDays();

  /** How often old jobs are looked for. */
  @WithDefault("60s")
  String retentionInterval();

  /** How long jobs of a final state are kept, in days; 0 is for ever. */
  default double daysOf(JobState state) {
    Optional<Double> own =
        switch (state) {
          case SUCCEEDED -> retentionDaysSucceeded();
          case FAILED -> retentionDaysFailed();
          case CANCELLED -> retentionDaysCancelled();
          case QUEUED, RUNNING, RETRYING, HELD -> Optional.of(0.0);
        };
    return own.orElseGet(this::retentionDays);
  }

  /**
   * Refuses settings that make no sense.
   *
   * @throws IllegalArgumentException with a sentence that says what to do
   */
  default void check() {
    for (JobState state : JobState.values()) {
      if (!(daysOf(state) >= 0 && daysOf(state) <= 36_500)) {
        throw new IllegalArgumentException(
            "ERRAND_RETENTION_DAYS for "
                + state.wireName()
                + " jobs is "
                + daysOf(state)
                + "; set it to a number between 0 (for ever) and 36500");
      }
    }
    checkAboveZero("ERRAND_RETENTION_KEY_DAYS", retentionKeyDays());
    checkAboveZero("ERRAND_RETENTION_OPERATION_DAYS", retentionOperationDays());
    if (!(retentionAuditDays() >= 0 && retentionAuditDays() <= 36_500)) {
      throw new IllegalArgumentException(
          "ERRAND_RETENTION_AUDIT_DAYS is "
              + retentionAuditDays()
              + "; set it to a number between 0 (for ever) and 36500");
    }
  }

  private static void checkAboveZero(String name, double days) {
    if (!(days > 0 && days <= 36_500)) {
      throw new IllegalArgumentException(
          name + " is " + days + "; set it to a number above 0, at most 36500");
    }
  }
}
