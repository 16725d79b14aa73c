package io.errand.console.schedules;

import io.errand.console.Words;
import io.errand.store.schedules.TickRow;
import java.time.Instant;

/**
 * A tick that was decided about.
 *
 * @param ticks how many it stands for
 * @param jobId of the job, or empty
 * @param jobState its state; empty where it has been removed
 * @param reason why there is no job, in words, or empty
 */
record TickLine(
    Instant at, long ticks, String jobId, String jobState, String reason, String detail) {
  static TickLine of(TickRow tick) {
    return new TickLine(
        tick.tickAt(),
        tick.ticks(),
        tick.jobId() == null ? "" : tick.jobId().toString(),
        tick.jobState() == null ? "" : tick.jobState(),
        tick.skipped() == null ? "" : tick.skipped().replace('_', ' '),
        Words.oneLine(tick.detail()));
  }
}
