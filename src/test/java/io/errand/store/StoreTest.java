package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.Backoff;
import io.errand.job.Call;
import io.errand.job.Confinement;
import io.errand.job.JobSpec;
import io.errand.job.JobState;
import io.errand.job.Limits;
import io.errand.job.OnFinish;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.RetryPolicy;
import io.errand.job.RetryRule;
import io.errand.job.Sandbox;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.RetryStore;
import io.errand.store.submit.Submission;
import io.errand.store.workers.WorkerStore;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** The statements, against a real PostgreSQL. */
class StoreTest extends StoreFixture {
  private static <T> List<T> inParallel(int count, Callable<T> task)
      throws InterruptedException, ExecutionException {
    ExecutorService pool = Executors.newFixedThreadPool(count);
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> future : pool.invokeAll(java.util.Collections.nCopies(count, task))) {
        results.add(future.get());
      }
      return results;
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void aKeyWithAnotherRequestIsAConflictAndOneWhoseJobIsGoneSaysSo() throws SQLException {
    JobSpec spec = spec(3, OnLost.RETRY, null, null);
    NewJob first = job(spec, "k", HASH);
    submit(first);
    assertThat(submit(job(spec, "k", "cd".repeat(32))))
        .isEqualTo(new Submission.Conflict(first.id()));
    database.execute("DELETE FROM errand.jobs");
    assertThat(submit(job(spec, "k", HASH))).isEqualTo(new Submission.Gone(first.id()));
    assertThat(database.value("SELECT count(*) FROM errand.jobs")).isEqualTo("0");
  }

  @Test
  void aBatchIsStoredWholeOrNotAtAll() throws SQLException {
    JobSpec spec = spec(3, OnLost.RETRY, null, null);
    submit(job(spec, "taken", HASH));
    List<Submission> refused =
        submits.submitAll(List.of(job(spec, "new", HASH), job(spec, "taken", "cd".repeat(32))));
    assertThat(refused.get(1)).isInstanceOf(Submission.Conflict.class);
    assertThat(database.value("SELECT count(*) FROM errand.jobs")).isEqualTo("1");
    assertThat(database.value("SELECT count(*) FROM errand.idempotency_keys")).isEqualTo("1");
    List<Submission> granted =
        submits.submitAll(
            List.of(job(spec, "new", HASH), job(spec, "taken", HASH), job(spec, null, HASH)));
    assertThat(granted.get(1)).isInstanceOf(Submission.Replayed.class);
    assertThat(database.value("SELECT count(*) FROM errand.jobs")).isEqualTo("3");
  }

  @Test
  void aClientsOwnIdIsItsKey() throws SQLException {
    NewJob job = job(spec(3, OnLost.RETRY, null, null), null, HASH);
    assertThat(submit(job)).isInstanceOf(Submission.Accepted.class);
    assertThat(submit(job)).isEqualTo(new Submission.Replayed(job.id()));
    NewJob other = new NewJob(job.id(), job.spec(), ME, null, "cd".repeat(32));
    assertThat(submit(other)).isEqualTo(new Submission.Conflict(job.id()));
  }

  @Test
  void parallelClaimersShareTheJobsAndNoneIsClaimedTwice() throws Exception {
    for (int i = 0; i < 200; i++) {
      submit();
    }
    List<List<ClaimedJob>> claimed = inParallel(8, () -> claim(25));
    Set<UUID> ids = new HashSet<>();
    Set<UUID> tokens = new HashSet<>();
    int total = 0;
    for (List<ClaimedJob> batch : claimed) {
      total += batch.size();
      batch.forEach(job -> ids.add(job.id()));
      batch.forEach(job -> tokens.add(job.token()));
    }
    assertThat(ids).hasSize(total);
    assertThat(tokens).hasSize(total);
    while (!claim(200).isEmpty()) {
      total++;
    }
    assertThat(
            database.value(
                "SELECT count(*) FROM errand.jobs WHERE state = 'running' AND attempt = 1"))
        .isEqualTo("200");
  }

  @Test
  void higherPriorityThenEarlierRunAtComesFirstAndTheFutureWaits() throws SQLException {
    UUID low = submit();
    UUID high = submit();
    UUID future = submit();
    UUID older = submit();
    database.execute("UPDATE errand.jobs SET priority = 5 WHERE id = '" + high + "'");
    database.execute(
        "UPDATE errand.jobs SET run_at = now() + interval '1 hour' WHERE id = '" + future + "'");
    database.execute(
        "UPDATE errand.jobs SET run_at = now() - interval '1 hour' WHERE id = '" + older + "'");
    assertThat(claim(1)).extracting(ClaimedJob::id).containsExactly(high);
    assertThat(claim(1)).extracting(ClaimedJob::id).containsExactly(older);
    assertThat(claim(9)).extracting(ClaimedJob::id).containsExactly(low);
  }

