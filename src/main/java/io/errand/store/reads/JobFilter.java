package io.errand.store.reads;

import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which jobs are wanted; null and empty mean all.
 *
 * @param state by wire name
 * @param queue by name
 * @param schedule by name
 * @param reason by wire name
 * @param worker the name of that of the latest attempt
 * @param concurrencyKey as its project knows it
 * @param principal who submitted it
 * @param labels each must be there with this value
 * @param text the beginning of an id, or a part of the command
 * @param createdAfter exclusive
 * @param createdBefore exclusive
 * @param oldestFirst else the newest come first
 */
public record JobFilter(
    @Nullable String state,
    @Nullable String queue,
    @Nullable String schedule,
    @Nullable String reason,
    @Nullable String worker,
    @Nullable String concurrencyKey,
    @Nullable String principal,
    Map<String, String> labels,
    @Nullable String text,
    @Nullable Instant createdAfter,
    @Nullable Instant createdBefore,
    boolean oldestFirst) {

  /** Where a page ended: the next one begins behind this job. */
  public record Position(Instant createdAt, UUID id) {}

  /** The same jobs in the other order. */
  public JobFilter turned() {
    return new JobFilter(
        state,
        queue,
        schedule,
        reason,
        worker,
        concurrencyKey,
        principal,
        labels,
        text,
        createdAfter,
        createdBefore,
        !oldestFirst);
  }

  /**
   * Whether it has a member that no index answers, so that a page looks at a bounded number of jobs
   * and the next one goes on there. A text is none of them: it is searched in the newest jobs only.
   */
  public boolean isScanned() {
    return text == null
        && (reason != null || worker != null || concurrencyKey != null || principal != null);
  }

  /** Whether a job that was found is still in the state, and has the reason and the worker. */
  public boolean stillHolds(JobEntity job) {
    return (state == null || state.equals(job.state))
        && (reason == null || reason.equals(job.reason))
        && (worker == null || worker.equals(job.worker));
  }
}
