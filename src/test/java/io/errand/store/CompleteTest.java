package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.job.Access;
import io.errand.job.AttemptResult;
import io.errand.job.JobState;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.ProjectNames;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import io.errand.store.control.ControlStore;
import io.errand.store.reads.KeptOutput;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How attempts end, against a real PostgreSQL. */
class CompleteTest extends StoreFixture {
  @Test
  void aCompletionWritesTheJobAndItsAttempt() throws SQLException {
    UUID id = submit();
    ClaimedJob claimed = claim(1).get(0);
    assertThat(completes.complete(List.of(ended(claimed, Outcome.SUCCESS, 0)), "test"))
        .containsExactly(id);
    assertThat(stateOf(id)).isEqualTo("succeeded:success");
    assertThat(
            database.value(
                "SELECT concat_ws('|', attempt, outcome, exit_code, stdout, stdout_bytes,"
                    + " stdout_dropped_bytes, stdout_head_bytes, worker,"
                    + " signals_sent, tree_empty) FROM errand.attempts"))
        .isEqualTo(
            "1|success|0|\\x686561647461696c|20|12|4|w|[{\"signal\": \"SIGTERM\", \"processes\": 2}]|t");
  }

  @Test
  void everyOutcomeCanBeRecorded() throws SQLException {
    for (Outcome outcome : Outcome.values()) {
      submit();
      Integer code = outcome == Outcome.SUCCESS || outcome == Outcome.EXIT_CODE ? 0 : null;
      assertThat(completes.complete(List.of(ended(claim(1).get(0), outcome, code)), "test"))
          .as(outcome.wireName())
          .hasSize(1);
    }
    assertThat(database.value("SELECT count(DISTINCT outcome) FROM errand.attempts"))
        .isEqualTo(Integer.toString(Outcome.values().length));
  }

  @Test
  void aStaleTokenChangesNothing() throws SQLException {
    UUID id = submit();
    ClaimedJob first = claim(1).get(0);
    database.execute("UPDATE errand.workers SET heartbeat_at = now() - interval '1 hour'");
    assertThat(workers.giveUpSilent()).isEqualTo(1);
    ClaimedJob lost = claims.lost(9, "alone").get(0).job();
    AttemptResult loss = AttemptResult.lost();
    Completion rescue = withoutCommand(lost, lost.startedAt(), loss);
    assertThat(completes.complete(List.of(rescue), "test")).containsExactly(id);
    assertThat(stateOf(id)).isEqualTo("retrying:lost");
    workerId = register(30);
    ClaimedJob second = claim(1).get(0);
    assertThat(second.token()).isNotEqualTo(first.token());
    assertThat(completes.complete(List.of(ended(first, Outcome.SUCCESS, 0)), "test")).isEmpty();
    assertThat(stateOf(id)).isEqualTo("running");
    assertThat(completes.complete(List.of(ended(second, Outcome.SUCCESS, 0)), "test"))
        .containsExactly(id);
    assertThat(completes.complete(List.of(ended(second, Outcome.EXIT_CODE, 1)), "test")).isEmpty();
    assertThat(stateOf(id)).isEqualTo("succeeded:success");
  }

  @Test
  void cancelGoesAtOnceWhereNothingRunsAndAsksWhereSomethingDoes() throws SQLException {
    UUID waiting = submit();
    assertThat(control.cancel(waiting, ME))
        .isEqualTo(new ControlStore.Change(true, JobState.CANCELLED));
    assertThat(stateOf(waiting)).isEqualTo("cancelled:cancelled");
    assertThat(control.cancel(waiting, ME))
        .isEqualTo(new ControlStore.Change(false, JobState.CANCELLED));
    UUID running = submit();
    ClaimedJob claimed = claim(1).get(0);
    assertThat(control.cancel(running, ME))
        .isEqualTo(new ControlStore.Change(true, JobState.RUNNING));
    assertThat(stateOf(running)).isEqualTo("running");
    assertThat(claims.requestsFor(workerId))
        .containsExactly(new ClaimStore.Request(claimed.token(), true, false, false));
    completes.complete(List.of(ended(claimed, Outcome.EXIT_CODE, 1)), "test");
    assertThat(stateOf(running)).isEqualTo("cancelled:cancelled");
    assertThat(control.cancel(UUID.randomUUID(), ME).state()).isNull();
    assertThat(control.cancel(running, Access.toOwn(ProjectNames.DEFAULT, "somebody else")).state())
        .isNull();
  }

