package io.errand.console.schedules;

import io.errand.store.schedules.ScheduleReads.Read;
import io.errand.store.schedules.ScheduleRow;
import java.time.Instant;
import java.util.List;

/**
 * One schedule.
 *
 * @param row as it is stored
 * @param next its next ticks
 * @param job what it submits, as JSON without secrets
 * @param ticks a page of its past ticks, the newest first
 * @param older what the address of the next page asks for, or empty
 */
record ScheduleView(
    ScheduleLine line,
    ScheduleRow row,
    List<Next> next,
    String job,
    List<TickLine> ticks,
    String older) {
  private static final int NEXT = 5;

  /**
   * A tick to come.
   *
   * @param local in the zone of the schedule
   */
  record Next(Instant at, String local) {}

  static ScheduleView of(Read read, String job, List<TickLine> ticks, String older) {
    String zone = read.row().schedule().timing().zone();
    return new ScheduleView(
        ScheduleLine.of(read),
        read.row(),
        ScheduleLine.next(read.row(), NEXT).stream()
            .map(tick -> new Next(tick, ScheduleLine.local(tick, zone)))
            .toList(),
        job,
        ticks,
        older);
  }
}
