package io.errand.store.schedules;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code schedule_ticks}.
 *
 * @param tickAt the tick, or the first of several that were skipped
 * @param lastTickAt the last of them
 * @param ticks how many
 * @param jobId the job of the tick, or null if it was skipped
 * @param jobState the state of this job by wire name, null where it is gone or there is none
 * @param skipped why there is no job, or null
 * @param detail one line for people, or null
 * @param handledAt when it was decided
 */
public record TickRow(
    Instant tickAt,
    Instant lastTickAt,
    long ticks,
    @Nullable UUID jobId,
    @Nullable String jobState,
    @Nullable String skipped,
    @Nullable String detail,
    Instant handledAt) {}
