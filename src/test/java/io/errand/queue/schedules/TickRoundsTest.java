package io.errand.queue.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.api.submit.ScheduledBodies;
import io.errand.job.Access;
import io.errand.job.ProjectNames;
import io.errand.job.schedule.CatchUp;
import io.errand.job.schedule.Overlap;
import io.errand.job.schedule.Schedule;
import io.errand.job.schedule.Timing;
import io.errand.queue.JobIds;
import io.errand.queue.QueueRules;
import io.errand.queue.SealInputs;
import io.errand.store.Database;
import io.errand.store.control.ControlStore;
import io.errand.store.history.HistoryCheck;
import io.errand.store.schedules.ScheduleReads;
import io.errand.store.schedules.ScheduleStore;
import io.errand.store.schedules.ScheduleStore.Creation;
import io.errand.store.schedules.TickRow;
import io.errand.traces.Traces;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Ticks on a real database, with several schedulers at a time. The ticks are thirty days apart, so
 * that none comes while a test runs.
 */
class TickRoundsTest {
  private static final Access ME = Access.toOwn(ProjectNames.DEFAULT, "tester");
  private static final String JOB = "{\"command\": [\"true\"], \"env\": {\"K\": \"v\"}}";

  private Database database;
  private ScheduleStore store;
  private ScheduleReads reads;
  private ControlStore control;

  @BeforeEach
  void open() throws SQLException {
    database = Database.emptied();
    store = new ScheduleStore(database.dataSource());
    reads = new ScheduleReads(database.projectReads());
    control = new ControlStore(database.dataSource());
  }

  private static Schedule schedule(String cron, Overlap overlap, CatchUp catchUp) {
    return new Schedule(
        new Timing(cron, List.of(), "UTC", null, null), overlap, catchUp, 100, 0, false, JOB);
  }

  private void create(String name, Schedule schedule) throws SQLException {
    assertThat(store.create(UUID.randomUUID(), ME, name, schedule, 1_000))
        .isEqualTo(Creation.CREATED);
  }

  /** As if nobody had looked at the schedules for so long. */
  private void downFor(String interval) throws SQLException {
    database.execute(
        "UPDATE errand.schedules SET handled_until = next_tick_at - interval '"
            + interval
            + "' - interval '1 microsecond', next_tick_at = next_tick_at - interval '"
            + interval
            + "'");
  }

  private int round() throws SQLException {
    return TickRounds.round(
        database.dataSource(),
        new ScheduledBodies(() -> QueueRules.NONE),
        new JobIds(System::currentTimeMillis),
        SealInputs.NOT,
        new Traces(new SimpleMeterRegistry(), ""),
        new HashSet<>(),
        null);
  }

  private List<TickRow> ticks(String name) throws SQLException {
    UUID id = reads.find(ME, name).orElseThrow().row().id();
    return reads.ticks(id, "default", null, 5_000);
  }

  private List<String> outcomes(String name) throws SQLException {
    return ticks(name).stream()
        .map(tick -> tick.skipped() == null ? "job" : tick.skipped() + " " + tick.ticks())
        .toList();
  }

  private String jobs(String where) throws SQLException {
    return database.value("SELECT count(*) FROM errand.jobs WHERE " + where);
  }