  @Test
  void aSuccessThatCameFirstStandsAgainstAPendingCancel() throws SQLException {
    UUID id = submit();
    ClaimedJob claimed = claim(1).get(0);
    control.cancel(id, ME);
    completes.complete(List.of(ended(claimed, Outcome.SUCCESS, 0)), "test");
    assertThat(stateOf(id)).isEqualTo("succeeded:success");
    assertThat(control.cancel(id, ME))
        .isEqualTo(new ControlStore.Change(false, JobState.SUCCEEDED));
    assertThat(stateOf(id)).isEqualTo("succeeded:success");
  }

  @Test
  void whatIsGivenBackIsNotChargedAndAHeldJobIsReleasedWithATryMore() throws SQLException {
    UUID id = submit(spec(1, OnLost.HOLD, null, null));
    completes.complete(List.of(ended(claim(1).get(0), Outcome.WORKER_UNAVAILABLE, null)), "test");
    assertThat(stateOf(id)).isEqualTo("queued:worker_unavailable");
    assertThat(database.value("SELECT charged_attempts || ' of ' || attempt FROM errand.jobs"))
        .isEqualTo("0 of 1");
    database.execute("UPDATE errand.jobs SET run_at = now()");
    completes.complete(List.of(ended(claim(1).get(0), Outcome.LOST, null)), "test");
    assertThat(stateOf(id)).isEqualTo("held:lost");
    assertThat(control.release(id, ME)).isEqualTo(new ControlStore.Change(true, JobState.QUEUED));
    assertThat(database.value("SELECT max_attempts FROM errand.jobs")).isEqualTo("2");
    assertThat(claim(1)).hasSize(1);
    assertThat(control.release(id, ME)).isEqualTo(new ControlStore.Change(false, JobState.RUNNING));
    assertThat(stateOf(id)).isEqualTo("running");
  }

  @Test
  void anEndThatWaitsForACancelToBeWrittenGoesByIt() throws Exception {
    UUID id = submit();
    ClaimedJob claimed = claim(1).get(0);
    ExecutorService other = Executors.newSingleThreadExecutor();
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("UPDATE errand.jobs SET cancel_requested_at = now()");
      Completion end = ended(claimed, Outcome.EXIT_CODE, 1);
      Future<Set<UUID>> changed = other.submit(() -> completes.complete(List.of(end), "test"));
      await("the end waits")
          .until(
              () ->
                  database
                      .value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                      .equals("1"));
      connection.commit();
      assertThat(changed.get(30, TimeUnit.SECONDS)).containsExactly(id);
    } finally {
      other.shutdownNow();
    }
    assertThat(stateOf(id)).isEqualTo("cancelled:cancelled");
    assertThat(database.value("SELECT to_state FROM errand.job_events ORDER BY id DESC LIMIT 1"))
        .isEqualTo("cancelled");
  }

  @Test
  void anAttemptThatNeverStartedSaysWhenItWasClaimedAndTheJobThatItHasNotStarted()
      throws SQLException {
    submit();
    ClaimedJob claimed = claim(1).get(0);
    String claimedAt = database.value("SELECT claimed_at FROM errand.jobs");
    Completion end = ended(claimed, Outcome.WORKER_UNAVAILABLE, null);
    AttemptResult unstarted =
        new AttemptResult(Outcome.WORKER_UNAVAILABLE, null, null, false, null);
    completes.complete(
        List.of(
            new Completion(
                end.jobId(),
                end.token(),
                end.claimedAt(),
                null,
                unstarted,
                end.decision(),
                null,
                end.ending(),
                KeptOutput.NONE,
                KeptOutput.NONE)),
        "test");
    assertThat(database.value("SELECT started_at FROM errand.jobs")).isEmpty();
    assertThat(database.value("SELECT claimed_at FROM errand.attempts")).isEqualTo(claimedAt);
    assertThat(database.value("SELECT started_at FROM errand.attempts")).isEmpty();
  }
}
