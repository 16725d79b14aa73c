package io.errand.queue.schedules;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.api.submit.ScheduledBodies;
import io.errand.job.Access;
import io.errand.job.schedule.CatchUp;
import io.errand.job.schedule.Overlap;
import io.errand.job.schedule.Schedule;
import io.errand.job.schedule.Timing;
import io.errand.queue.JobIds;
import io.errand.queue.QueueRules;
import io.errand.queue.SealInputs;
import io.errand.store.Database;
import io.errand.store.schedules.ScheduleStore;
import io.errand.store.schedules.ScheduleStore.Creation;
import io.errand.traces.Traces;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Projects take turns where many ticks are due. */
class TickTurnsTest {
  private final Database database = emptied();

  private static Database emptied() {
    try {
      return Database.emptied();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void create(String project, String name) throws SQLException {
    Schedule schedule =
        new Schedule(
            new Timing("@every 30d", List.of(), "UTC", null, null),
            Overlap.SKIP,
            CatchUp.ALL,
            100,
            0,
            false,
            "{\"command\": [\"true\"]}");
    assertThat(
            new ScheduleStore(database.dataSource())
                .create(
                    UUID.randomUUID(), Access.toOwn(project, project + "-er"), name, schedule, 100))
        .isEqualTo(Creation.CREATED);
  }

  @Test
  void theManyTicksOfOneProjectDelayThoseOfOthersByOneAtMost() throws SQLException {
    for (int i = 0; i < 40; i++) {
      create("default", "s" + i);
    }
    database.execute("INSERT INTO errand.projects (name) VALUES ('quiet') ON CONFLICT DO NOTHING");
    create("quiet", "mine");
    create("quiet", "too");
    // The ticks of the one project have been due for longer.
    database.execute(
        "UPDATE errand.schedules SET handled_until = next_tick_at - interval '31 days',"
            + " next_tick_at = next_tick_at - interval '30 days'"
            + " - CASE project WHEN 'default' THEN interval '1 hour' ELSE interval '0' END");
    TickRounds.round(
        database.dataSource(),
        new ScheduledBodies(() -> QueueRules.NONE),
        new JobIds(System::currentTimeMillis),
        SealInputs.NOT,
        new Traces(new SimpleMeterRegistry(), ""),
        new HashSet<>(),
        null);
    assertThat(
            database.value(
                "SELECT string_agg(place::text, ',' ORDER BY place) FROM ("
                    + "SELECT project, row_number() OVER (ORDER BY id) AS place FROM errand.jobs) j"
                    + " WHERE project = 'quiet'"))
        .isEqualTo("2,4");
    assertThat(database.value("SELECT count(*) FROM errand.jobs")).isEqualTo("42");
  }
}