  private void assertWhole() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      assertThat(HistoryCheck.check(connection, false).violations()).isEmpty();
    }
  }

  @Test
  void schedulersThatRaceMakeOneJobOfEveryTick() throws Exception {
    for (int i = 0; i < 12; i++) {
      create("s" + i, schedule("@every 30d", Overlap.QUEUE, CatchUp.ALL));
    }
    downFor("1200 days");
    ExecutorService schedulers = Executors.newFixedThreadPool(4);
    try {
      List<Future<Integer>> rounds =
          schedulers.invokeAll(
              Stream.<Callable<Integer>>generate(() -> this::round).limit(8).toList());
      int handled = 0;
      for (Future<Integer> one : rounds) {
        handled += one.get();
      }
      assertThat(handled).isEqualTo(12);
    } finally {
      schedulers.shutdown();
      assertThat(schedulers.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(round()).isZero();
    assertThat(jobs("true")).isEqualTo("480");
    assertThat(
            database.value(
                "SELECT count(*) FROM (SELECT DISTINCT schedule, scheduled_at FROM errand.jobs) d"))
        .isEqualTo("480");
    assertThat(
            database.value(
                "SELECT count(*) FROM errand.schedule_ticks t JOIN errand.jobs j ON j.id = t.job_id"
                    + " AND j.scheduled_at = t.tick_at WHERE t.skipped IS NULL"))
        .isEqualTo("480");
    assertWhole();
  }

  @Test
  void aJobOfAScheduleIsAsOneThatItsClientSubmits() throws SQLException {
    create("s", schedule("@every 30d", Overlap.SKIP, CatchUp.LATEST));
    downFor("30 days");
    assertThat(round()).isEqualTo(1);
    assertThat(
            database.value(
                "SELECT concat_ws(',', principal, schedule, command[1], env->>'K', state,"
                    + " concurrency_key IS NULL, idempotency_key IS NULL) FROM errand.jobs"))
        .isEqualTo("tester,s,true,v,queued,t,t");
    assertThat(database.value("SELECT actor FROM errand.job_events")).isEqualTo("client tester");
    assertThat(
            database.value(
                "SELECT next_tick_at - handled_until = interval '30 days' FROM errand.schedules"))
        .isEqualTo("t");
  }

  @Test
  void skipWaitsForTheEarlierJobAndSaysForWhich() throws SQLException {
    create("s", schedule("@every 30d", Overlap.SKIP, CatchUp.LATEST));
    downFor("90 days");
    round();
    String first = database.value("SELECT id FROM errand.jobs");
    downFor("30 days");
    database.execute("DELETE FROM errand.schedule_ticks"); // what was put back is to come again
    database.execute("UPDATE errand.jobs SET scheduled_at = scheduled_at - interval '9 hours'");
    round();
    assertThat(ticks("s"))
        .singleElement()
        .satisfies(tick -> assertThat(tick.skipped()).isEqualTo("overlap"))
        .satisfies(tick -> assertThat(tick.detail()).isEqualTo("job " + first + " is queued"));
    control.cancel(UUID.fromString(first), ME);
    database.execute("DELETE FROM errand.schedule_ticks");
    downFor("30 days");
    round();
    assertThat(outcomes("s")).containsExactly("job");
  }

  @Test
  void queueLetsRunsFollowOneAnotherAndIsBounded() throws SQLException {
    create("s", schedule("@every 30d", Overlap.QUEUE, CatchUp.ALL));
    store.change(
        ME,
        "s",
        old ->
            new Schedule(
                old.schedule().timing(),
                Overlap.QUEUE,
                CatchUp.ALL,
                150,
                0,
                false,
                old.schedule().job()));
    downFor("6000 days");
    round();
    String id = reads.find(ME, "s").orElseThrow().row().id().toString();
    assertThat(jobs("concurrency_key = 'schedule:" + id + "'")).isEqualTo("100");
    assertThat(outcomes("s")).filteredOn("job"::equals).hasSize(100);
    assertThat(outcomes("s")).filteredOn("overlap 1"::equals).hasSize(50);
    assertThat(outcomes("s").get(150)).isEqualTo("missed 50");
    assertWhole();
  }

  @Test
  void replaceCancelsTheEarlierJobAndWaitsForItsEnd() throws SQLException {
    create("s", schedule("@every 30d", Overlap.REPLACE, CatchUp.ALL));
    downFor("60 days");
    round();
    assertThat(outcomes("s")).containsExactly("job", "job");
    assertThat(
            database.value(
                "SELECT string_agg(state || coalesce(' ' || reason, ''), ', ' ORDER BY scheduled_at)"
                    + " FROM errand.jobs"))
        .isEqualTo("cancelled cancelled, queued");
    assertThat(jobs("concurrency_key LIKE 'schedule:%'")).isEqualTo("2");
    assertWhole();
  }

  @Test
  void aDowntimeIsCaughtUpAsTheScheduleSays() throws SQLException {
    create("none", schedule("@every 30d", Overlap.QUEUE, CatchUp.NONE));
    create("latest", schedule("@every 30d", Overlap.QUEUE, CatchUp.LATEST));
    create("all", schedule("@every 30d", Overlap.QUEUE, CatchUp.ALL));
    downFor("150 days");
    round();
    assertThat(outcomes("none")).containsExactly("missed 5");
    assertThat(outcomes("latest")).containsExactly("job", "missed 4");
    assertThat(outcomes("all")).containsExactly("job", "job", "job", "job", "job");
    assertWhole();
  }

  @Test
  void ticksOfAPauseAreRecordedAndNotCaughtUp() throws SQLException {
    create("s", schedule("@every 30d", Overlap.QUEUE, CatchUp.ALL));
    store.change(ME, "s", old -> paused(old.schedule(), true));
    downFor("150 days");
    assertThat(round()).isZero();
    store.change(ME, "s", old -> paused(old.schedule(), false));
    assertThat(round()).isZero();
    assertThat(outcomes("s")).containsExactly("paused 5");
    assertThat(database.value("SELECT next_tick_at > now() FROM errand.schedules")).isEqualTo("t");
  }

  private static Schedule paused(Schedule old, boolean paused) {
    return new Schedule(
        old.timing(), old.overlap(), old.catchUp(), old.catchUpLimit(), 0, paused, old.job());
  }

  @Test
  void anotherCronOrZoneNeverReplaysThePast() throws SQLException {
    create("s", schedule("@every 30d", Overlap.QUEUE, CatchUp.ALL));
    downFor("90 days");
    store.change(ME, "s", old -> schedule("@every 1m", Overlap.QUEUE, CatchUp.ALL));
    assertThat(round()).isZero();
    assertThat(outcomes("s")).containsExactly("changed 3");
    Instant next = reads.find(ME, "s").orElseThrow().row().nextTickAt();
    store.change(ME, "s", old -> schedule("@every 1m", Overlap.SKIP, CatchUp.NONE));
    assertThat(reads.find(ME, "s").orElseThrow().row().nextTickAt())
        .as("where only other things are changed, it stays")
        .isEqualTo(next);
  }

  @Test
  void aRefusedJobIsRecordedAndTheScheduleGoesOn() throws SQLException {
    create("s", schedule("@every 30d", Overlap.QUEUE, CatchUp.ALL));
    database.execute("UPDATE errand.schedules SET job = '{\"command\": [], \"what\": 1}'");
    downFor("60 days");
    round();
    assertThat(outcomes("s")).containsExactly("submit_refused 1", "submit_refused 1");
    assertThat(ticks("s").get(0).detail()).contains("job.what is not a known field");
    assertThat(jobs("true")).isEqualTo("0");
    database.execute("UPDATE errand.schedules SET job = '" + JOB + "'");
    database.execute("DELETE FROM errand.schedule_ticks");
    downFor("30 days");
    round();
    assertThat(outcomes("s")).containsExactly("job");
  }

  @Test
  void theDatabaseRefusesASecondJobOfATick() throws SQLException {
    create("s", schedule("@every 30d", Overlap.QUEUE, CatchUp.ALL));
    downFor("60 days");
    round();
    assertThat(jobs("true")).isEqualTo("2");
    // As if somebody had put the row back by hand: the ticks and their record are gone.
    downFor("60 days");
    database.execute("DELETE FROM errand.schedule_ticks");
    round();
    assertThat(jobs("true")).isEqualTo("2");
    assertThat(ticks("s"))
        .hasSize(2)
        .allSatisfy(tick -> assertThat(tick.skipped()).isEqualTo("submit_refused"))
        .allSatisfy(tick -> assertThat(tick.detail()).endsWith("SQLSTATE 23505"));
    assertThatThrownBy(
            () ->
                database.execute(
                    "UPDATE errand.jobs SET scheduled_at = (SELECT max(scheduled_at) FROM errand.jobs)"))
        .hasMessageContaining("jobs_of_ticks");
  }

  @Test
  void aClockThatStepsBackRepeatsNothing() throws SQLException {
    create("s", schedule("@every 30d", Overlap.QUEUE, CatchUp.ALL));
    downFor("30 days");
    round();
    // The same to the schedule as a clock that was put back: its next tick moves away.
    database.execute(
        "UPDATE errand.schedules SET handled_until = handled_until + interval '60 days',"
            + " next_tick_at = next_tick_at + interval '60 days'");
    database.execute("UPDATE errand.jobs SET scheduled_at = scheduled_at + interval '60 days'");
    assertThat(round()).isZero();
    Instant handled = reads.find(ME, "s").orElseThrow().row().handledUntil();
    store.change(ME, "s", old -> schedule("@every 1m", Overlap.QUEUE, CatchUp.ALL));
    assertThat(reads.find(ME, "s").orElseThrow().row().nextTickAt()).isAfter(handled);
    store.delete(ME, "s");
    create("s", schedule("@every 1m", Overlap.QUEUE, CatchUp.ALL));
    assertThat(reads.find(ME, "s").orElseThrow().row().nextTickAt())
        .as("one that is made anew begins behind the jobs that there are")
        .isEqualTo(handled.plusSeconds(60));
  }

  @Test
  void aScheduleThatFailsHoldsUpNoOther() throws SQLException {
    create("bad", schedule("@every 30d", Overlap.QUEUE, CatchUp.LATEST));
    downFor("30 days");
    create("good", schedule("@every 30d", Overlap.QUEUE, CatchUp.LATEST));
    downFor("30 days");
    database.execute(
        "UPDATE errand.schedules SET cron = '0 * * * *', zone = 'Nowhere/Land' WHERE name = 'bad'");
    assertThat(round()).isEqualTo(1);
    assertThat(outcomes("good").get(0)).isEqualTo("job");
    assertThat(ticks("bad")).isEmpty();
  }

  @Test
  void jitterDelaysTheStartAndNotTheTick() throws SQLException {
    create(
        "s",
        new Schedule(
            new Timing("@every 30d", List.of(), "UTC", null, null),
            Overlap.QUEUE,
            CatchUp.ALL,
            100,
            600,
            false,
            JOB));
    downFor("1500 days");
    round();
    assertThat(jobs("run_at BETWEEN scheduled_at AND scheduled_at + interval '600 seconds'"))
        .isEqualTo("50");
    assertThat(database.value("SELECT count(DISTINCT run_at - scheduled_at) > 10 FROM errand.jobs"))
        .isEqualTo("t");
  }

  @Test
  void aThousandTicksAreKept() throws SQLException {
    create("s", schedule("@every 30d", Overlap.QUEUE, CatchUp.LATEST));
    database.execute(
        "INSERT INTO errand.schedule_ticks (schedule_id, tick_at, last_tick_at, ticks, skipped)"
            + " SELECT id, t, t, 1, 'paused' FROM errand.schedules,"
            + " generate_series(now() - interval '90 days', now() - interval '40 days',"
            + " interval '1 hour') AS t");
    downFor("30 days");
    round();
    assertThat(ticks("s")).hasSize(1_000).first().extracting(TickRow::skipped).isNull();
  }

  @Test
  void aCallerHasNoMoreSchedulesThanItMayHaveAlsoWhereItMakesThemAtOnce() throws Exception {
    ExecutorService callers = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Creation>> creates = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        String name = "s" + i;
        creates.add(
            () ->
                store.create(
                    UUID.randomUUID(),
                    ME,
                    name,
                    schedule("@daily", Overlap.SKIP, CatchUp.NONE),
                    5));
      }
      List<Creation> answers = new ArrayList<>();
      for (Future<Creation> one : callers.invokeAll(creates)) {
        answers.add(one.get());
      }
      assertThat(answers).filteredOn(Creation.CREATED::equals).hasSize(5);
      assertThat(answers).filteredOn(Creation.TOO_MANY::equals).hasSize(7);
    } finally {
      callers.shutdown();
    }
    assertThat(reads.list(ME, "", 100)).hasSize(5);
    assertThat(reads.list(Access.toOwn(ProjectNames.DEFAULT, "another"), "", 100)).isEmpty();
    Schedule past =
        new Schedule(
            new Timing(null, List.of(Instant.EPOCH), "UTC", null, null),
            Overlap.SKIP,
            CatchUp.NONE,
            1,
            0,
            false,
            JOB);
    assertThat(store.create(UUID.randomUUID(), Access.toOwn("another", "another"), "p", past, 5))
        .isEqualTo(Creation.NO_TICK);
  }

  @Test
  void theAuditorFindsTicksThatDoNotFit() throws SQLException {
    create("s", schedule("@every 30d", Overlap.QUEUE, CatchUp.ALL));
    downFor("90 days");
    round();
    assertWhole();
    database.execute(
        "UPDATE errand.schedule_ticks SET job_id = (SELECT max(job_id::text)::uuid FROM"
            + " errand.schedule_ticks)");
    try (Connection connection = database.dataSource().getConnection()) {
      assertThat(HistoryCheck.check(connection, false).violations())
          .allSatisfy(one -> assertThat(one.rule()).isEqualTo("S1 one tick, one job"))
          .extracting(HistoryCheck.Violation::detail)
          .anySatisfy(detail -> assertThat(detail).isEqualTo("is the job of 3 ticks"))
          .anySatisfy(detail -> assertThat(detail).contains("which is not recorded"))
          .anySatisfy(detail -> assertThat(detail).contains("is recorded for tick"));
    }
  }
}