  @Test
  void aPausedQueueAndAForeignQueueAreNotClaimedFrom() throws SQLException {
    submit();
    database.execute("INSERT INTO errand.queues (name, paused) VALUES ('default', true)");
    assertThat(claim(9)).isEmpty();
    database.execute("UPDATE errand.queues SET paused = false");
    assertThat(
            claims
                .claim(
                    new ClaimStore.Claimer(workerId, "w", List.of("other")),
                    atOnce(9, Long.MAX_VALUE))
                .jobs())
        .isEmpty();
    assertThat(
            claims
                .claim(
                    new ClaimStore.Claimer(workerId, "w", List.of("other", "default")),
                    atOnce(9, Long.MAX_VALUE))
                .jobs())
        .hasSize(1);
  }

  @Test
  void oneJobOfAConcurrencyKeyRunsAtATime() throws Exception {
    for (int i = 0; i < 20; i++) {
      submit(spec(3, OnLost.RETRY, "tenant-7", null));
    }
    inParallel(6, () -> claim(4));
    assertThat(database.value("SELECT count(*) FROM errand.jobs WHERE state = 'running'"))
        .isEqualTo("1");
  }

  @Test
  void aClaimGivesTheJobAsItWasSubmitted() throws SQLException {
    JobSpec spec =
        new JobSpec(
            null,
            List.of("a", "ü 'x'"),
            "q.1",
            0,
            null,
            "in\n",
            Map.of("K", "v=\"1\""),
            "/srv",
            1.5,
            0,
            new RetryPolicy(
                7,
                new Backoff(0.5, 3, 9, Backoff.Jitter.EQUAL),
                List.of(
                    new RetryRule(
                        Outcome.EXIT_CODE,
                        List.of(new RetryRule.CodeRange(2, 2), new RetryRule.CodeRange(64, 78)),
                        false)),
                Set.of(0, 3),
                OnLost.HOLD),
            0,
            9,
            null,
            1,
            Map.of(),
            null,
            null,
            new Confinement(
                new Limits(1L << 30, 5L, null, null, null, 7L << 40, 8L, 3),
                "nobody",
                new Sandbox(false, true, List.of("/srv"))),
            new OnFinish("https://example.org/hook?a=b", "secret://hook"));
    UUID id = submit(spec);
    ClaimedJob claimed = claim(1).get(0);
    assertThat(claimed.id()).isEqualTo(id);
    assertThat(claimed.command()).isEqualTo(spec.command());
    assertThat(claimed.environment()).isEqualTo(spec.environment());
    assertThat(claimed.stdin()).asString(StandardCharsets.UTF_8).isEqualTo("in\n");
    assertThat(claimed.workingDirectory()).isEqualTo("/srv");
    assertThat(claimed.timeout()).isEqualTo(Duration.ofMillis(1500));
    assertThat(claimed.killGrace()).isZero();
    assertThat(claimed.policy()).isEqualTo(spec.policy());
    assertThat(claimed.stderrLimitBytes()).isEqualTo(9);
    assertThat(claimed.confinement()).isEqualTo(spec.confinement());
  }

  @Test
  void aWorkerThatWasGivenUpNeitherBeatsNorClaims() throws SQLException {
    submit();
    database.execute("UPDATE errand.workers SET heartbeat_at = now() - interval '31.5 seconds'");
    assertThat(workers.giveUpSilent()).isEqualTo(1);
    try (Connection connection = workers.dedicatedConnection("test", 10)) {
      assertThat(workers.heartbeat(connection, workerId, new WorkerStore.Load(0, 0, null)))
          .isFalse();
    }
    assertThat(claim(9)).isEmpty();
  }

  @Test
  void aWorkerIsNotGivenUpBeforeItsLeaseAndASecondAreOver() throws SQLException {
    database.execute("UPDATE errand.workers SET heartbeat_at = now() - interval '30.5 seconds'");
    assertThat(workers.giveUpSilent()).isZero();
  }

  @Test
  void whatNeverStartedExpires() throws SQLException {
    UUID id = submit(spec(3, OnLost.RETRY, null, Instant.now().minusSeconds(1)));
    assertThat(claim(1)).isEmpty();
    assertThat(control.expire(10)).isEqualTo(1);
    assertThat(stateOf(id)).isEqualTo("cancelled:expired");
    assertThat(control.expire(10)).isZero();
  }

