package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.job.AttemptResult;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.LostClaim;
import io.errand.store.claim.ClaimStore.Share;
import io.errand.store.claim.ClaimStore.Shares;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.CompleteAndClaimStore;
import io.errand.store.control.CircuitStore;
import io.errand.store.history.HistoryCheck;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the settings of a queue, and concurrency keys, let claims take. */
class QueueLimitsTest extends StoreFixture {
  private static final int CLAIMERS = 4;

  private void fill(int count, String queue, int priority) throws SQLException {
    fill(count, queue, priority, "NULL", 1);
  }

  private void fill(int count, String queue, int priority, String key, int limit)
      throws SQLException {
    database.execute(
        """
        INSERT INTO errand.jobs (id, state, queue, priority, command, max_attempts, run_at,
            principal, timeout_seconds, kill_grace_seconds, stdout_limit_bytes, stderr_limit_bytes,
            success_exit_codes, on_lost, backoff, retry, fingerprint, attempt, charged_attempts,
            concurrency_key, concurrency_limit)
        SELECT gen_random_uuid(), 'queued', '%s', %d, '{true}', 3, now() - interval '1 minute' + i * interval '1 us',
            'tester', 60, 1, 100, 100, '{0}', 'retry',
            '{"base_seconds":0,"factor":1,"max_seconds":0,"jitter":"none"}', '[]', '\\xab', 0, 0, %s, %d
        FROM generate_series(1, %d) AS s (i)
        """
            .formatted(queue, priority, key, limit, count));
  }

  private void queue(String name, String settings) throws SQLException {
    database.execute(
        "INSERT INTO errand.queues (name) VALUES ('" + name + "') ON CONFLICT DO NOTHING");
    database.execute("UPDATE errand.queues SET " + settings + " WHERE name = '" + name + "'");
  }

  private Claims claims(int limit) throws SQLException {
    return claims.claim(new Claimer(workerId, "w", List.of("*")), atOnce(limit, Long.MAX_VALUE));
  }

  private static List<String> queuesOf(Claims claims) {
    return claims.jobs().stream().map(ClaimedJob::queue).sorted().toList();
  }

  private void end(List<ClaimedJob> jobs) throws SQLException {
    completes.complete(jobs.stream().map(job -> ended(job, Outcome.SUCCESS, 0)).toList(), "test");
  }

  /** Several workers that complete and claim without a pause, until all of them find nothing. */
  private int drainedByMany(Callable<Integer> limitBroken) throws Exception {
    CompleteAndClaimStore both =
        new CompleteAndClaimStore(database.dataSource(), completes, claims);
    ExecutorService threads = Executors.newFixedThreadPool(CLAIMERS);
    try {
      List<Future<Integer>> counts = new ArrayList<>();
      for (int i = 0; i < CLAIMERS; i++) {
        UUID worker = register(600);
        counts.add(
            threads.submit(
                () -> {
                  int done = 0;
                  List<ClaimedJob> held = List.of();
                  int idle = 0;
                  while (idle < 3) {
                    CompleteAndClaimStore.Done turn =
                        both.run(
                            held.stream().map(job -> ended(job, Outcome.SUCCESS, 0)).toList(),
                            new Claimer(worker, "w", List.of("*")),
                            atOnce(3, Long.MAX_VALUE));
                    done += turn.completed().size();
                    held = turn.claims().jobs();
                    assertThat(limitBroken.call()).isZero();
                    boolean finished =
                        "0"
                            .equals(
                                database.value(
                                    "SELECT count(*) FROM errand.jobs WHERE state IN ('queued', 'running')"));
                    idle = held.isEmpty() && finished ? idle + 1 : 0;
                  }
                  return done;
                }));
      }
      int sum = 0;
      for (Future<Integer> count : counts) {
        sum += count.get();
      }
      return sum;
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void neverDoMoreJobsOfAQueueRunThanItsLimitOverAllWorkers() throws Exception {
    queue("narrow", "max_running = 2");
    fill(60, "narrow", 0);
    int done =
        drainedByMany(
            () ->
                Integer.parseInt(
                    database.value(
                        "SELECT greatest(count(*) - 2, 0) FROM errand.jobs WHERE state = 'running'")));
    assertThat(done).isEqualTo(60);
    database.execute("UPDATE errand.queues SET updated_at = now() - interval '1 hour'");
    assertThat(brokenLimits()).isEmpty();
    database.execute("UPDATE errand.queues SET max_running = 1");
    assertThat(brokenLimits()).contains("L2");
  }

  @Test
  void neverDoMoreJobsOfAKeyRunThanItsLimitOverAllWorkers() throws Exception {
    fill(60, "default", 0, "'tenant-' || i % 2", 3);
    int done =
        drainedByMany(
            () ->
                Integer.parseInt(
                    database.value(
                        "SELECT coalesce(sum(greatest(n - 3, 0)), 0) FROM (SELECT count(*) AS n"
                            + " FROM errand.jobs WHERE state = 'running' GROUP BY concurrency_key) k")));
    assertThat(done).isEqualTo(60);
    assertThat(brokenLimits()).isEmpty();
    database.execute("UPDATE errand.jobs SET concurrency_limit = 2");
    assertThat(brokenLimits()).contains("L1");
  }

  /** The rules about limits that the history breaks. */
  private Set<String> brokenLimits() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      return HistoryCheck.check(connection, false).violations().stream()
          .map(violation -> violation.rule().substring(0, 2))
          .filter(rule -> rule.startsWith("L"))
          .collect(Collectors.toSet());
    }
  }

