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
    Map<String, String> labels,
    @Nullable String text,
    @Nullable Instant createdAfter,
    @Nullable Instant createdBefore,
    boolean oldestFirst) {

  /** Where a page ended: the next one begins behind this job. */
  public record Position(Instant createdAt, UUID id) {}
}
