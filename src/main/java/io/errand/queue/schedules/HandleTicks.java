package io.errand.queue.schedules;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.job.Call;
import io.errand.job.JobSpec;
import io.errand.job.schedule.DueTicks;
import io.errand.job.schedule.Overlap;
import io.errand.queue.Fingerprint;
import io.errand.queue.JobIds;
import io.errand.queue.SealInputs;
import io.errand.queue.schedules.JobBodies.Body;
import io.errand.secrets.Unreadable;
import io.errand.store.Notifications;
import io.errand.store.schedules.DueSchedule;
import io.errand.store.schedules.DueSchedule.Unfinished;
import io.errand.store.schedules.ScheduleRow;
import io.errand.store.schedules.Skipped;
import io.errand.store.submit.NewJob;
import io.errand.traces.SubmitSpan;
import io.errand.traces.Traces;
import java.sql.SQLException;
import java.time.Instant;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Decides about the ticks of one schedule that are due, and carries it out in one transaction. */
final class HandleTicks {
  /** How many jobs of one schedule may wait for each other, and how many are replaced at once. */
  private static final int MOST_UNFINISHED = 100;

  private static final double MICROS = 1e6;

  private final JobBodies bodies;
  private final JobIds ids;
  private final SealInputs seals;
  private final Traces traces;
  private final DueSchedule due;
  private final ScheduleRow row;
  private final Map<UUID, SubmitSpan> spans = new LinkedHashMap<>(); // of jobs that are submitted
  private final Set<Notifications.Topic> topics = EnumSet.noneOf(Notifications.Topic.class);

  HandleTicks(JobBodies bodies, JobIds ids, SealInputs seals, Traces traces, DueSchedule due) {
    this.traces = traces;
    this.bodies = bodies;
    this.ids = ids;
    this.seals = seals;
    this.due = due;
    this.row = due.row();
  }

  /**
   * Handles them.
   *
   * @return what others are to be notified of
   */
  Set<Notifications.Topic> handle() throws SQLException {
    Instant first = row.nextTickAt();
    if (first == null) {
      return topics; // it was not locked for nothing, and this is for the compiler
    }
    DueTicks ticks = DueTicks.of(row.schedule(), first, row.now());
    Instant last = first;
    if (ticks.missed() != null) {
      due.skip(ticks.missed(), Skipped.MISSED, null);
      last = ticks.missed().last();
    }
    for (Instant tick : ticks.run()) {
      run(tick);
      last = tick;
    }
    due.commit(last, ticks.next());
    spans.forEach((job, span) -> span.end("accepted", job));
    return topics;
  }

  private void run(Instant tick) throws SQLException {
    Overlap overlap = row.schedule().overlap();
    List<Unfinished> unfinished = due.unfinished(MOST_UNFINISHED);
    if (overlap == Overlap.SKIP && !unfinished.isEmpty()) {
      Unfinished one = unfinished.get(0);
      due.skip(tick, Skipped.OVERLAP, "job " + one.id() + " is " + one.state());
      return;
    }
    if (overlap == Overlap.QUEUE && unfinished.size() == MOST_UNFINISHED) {
      due.skip(tick, Skipped.OVERLAP, MOST_UNFINISHED + " jobs of this schedule have not finished");
      return;
    }
    JsonNode body = inClear(ScheduledBody.of(row, runAt(tick)));
    Body read = bodies.read(row.project(), body);
    JobSpec spec = read.spec();
    if (spec == null) {
      due.skip(tick, Skipped.SUBMIT_REFUSED, String.join("; ", read.faults()));
      return;
    }
    SubmitSpan span = traces.submit(Call.NONE, spec.queue());
    if (span.isRecorded()) {
      span.link(due.lastTrace());
    }
    NewJob job =
        seals.seal(
            new NewJob(ids.next(), spec, row.access(), null, Fingerprint.of(body).hex())
                .of(row.name(), tick)
                .by(span.call()));
    String refusal = due.submit(tick, job);
    if (refusal != null) {
      due.skip(tick, Skipped.SUBMIT_REFUSED, refusal);
      return;
    }
    spans.put(job.id(), span);
    topics.add(Notifications.Topic.READY);
    if (overlap == Overlap.REPLACE) {
      for (Unfinished one : unfinished) {
        due.cancel(one.id());
        topics.add(Notifications.Topic.ATTENTION);
        topics.add(Notifications.Topic.FINISHED);
      }
    }
  }

  /** Another server may have the key that this one lacks, so the tick is not skipped. */
  private JsonNode inClear(JsonNode body) {
    try {
      return seals.openBody(row.id(), body);
    } catch (Unreadable e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  /** When the job of a tick may start: at once, or after a part of the jitter. */
  private @Nullable Instant runAt(Instant tick) {
    double jitter = row.schedule().jitterSeconds();
    return jitter == 0
        ? null
        : tick.plusNanos(
            1_000 * ThreadLocalRandom.current().nextLong(1 + (long) (jitter * MICROS)));
  }
}