  @Test
  void aFullQueueGivesNothingAndTakesNoPlaceFromOthers() throws SQLException {
    queue("narrow", "max_running = 2");
    fill(50, "narrow", 10);
    fill(3, "wide", 0);
    assertThat(queuesOf(claims(4))).containsExactly("narrow", "narrow", "wide", "wide");
    assertThat(queuesOf(claims(4))).containsExactly("wide");
    assertThat(claims(4).jobs()).isEmpty();
  }

  @Test
  void jobsOfALostWorkerCountUntilTheyAreRescued() throws SQLException {
    queue("narrow", "max_running = 2");
    fill(4, "narrow", 0);
    List<ClaimedJob> held = claims(4).jobs();
    assertThat(held).hasSize(2).allMatch(ClaimedJob::limited);
    database.execute(
        "UPDATE errand.workers SET state = 'lost', ended_at = now() WHERE id = '" + workerId + "'");
    workerId = register(30);
    assertThat(claims(4).jobs()).isEmpty();
    end(held);
    assertThat(claims(4).jobs()).hasSize(2);
  }

  @Test
  void jobsThatRunWhenALimitIsSetCount() throws SQLException {
    fill(5, "narrow", 0);
    assertThat(claims(2).jobs()).hasSize(2);
    queue("narrow", "max_running = 3");
    assertThat(claims(4).jobs()).hasSize(1);
  }

  @Test
  void aClaimThatWaitsForAnotherSeesWhatItHasTaken() throws Exception {
    queue("narrow", "max_running = 1");
    fill(5, "narrow", 0);
    ExecutorService other = Executors.newSingleThreadExecutor();
    try (Connection first = database.dataSource().getConnection()) {
      first.setAutoCommit(false);
      first.createStatement().execute("SELECT errand.queue_room('narrow', 1, true)");
      Future<Claims> second = other.submit(() -> claims(1));
      awaitBlocked();
      first
          .createStatement()
          .execute(
              "UPDATE errand.jobs SET state = 'running', attempt = 1, charged_attempts = 1, worker = 'w',"
                  + " worker_id = '"
                  + workerId
                  + "', claim_token = gen_random_uuid(), claimed_at = now()"
                  + " WHERE id = (SELECT id FROM errand.jobs ORDER BY run_at LIMIT 1)");
      first.commit();
      assertThat(second.get().jobs()).isEmpty();
    } finally {
      other.shutdownNow();
    }
  }

  private void awaitBlocked() {
    await()
        .until(
            () ->
                !database
                    .value(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                            + " AND datname = current_database()")
                    .equals("0"));
  }

  @Test
  void aRateGivesItsBurstAndThenOneJobForEachToken() throws SQLException {
    queue("slow", "rate_per_second = 0.001, burst = 3");
    fill(10, "slow", 0);
    Claims first = claims(8);
    assertThat(first.jobs()).hasSize(3);
    assertThat(first.someUnread()).isTrue();
    Claims next = claims(8);
    assertThat(next.jobs()).isEmpty();
    assertThat(next.untilNext()).isBetween(Duration.ofSeconds(900), Duration.ofSeconds(1000));
    database.execute("UPDATE errand.queues SET tokens_at = tokens_at - interval '2000 seconds'");
    assertThat(claims(8).jobs()).hasSize(2);
    assertThat(claims(8).jobs()).isEmpty();
  }

