package io.errand.store.schedules;

import io.errand.job.Access;
import io.errand.job.schedule.Schedule;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code schedules}.
 *
 * @param id of the schedule
 * @param project which it belongs to
 * @param principal who made it, and whose its jobs are
 * @param name which is unique in its project
 * @param schedule what it is to do
 * @param createdAt when it was made
 * @param updatedAt when it was last changed by a client
 * @param handledUntil every tick up to this time has been decided about
 * @param nextTickAt the first tick after that, or null if there is none
 * @param now the time of the database when the row was read
 */
public record ScheduleRow(
    UUID id,
    String project,
    String principal,
    String name,
    Schedule schedule,
    Instant createdAt,
    Instant updatedAt,
    Instant handledUntil,
    @Nullable Instant nextTickAt,
    Instant now) {
  /** What its jobs may see: what its maker has submitted. */
  public Access access() {
    return Access.toOwn(project, principal);
  }
}
