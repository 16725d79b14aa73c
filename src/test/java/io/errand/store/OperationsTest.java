package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.ProjectNames;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.control.JobUpdate;
import io.errand.store.history.HistoryCheck;
import io.errand.store.operations.BulkFilter;
import io.errand.store.operations.Operation;
import io.errand.store.operations.OperationKind;
import io.errand.store.operations.OperationReads;
import io.errand.store.operations.OperationSteps;
import io.errand.store.operations.OperationStore;
import io.errand.store.operations.OperationStore.Count;
import io.errand.store.operations.OperationStore.Creation;
import io.errand.store.submit.NewJob;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Bulk changes, step by step, against a real PostgreSQL. */
class OperationsTest extends OperationsFixture {
  private static final int MANY = 1_234;

  /** Jobs that have failed, without a run of each. */
  private void failMany(int jobs) throws SQLException {
    submitMany(jobs, 3);
    for (int left = jobs; left > 0; ) {
      List<ClaimedJob> claimed = claim(left);
      completes.complete(
          claimed.stream().map(one -> ended(one, Outcome.EXIT_CODE, 64)).toList(), "worker w");
      left -= claimed.size();
    }
  }

  private OperationStore.Request request(
      OperationKind kind,
      BulkFilter filter,
      @Nullable JobUpdate set,
      @Nullable Long expected,
      @Nullable String key,
      String fingerprint) {
    return new OperationStore.Request(
        UUID.randomUUID(), ME, kind, filter, set, expected, key, fingerprint);
  }

  private UUID begin(OperationKind kind, BulkFilter filter, @Nullable JobUpdate set)
      throws SQLException {
    Creation creation = operations.create(request(kind, filter, set, null, null, HASH));
    assertThat(creation).isInstanceOf(Creation.Created.class);
    return ((Creation.Created) creation).operation().id();
  }

  private UUID begin(OperationKind kind) throws SQLException {
    return begin(kind, BulkFilter.all(), null);
  }

  /** Makes the next step without the pause before it. */
  private OperationSteps.Step step(UUID id, int mostJobs) throws SQLException {
    database.execute("UPDATE errand.operations SET next_step_at = '-infinity'");
    return steps.step(id, mostJobs);
  }

  private Operation finish(UUID id) throws SQLException {
    for (int i = 0; i < 100 && !find(id).isFinal(); i++) {
      step(id, OperationSteps.MOST_JOBS);
    }
    return find(id);
  }

  private String counted() throws SQLException {
    return database.value(
        "SELECT string_agg(queue || ' ' || state || ' ' || n, ', ' ORDER BY queue, state) FROM ("
            + "SELECT queue, state, count(*) AS n FROM errand.jobs GROUP BY 1, 2) AS c");
  }