  @Test
  void aFinishedJobIsTriedAgainAsANewOneOncePerKey() throws SQLException {
    UUID id = submit();
    UUID fresh = UUID.randomUUID();
    assertThat(
            new RetryStore(database.dataSource())
                .retry(new RetryStore.Wanted(id, fresh, ME, "again", HASH, Call.NONE)))
        .isEqualTo(new Submission.NotFinal(JobState.QUEUED));
    control.cancel(id, ME);
    assertThat(
            new RetryStore(database.dataSource())
                .retry(new RetryStore.Wanted(id, fresh, ME, "again", HASH, Call.NONE)))
        .isInstanceOfSatisfying(
            Submission.Accepted.class, accepted -> assertThat(accepted.id()).isEqualTo(fresh));
    assertThat(
            new RetryStore(database.dataSource())
                .retry(new RetryStore.Wanted(id, UUID.randomUUID(), ME, "again", HASH, Call.NONE)))
        .isEqualTo(new Submission.Replayed(fresh));
    assertThat(
            new RetryStore(database.dataSource())
                .retry(
                    new RetryStore.Wanted(
                        UUID.randomUUID(), UUID.randomUUID(), ME, null, HASH, Call.NONE)))
        .isEqualTo(new Submission.Unknown());
    assertThat(
            database.value(
                "SELECT retry_of || stdin || (env ->> 'K') FROM errand.jobs WHERE id = '"
                    + fresh
                    + "'"))
        .isEqualTo(id + "secret insecret value");
  }

  @Test
  void theDatabaseRefusesImpossibleRows() throws SQLException {
    submit();
    List<String> impossible =
        List.of(
            "state = 'succeeded'",
            "state = 'running'",
            "state = 'retrying'",
            "state = 'held'",
            "state = 'sleeping'",
            "finished_at = now()",
            "claim_token = gen_random_uuid()",
            "reason = 'success'",
            "charged_attempts = 1",
            "attempt = 9, charged_attempts = 9",
            "exit_code = 256",
            "exit_code = 1, signal = 'SIGKILL'",
            "cancel_requested_at = now()",
            "command = '{}'",
            "state = 'succeeded', reason = 'success', finished_at = now(), attempt = 1",
            "state = 'failed', reason = NULL, finished_at = now(), attempt = 1");
    for (String change : impossible) {
      assertThatThrownBy(() -> database.execute("UPDATE errand.jobs SET " + change))
          .as(change)
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("violates check constraint");
    }
  }

  @Test
  void theClaimReadsItsIndexAndNotTheTable() throws SQLException {
    database.execute(
        """
        INSERT INTO errand.jobs (id, state, reason, queue, priority, command, attempt, max_attempts,
            charged_attempts, exit_code, run_at, started_at, finished_at, principal, timeout_seconds,
            kill_grace_seconds, stdout_limit_bytes, stderr_limit_bytes, success_exit_codes, on_lost,
            backoff, retry, fingerprint)
        SELECT gen_random_uuid(), 'succeeded', 'success', 'default', 0, '{true}', 1, 3, 1, 0, now(),
            now(), now(), 'tester', 1, 1, 1, 1, '{0}', 'retry', '{}', '[]', '\\x00'
        FROM generate_series(1, 20000)
        """);
    database.execute("ANALYZE errand.jobs");
    submit();
    assertThat(
            database.value(
                """
                EXPLAIN SELECT id FROM errand.jobs
                WHERE state IN ('queued', 'retrying') AND run_at <= now()
                ORDER BY priority DESC, run_at, id LIMIT 10 FOR UPDATE SKIP LOCKED
                """))
        .isNotEmpty();
    assertThat(
            database.value(
                """
                SELECT pg_relation_size('errand.jobs_ready_by_queue') < pg_relation_size('errand.jobs') / 10
                """))
        .isEqualTo("t");
    assertThat(claim(10)).hasSize(1);
  }

  @Test
  void noOperatorsViewShowsASecret() throws SQLException {
    submit();
    assertThat(database.value("SELECT jobs_overview::text FROM errand.jobs_overview"))
        .contains("echo hi")
        .doesNotContain("secret");
  }

  @Test
  void everyTableAndColumnThatPeopleReadHasAComment() throws SQLException {
    assertThat(
            database.value(
                """
                SELECT string_agg(c.relname || '.' || a.attname, ', ')
                FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                WHERE c.relname IN ('jobs') AND a.attnum > 0
                  AND col_description(c.oid, a.attnum) IS NULL
                  AND a.attname NOT IN ('queue', 'priority')
                """))
        .isEmpty();
  }
}