  @Test
  void aRateIsExactOverManyWorkers() throws Exception {
    queue("slow", "rate_per_second = 0.001, burst = 20");
    fill(50, "slow", 0);
    ExecutorService threads = Executors.newFixedThreadPool(CLAIMERS);
    try {
      List<Future<Integer>> counts = new ArrayList<>();
      for (int i = 0; i < CLAIMERS; i++) {
        UUID worker = register(600);
        counts.add(
            threads.submit(
                () -> {
                  int taken = 0;
                  for (int turn = 0; turn < 30; turn++) {
                    taken +=
                        claims
                            .claim(
                                new Claimer(worker, "w", List.of("*")), atOnce(3, Long.MAX_VALUE))
                            .jobs()
                            .size();
                  }
                  return taken;
                }));
      }
      int sum = 0;
      for (Future<Integer> count : counts) {
        sum += count.get();
      }
      assertThat(sum).isEqualTo(20);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aFloodedQueueStarvesNoOther() throws SQLException {
    fill(1_000, "flood", 0);
    fill(10, "quiet", 0);
    assertThat(queuesOf(claims(6)))
        .containsExactly("flood", "flood", "flood", "quiet", "quiet", "quiet");
  }

  @Test
  void whatAQueueHasHadDecidesBetweenJobsOfOnePriority() throws SQLException {
    fill(10, "a", 0);
    fill(10, "b", 0);
    fill(1, "a", 5);
    Shares shares = new Shares(List.of(new Share("a", 3, 1), new Share("b", 0, 1)), 1);
    Claims some =
        claims.claim(
            new Claimer(workerId, "w", List.of("*"), "", List.of(), shares),
            atOnce(4, Long.MAX_VALUE));
    assertThat(queuesOf(some)).containsExactly("a", "b", "b", "b");
    assertThat(some.offers())
        .extracting(offer -> offer.queue())
        .containsExactlyInAnyOrder("a", "b");
  }

  @Test
  void weightsAreToldWithTheQueuesThatHaveReadyJobs() throws SQLException {
    queue("heavy", "weight = 4");
    fill(1, "heavy", 0);
    fill(1, "light", 0);
    assertThat(claims(1).offers())
        .extracting(offer -> offer.queue() + " " + offer.weight())
        .containsExactlyInAnyOrder("heavy 4.0", "light 1.0");
  }

  @Test
  void aCircuitOpensAtItsRatioAndClosesAfterAProbeThatSucceeds() throws SQLException {
    CircuitStore circuits = new CircuitStore(database.dataSource());
    queue("api", "circuit_failure_ratio = 0.5, circuit_minimum_attempts = 4");
    fill(20, "api", 0);
    List<ClaimedJob> jobs = claims(4).jobs();
    assertThat(jobs).hasSize(4).allMatch(ClaimedJob::hasCircuit);
    List<UUID> ids = jobs.stream().map(ClaimedJob::id).toList();
    assertThat(circuits.record("api", ids.subList(0, 2), List.of("success", "cancelled")))
        .isFalse();
    assertThat(circuits.record("api", ids.subList(0, 1), List.of("success"))).isFalse();
    assertThat(circuits.record("api", ids.subList(2, 4), List.of("exit_code", "timeout"))).isTrue();
    assertThat(circuit()).isEqualTo("open");
    Claims none = claims(4);
    assertThat(none.jobs()).isEmpty();
    assertThat(none.untilNext()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(10));

    database.execute("UPDATE errand.queues SET circuit_probe_at = now() - interval '1 second'");
    List<ClaimedJob> probe = claims(4).jobs();
    assertThat(probe).hasSize(1);
    assertThat(circuit()).isEqualTo("half_open");
    database.execute("UPDATE errand.queues SET circuit_probe_at = now() - interval '1 second'");
    assertThat(claims(4).jobs()).isEmpty(); // the probe still runs
    assertThat(circuits.record("api", List.of(probe.get(0).id()), List.of("exit_code"))).isTrue();
    assertThat(circuit()).isEqualTo("open");
    end(probe);
    List<ClaimedJob> second = claims(4).jobs();
    assertThat(second).hasSize(1);
    assertThat(
            database.value(
                "SELECT circuit_probe_at - now() BETWEEN interval '30 seconds' AND interval '40 seconds'"
                    + " FROM errand.queues"))
        .isEqualTo("t"); // 10 seconds, doubled twice
    assertThat(circuits.record("api", List.of(ids.get(0)), List.of("success"))).isFalse();
    assertThat(circuits.record("api", List.of(second.get(0).id()), List.of("success"))).isTrue();
    assertThat(circuit()).isEqualTo("closed");
    assertThat(claims(4).jobs()).hasSize(4);
    assertThat(database.value("SELECT string_agg(event, ' ' ORDER BY id) FROM errand.queue_events"))
        .isEqualTo("circuit_opened circuit_probed circuit_closed");
  }

  private String circuit() throws SQLException {
    return database.value("SELECT circuit_state FROM errand.queues");
  }

  @Test
  void aCircuitThatAnOperatorOpenedLetsNoProbeThrough() throws SQLException {
    queue(
        "api",
        "circuit_failure_ratio = 0.5, circuit_state = 'open', circuit_probe_at = 'infinity'");
    fill(2, "api", 0);
    assertThat(claims(4).jobs()).isEmpty();
    assertThat(claims(4).untilNext()).isNull();
  }

  @Test
  void attemptsOutsideTheWindowDoNotCount() throws SQLException {
    CircuitStore circuits = new CircuitStore(database.dataSource());
    queue("api", "circuit_failure_ratio = 1, circuit_minimum_attempts = 2");
    UUID id = submit(spec(3, OnLost.RETRY, null, null));
    assertThat(circuits.record("api", List.of(id), List.of("exit_code"))).isFalse();
    database.execute("UPDATE errand.circuit_counts SET slice = slice - interval '2 minutes'");
    assertThat(circuits.record("api", List.of(id), List.of("exit_code"))).isFalse();
    assertThat(circuits.record("api", List.of(id), List.of("exit_code"))).isTrue();
  }

  @Test
  void jobsOfAQueueWithLimitsAreNotClaimedAhead() throws SQLException {
    queue("narrow", "max_running = 100");
    fill(10, "narrow", 0);
    Claims some =
        claims.claim(
            new Claimer(workerId, "w", List.of("*")),
            new io.errand.store.claim.ClaimStore.Wanted(6, 2, Long.MAX_VALUE));
    assertThat(some.jobs()).hasSize(2);
    assertThat(some.someForLater()).isTrue();
  }

  @Test
  void aJobThatWasAloneOnWorkersThatWereLostIsHeldWhereItsQueueWantsThat() throws SQLException {
    queue("default", "hold_after_lost_workers = 2");
    UUID id = submit();
    loseWorkerOf(claim(1).get(0), true);
    assertThat(loss().holds()).isFalse();
    store(loss());
    submit(); // another job beside it: that loss does not count
    database.execute("UPDATE errand.jobs SET run_at = now() WHERE state = 'retrying'");
    workerId = register(30);
    List<ClaimedJob> both = claim(2);
    assertThat(both).hasSize(2);
    loseWorkerOf(both.get(0), true);
    for (LostClaim lost : claims.lost(9, "alone")) {
      assertThat(lost.wasAlone()).isFalse();
      store(lost);
    }
    database.execute("UPDATE errand.jobs SET run_at = now() WHERE id = '" + id + "'");
    database.execute(
        "UPDATE errand.jobs SET run_at = now() + interval '1 day' WHERE id <> '" + id + "'");
    workerId = register(30);
    loseWorkerOf(claim(1).get(0), true);
    assertThat(loss().wasAlone()).isTrue();
    assertThat(loss().holds()).isTrue();
  }

  @Test
  void aLossBeforeTheCommandStartedSaysNothingAboutTheJob() throws SQLException {
    queue("default", "hold_after_lost_workers = 1");
    submit();
    loseWorkerOf(claim(1).get(0), false);
    assertThat(loss().wasAlone()).isFalse();
    assertThat(loss().holds()).isFalse();
  }

  private LostClaim loss() throws SQLException {
    return claims.lost(9, "alone").get(0);
  }

  private void store(LostClaim lost) throws SQLException {
    completes.complete(
        List.of(
            withoutCommand(
                lost.job(),
                lost.job().startedAt(),
                AttemptResult.lost(lost.wasAlone() ? "alone" : null))),
        "rescuer");
  }

  private void loseWorkerOf(ClaimedJob job, boolean started) throws SQLException {
    database.execute(
        "UPDATE errand.jobs SET started_at = "
            + (started ? "now()" : "NULL")
            + " WHERE id = '"
            + job.id()
            + "'");
    database.execute(
        "UPDATE errand.workers SET heartbeat_at = now() - interval '1 hour' WHERE state = 'live'");
    workers.giveUpSilent();
  }
}