  private void assertSound() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      assertThat(HistoryCheck.check(connection, false).violations()).isEmpty();
    }
  }

  @Test
  void aCancelTakesAllThatMatchInBoundedStepsAndAsksForThoseThatRun() throws SQLException {
    submitMany(MANY, 3);
    List<ClaimedJob> running = claim(3);
    completes.complete(List.of(ended(running.get(0), Outcome.SUCCESS, 0)), "worker w");
    completes.complete(List.of(ended(running.get(1), Outcome.LOST, null)), "rescuer");
    UUID id = begin(OperationKind.CANCEL);
    assertThat(find(id).total()).isEqualTo(MANY - 1);
    OperationSteps.Step first = step(id, 500);
    assertThat(first.jobs()).isEqualTo(500);
    assertThat(first.ended()).isFalse();
    assertThat(database.value("SELECT count(*) FROM errand.jobs WHERE state = 'cancelled'"))
        .isIn("499", "498");
    Operation end = finish(id);
    assertThat(end.state()).isEqualTo("finished");
    assertThat(end.done()).isEqualTo(MANY - 1);
    assertThat(end.skipped()).isZero();
    assertThat(counted())
        .isEqualTo("default cancelled " + (MANY - 2) + ", default running 1, default succeeded 1");
    assertThat(
            database.value(
                "SELECT DISTINCT actor FROM errand.job_events WHERE reason LIKE 'cancel%'"))
        .isEqualTo("client " + ME.principal() + ", operation " + id);
    assertThat(stateOf(running.get(2).id())).isEqualTo("running");
    completes.complete(List.of(ended(running.get(2), Outcome.SIGNAL, null)), "worker w");
    assertThat(stateOf(running.get(2).id())).isEqualTo("cancelled:cancelled");
    assertSound();
  }

  @Test
  void aStepWhoseSessionIsKilledHasChangedNothingAndTheNextGoesOnFromTheSamePlace()
      throws Exception {
    failMany(MANY);
    UUID id = begin(OperationKind.RETRY);
    step(id, 500);
    assertThat(find(id).done()).isEqualTo(500);
    try (Connection other = database.dataSource().getConnection();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("LOCK TABLE errand.idempotency_keys IN EXCLUSIVE MODE"); // stops the step
      CompletableFuture<OperationSteps.Step> killed =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return step(id, 500);
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      await()
          .atMost(Duration.ofMinutes(1))
          .until(
              () ->
                  !database
                      .value(
                          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                              + " WHERE wait_event_type = 'Lock' AND query LIKE '%wanted%'")
                      .isEmpty());
      assertThatThrownBy(() -> killed.get(60, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class);
      other.rollback();
    }
    assertThat(find(id).done()).isEqualTo(500);
    Operation end = finish(id);
    assertThat(end.done()).isEqualTo(MANY);
    assertThat(
            database.value(
                "SELECT count(*) || ' ' || count(DISTINCT retry_of) FROM errand.jobs"
                    + " WHERE retry_of IS NOT NULL AND state = 'queued'"))
        .isEqualTo(MANY + " " + MANY);
    assertSound();
  }

  @Test
  void stepsOfManyProcessesAtTheSameTimeRetryEachJobOnce() throws Exception {
    failMany(MANY);
    UUID id = begin(OperationKind.RETRY);
    List<CompletableFuture<Integer>> runners = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      runners.add(
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  int made = 0;
                  while (!find(id).isFinal()) {
                    made += step(id, 50).made() ? 1 : 0;
                  }
                  return made;
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              }));
    }
    int made = 0;
    for (CompletableFuture<Integer> runner : runners) {
      made += runner.get(120, TimeUnit.SECONDS);
    }
    assertThat(made).isEqualTo(MANY / 50 + 1);
    assertThat(find(id).done()).isEqualTo(MANY);
    assertThat(
            database.value(
                "SELECT count(*) || ' ' || count(DISTINCT retry_of) || ' '"
                    + " || count(DISTINCT idempotency_key) FROM errand.jobs WHERE retry_of IS NOT NULL"))
        .isEqualTo(MANY + " " + MANY + " " + MANY);
    assertThat(
            database.value(
                "SELECT count(*) FROM errand.jobs r JOIN errand.jobs j ON j.id = r.retry_of"
                    + " WHERE r.command = j.command AND r.env = j.env AND r.stdin = j.stdin"
                    + " AND r.labels = j.labels AND substr(r.id::text, 15, 1) = '7'"))
        .isEqualTo("" + MANY);
    assertSound();
  }

  @Test
  void aStepEndsBeforeAJobThatAnotherTransactionHasLocked() throws SQLException {
    List<UUID> ids = List.of(submit(), submit(), submit(), submit());
    UUID id = begin(OperationKind.CANCEL);
    try (Connection other = database.dataSource().getConnection();
        Statement claim = other.createStatement()) {
      other.setAutoCommit(false);
      claim.execute("SELECT FROM errand.jobs WHERE id = '" + ids.get(2) + "' FOR UPDATE");
      assertThat(step(id, 500).jobs()).isEqualTo(2);
      assertThatThrownBy(() -> step(id, 500)).isInstanceOf(SQLException.class); // it has waited
      assertThat(find(id).done()).isEqualTo(2);
      claim.execute(
          "UPDATE errand.jobs SET state = 'cancelled', reason = 'expired', finished_at = now()"
              + " WHERE id = '"
              + ids.get(2)
              + "'");
      other.commit();
    }
    Operation end = finish(id);
    assertThat(end.done()).isEqualTo(3);
    assertThat(end.skipped()).isEqualTo(1);
    assertThat(stateOf(ids.get(2))).isEqualTo("cancelled:expired");
    assertThat(stateOf(ids.get(3))).isEqualTo("cancelled:cancelled");
  }

  @Test
  void jobsThatCameOrFinishedAfterTheBeginningAreLeftAlone() throws SQLException {
    UUID waiting = submit();
    UUID cancelled = submit();
    control.cancel(cancelled, ME);
    UUID cancel = begin(OperationKind.CANCEL);
    UUID later = submit();
    assertThat(finish(cancel).done()).isEqualTo(1);
    assertThat(stateOf(waiting)).isEqualTo("cancelled:cancelled");
    assertThat(stateOf(later)).isEqualTo("queued");
    UUID delete = begin(OperationKind.DELETE);
    control.cancel(later, ME);
    assertThat(finish(delete).done()).isEqualTo(2);
    assertThat(stateOf(later)).isEqualTo("cancelled:cancelled");
    assertSound();
  }

  @Test
  void aJobThatChangedMeanwhileCountsAsSkipped() throws SQLException {
    submitMany(3, 3);
    UUID id = begin(OperationKind.RELEASE, BulkFilter.all().in(JobState.HELD), null);
    assertThat(finish(id).total()).isZero();
    for (ClaimedJob claimed : claim(3)) {
      completes.complete(List.of(ended(claimed, Outcome.LOST, null)), "rescuer");
    }
    UUID release = begin(OperationKind.RELEASE);
    control.cancel(
        UUID.fromString(database.value("SELECT id FROM errand.jobs ORDER BY created_at, id")), ME);
    Operation end = finish(release);
    assertThat(end.total()).isEqualTo(3);
    assertThat(end.done()).isEqualTo(2);
    assertThat(end.skipped()).isEqualTo(1);
    assertThat(counted()).isEqualTo("default cancelled 1, default queued 2");
    assertSound();
  }

  @Test
  void anUpdateMovesJobsWithTheirCountsAndLeavesAnEventOfWhatItChanged() throws SQLException {
    submitMany(700, 3);
    UUID held = claim(1).get(0).id();
    database.execute("UPDATE errand.jobs SET run_at = '2026-01-01Z' WHERE state = 'queued'");
    Instant then = Instant.parse("2030-01-01T00:00:00Z");
    UUID id = begin(OperationKind.UPDATE, BulkFilter.all(), new JobUpdate(7, "other", then, false));
    assertThat(finish(id).done()).isEqualTo(699);
    assertThat(counted()).isEqualTo("default running 1, other queued 699");
    assertThat(
            database.value(
                "SELECT DISTINCT priority || ' ' || run_at FROM errand.jobs WHERE state = 'queued'"))
        .isEqualTo("7 2030-01-01 00:00:00+00");
    assertThat(
            database.value(
                "SELECT DISTINCT from_state || ' ' || to_state || ' ' || actor || ': ' || detail"
                    + " FROM errand.job_events WHERE detail IS NOT NULL"))
        .isEqualTo(
            "queued queued client "
                + ME.principal()
                + ", operation "
                + id
                + ": priority 0 to 7, queue default to other, run_at 2026-01-01T00:00:00.000000Z"
                + " to 2030-01-01T00:00:00.000000Z");
    assertSound();
    UUID same = begin(OperationKind.UPDATE, BulkFilter.all(), new JobUpdate(7, null, null, false));
    assertThat(finish(same).done()).isEqualTo(699);
    assertThat(database.value("SELECT count(*) FROM errand.job_events WHERE detail IS NOT NULL"))
        .isEqualTo("699");
    assertThat(stateOf(held)).isEqualTo("running");
  }

  @Test
  void aDeleteLeavesTheTraceThatRetentionLeaves() throws SQLException {
    NewJob keyed = job(spec(3, OnLost.RETRY, null, null), "the key", HASH);
    submit(keyed);
    completes.complete(List.of(ended(claim(1).get(0), Outcome.SUCCESS, 0)), "worker w");
    failMany(10);
    UUID id = begin(OperationKind.DELETE, BulkFilter.all().in(JobState.SUCCEEDED), null);
    assertThat(finish(id).done()).isEqualTo(1);
    assertThat(counted()).isEqualTo("default failed 10");
    assertThat(database.value("SELECT id || ' ' || idempotency_key FROM errand.removed_jobs"))
        .isEqualTo(keyed.id() + " the key");
    assertThat(database.value("SELECT count(*) FROM errand.attempts")).isEqualTo("10");
    assertSound();
  }

  @Test
  void eachMemberOfAFilterNarrowsAndSurvivesItsJsonForm() throws SQLException {
    UUID failed = submit();
    completes.complete(List.of(ended(claim(1).get(0), Outcome.EXIT_CODE, 64)), "worker w");
    UUID keyed = submit(spec(3, OnLost.RETRY, "tenant", null));
    control.update(keyed, ME, new JobUpdate(null, "q", null, false));
    Instant past = Instant.parse("2000-01-01T00:00:00Z");
    Instant future = Instant.parse("2099-01-01T00:00:00Z");
    BulkFilter all = BulkFilter.all();
    assertThat(count(OperationKind.CANCEL, all)).isEqualTo(1);
    assertThat(count(OperationKind.RETRY, all)).isEqualTo(1);
    assertThat(count(OperationKind.CANCEL, filter("q", Map.of(), null, null))).isEqualTo(1);
    assertThat(count(OperationKind.CANCEL, filter("r", Map.of(), null, null))).isZero();
    Map<String, String> label = Map.of("team", "media");
    assertThat(count(OperationKind.CANCEL, filter(null, label, null, null))).isEqualTo(1);
    assertThat(count(OperationKind.CANCEL, filter(null, Map.of("team", "x"), null, null))).isZero();
    assertThat(count(OperationKind.CANCEL, filter(null, label, past, future))).isEqualTo(1);
    assertThat(count(OperationKind.CANCEL, filter(null, label, future, null))).isZero();
    assertThat(count(OperationKind.CANCEL, filter(null, label, null, past))).isZero();
    assertThat(count(OperationKind.RETRY, others(List.of(failed), "exit_code", "w", null)))
        .isEqualTo(1);
    assertThat(count(OperationKind.RETRY, others(List.of(keyed), "exit_code", "w", null))).isZero();
    assertThat(count(OperationKind.RETRY, others(List.of(failed), "timeout", "w", null))).isZero();
    assertThat(count(OperationKind.RETRY, others(List.of(failed), "exit_code", "v", null)))
        .isZero();
    BulkFilter ofKey =
        new BulkFilter(
            Set.of(JobState.QUEUED),
            null,
            Map.of(),
            keyed.toString().substring(0, 13),
            null,
            null,
            List.of(),
            List.of(),
            null,
            "tenant",
            null,
            null);
    assertThat(count(OperationKind.CANCEL, ofKey)).isEqualTo(1);
    assertThat(finish(begin(OperationKind.CANCEL, ofKey, null)).done()).isEqualTo(1);
    UUID retry =
        begin(OperationKind.RETRY, others(List.of(failed, keyed), "exit_code", "w", null), null);
    assertThat(finish(retry).done()).isEqualTo(1);
    assertThat(
            operations
                .count(OperationKind.CANCEL, all, Access.toOwn(ProjectNames.DEFAULT, "another"))
                .orElseThrow())
        .isEqualTo(new Count(0, false));
  }

  private long count(OperationKind kind, BulkFilter filter) throws SQLException {
    assertThat(BulkFilter.of(filter.toJson())).isEqualTo(filter);
    return operations.count(kind, filter, ME).orElseThrow().jobs();
  }

  private static BulkFilter filter(
      @Nullable String queue,
      Map<String, String> labels,
      @Nullable Instant after,
      @Nullable Instant before) {
    return new BulkFilter(
        Set.of(), queue, labels, null, after, before, List.of(), List.of(), null, null, null, null);
  }

  private static BulkFilter others(
      List<UUID> ids, String reason, String worker, @Nullable String key) {
    return new BulkFilter(
        Set.of(), null, Map.of(), null, null, null, ids, List.of(reason), worker, key, null, null);
  }

  @Test
  void anExpectedCountThatIsWrongOrAKnownKeyStoresNothing() throws SQLException {
    submitMany(12, 3);
    BulkFilter all = BulkFilter.all();
    assertThat(operations.create(request(OperationKind.CANCEL, all, null, 11L, null, HASH)))
        .isEqualTo(new Creation.Mismatch(new Count(12, false)));
    assertThat(database.value("SELECT count(*) FROM errand.operations")).isEqualTo("0");
    Creation.Created created =
        (Creation.Created)
            operations.create(request(OperationKind.CANCEL, all, null, 12L, "k", HASH));
    assertThat(created.operation().total()).isEqualTo(12);
    Creation again = operations.create(request(OperationKind.CANCEL, all, null, 12L, "k", HASH));
    assertThat(again)
        .isInstanceOfSatisfying(
            Creation.Replayed.class,
            replayed -> assertThat(replayed.operation().id()).isEqualTo(created.operation().id()));
    assertThat(
            operations.create(request(OperationKind.CANCEL, all, null, null, "k", "cd".repeat(32))))
        .isEqualTo(new Creation.KeyReused());
    for (int i = 1; i < OperationStore.MOST_UNFINISHED; i++) {
      begin(OperationKind.CANCEL);
    }
    assertThat(operations.create(request(OperationKind.CANCEL, all, null, null, null, HASH)))
        .isEqualTo(new Creation.TooMany(OperationStore.MOST_UNFINISHED));
  }

  @Test
  void aStoppedOperationEndsBeforeItsNextStepAndCanBeSeenInTheList() throws SQLException {
    submitMany(MANY, 3);
    UUID id = begin(OperationKind.CANCEL);
    step(id, 500);
    assertThat(operations.stop(id, Access.toOwn(ProjectNames.DEFAULT, "another"))).isEmpty();
    assertThat(operations.stop(id, ME).orElseThrow().state()).isEqualTo("stopping");
    assertThat(step(id, 500).state()).isEqualTo("stopped");
    assertThat(operations.stop(id, ME)).isEmpty();
    assertThat(step(id, 500).made()).isFalse();
    assertThat(find(id).done()).isEqualTo(500);
    UUID other = begin(OperationKind.CANCEL);
    OperationReads.Page page = reads.list(ME, null, null, 1);
    assertThat(page.operations()).extracting(Operation::id).containsExactly(other);
    assertThat(page.more()).isTrue();
    assertThat(reads.list(ME, "stopped", null, 10).operations())
        .extracting(Operation::id)
        .containsExactly(id);
    assertThat(operations.forgetFinished(Duration.ofDays(7), 10)).isZero();
    database.execute(
        "UPDATE errand.operations SET finished_at = now() - interval '8 days'"
            + " WHERE finished_at IS NOT NULL");
    assertThat(operations.forgetFinished(Duration.ofDays(7), 10)).isEqualTo(1);
    assertThat(reads.find(id, ME)).isEmpty();
  }

  @Test
  void aStopThatComesDuringAStepDoesNotWaitAndEndsItBehindTheStep() throws Exception {
    submitMany(10, 3);
    UUID id = begin(OperationKind.CANCEL);
    try (Connection other = database.dataSource().getConnection();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("LOCK TABLE errand.job_events IN EXCLUSIVE MODE"); // holds the step up
      CompletableFuture<OperationSteps.Step> step =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return step(id, 5);
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      await()
          .atMost(Duration.ofMinutes(1))
          .until(
              () ->
                  !database
                      .value(
                          "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                              + " AND query LIKE '%job_events%' AND pid <> pg_backend_pid()")
                      .isEmpty());
      assertThat(operations.stop(id, ME).orElseThrow().state()).isEqualTo("stopping");
      other.rollback();
      assertThat(step.get(60, TimeUnit.SECONDS).state()).isEqualTo("stopped");
    }
    assertThat(find(id).done()).isEqualTo(5);
  }

  @Test
  void aChangeThatTheDatabaseRefusesIsCountedAndTheOthersAreMade() throws SQLException {
    submitMany(5, 3);
    UUID refused = UUID.fromString(database.value("SELECT max(id::text) FROM errand.jobs"));
    database.execute(
        "ALTER TABLE errand.jobs ADD CONSTRAINT refused CHECK (priority <> 99 OR id <> '"
            + refused
            + "')");
    try {
      UUID id = begin(OperationKind.UPDATE, BulkFilter.all(), new JobUpdate(99, null, null, false));
      assertThatThrownBy(() -> step(id, 5)).isInstanceOf(SQLException.class);
      assertThat(find(id).done()).isZero();
      for (int i = 0; i < 6; i++) {
        step(id, 1);
      }
      Operation end = find(id);
      assertThat(end.state()).isEqualTo("finished");
      assertThat(end.done()).isEqualTo(4);
      assertThat(end.errors()).isEqualTo(1);
      assertThat(end.skipped()).isZero();
      assertThat(end.detail()).contains("refused");
    } finally {
      database.execute("ALTER TABLE errand.jobs DROP CONSTRAINT refused");
    }
    assertSound();
  }

  @Test
  void anOperationOfANewerVersionIsNotCarriedOutWithTheMembersThatAreKnown() throws SQLException {
    submitMany(2, 3);
    UUID id = begin(OperationKind.CANCEL);
    database.execute("UPDATE errand.operations SET filter = '{\"queue\":\"default\",\"new\":1}'");
    assertThatThrownBy(() -> step(id, 500)).isInstanceOf(IllegalArgumentException.class);
    assertThat(counted()).isEqualTo("default queued 2");
  }

  @Test
  void valuesOfOneJobAreChangedWhileItWaitsAndItIsRemovedOnceItHasFinished() throws SQLException {
    UUID id = submit();
    assertThat(
            control
                .update(
                    id,
                    Access.toOwn(ProjectNames.DEFAULT, "another"),
                    new JobUpdate(1, null, null, false))
                .state())
        .isNull();
    assertThat(control.update(id, ME, new JobUpdate(1, "q", null, true)).changed()).isTrue();
    assertThat(counted()).isEqualTo("q queued 1");
    assertThat(control.delete(id, ME).changed()).isFalse();
    ClaimedJob claimed = claim(1).get(0);
    assertThat(control.update(id, ME, new JobUpdate(2, null, null, false)))
        .satisfies(change -> assertThat(change.changed()).isFalse())
        .satisfies(change -> assertThat(change.state()).isEqualTo(JobState.RUNNING));
    completes.complete(List.of(ended(claimed, Outcome.SUCCESS, 0)), "worker w");
    assertThat(control.update(id, ME, new JobUpdate(2, null, null, false)).changed()).isFalse();
    assertThat(control.delete(id, Access.toOwn(ProjectNames.DEFAULT, "another")).state()).isNull();
    assertSound();
    assertThat(control.delete(id, ME).changed()).isTrue();
    assertThat(control.delete(id, ME).state()).isNull();
    assertThat(database.value("SELECT id FROM errand.removed_jobs")).isEqualTo(id.toString());
    assertSound();
  }
}
