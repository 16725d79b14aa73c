package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.embedded.EmbeddedPostgres;
import io.errand.job.JobState;
import io.errand.store.claim.ClaimStore;
import io.errand.store.control.Housekeeping;
import io.errand.store.support.HotPlans;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Counts, retention and plans, on tables that are large enough to matter. */
class GrowthTest {
  private static final String WORKER = "00000000-0000-4000-8000-000000000001";

  private Database database;
  private Housekeeping housekeeping;

  @BeforeEach
  void open() throws SQLException {
    database = Database.emptied();
    housekeeping = new Housekeeping(database.dataSource());
    database.execute(
        "INSERT INTO errand.workers (id, name, slots, queues, lease_seconds, version, pid, guarantees)"
            + " VALUES ('"
            + WORKER
            + "', 'w', 8, '{*}', 30, 'test', 1, 'none')");
  }

  @AfterEach
  void removeProject() throws SQLException {
    database.execute("DELETE FROM errand.projects WHERE name = 'media'");
  }

  private void fill(int count, String state, String queue, String age) throws SQLException {
    boolean isFinal = JobState.ofWireName(state).isFinal();
    database.execute(
        "INSERT INTO errand.jobs (id, state, reason, queue, project, priority, command, max_attempts,"
            + " run_at, created_at, finished_at, principal, timeout_seconds, kill_grace_seconds,"
            + " stdout_limit_bytes, stderr_limit_bytes, success_exit_codes, on_lost, backoff, retry,"
            + " fingerprint, exit_code, attempt, charged_attempts, idempotency_key)"
            + " SELECT gen_random_uuid(), '"
            + state
            + "', "
            + (isFinal
                ? "CASE WHEN '" + state + "' = 'succeeded' THEN 'success' ELSE 'exit_code' END"
                : "NULL")
            + ", '"
            + queue
            + "', errand.project_of('"
            + queue
            + "'), 0, '{true}', 3, now() - interval '"
            + age
            + "', now() - interval '"
            + age
            + "', "
            + (isFinal ? "now() - interval '" + age + "'" : "NULL")
            + ", 'tester', 60, 1, 100, 100, '{0}', 'retry', '{\"base_seconds\":1,\"factor\":2,"
            + "\"max_seconds\":60,\"jitter\":\"full\"}', '[]', '\\xab', "
            + (isFinal ? "0, 1, 1" : "NULL, 0, 0")
            + ", 'k' || i FROM generate_series(1, "
            + count
            + ") AS s (i)");
    database.execute(
        "INSERT INTO errand.queue_counts (queue, state, jobs) VALUES ('"
            + queue
            + "', '"
            + state
            + "', "
            + count
            + ")");
  }

  private String counted() throws SQLException {
    return database.value(
        "SELECT string_agg(queue || ' ' || state || ' ' || jobs, ', ' ORDER BY queue, state) FROM ("
            + "SELECT queue, state, sum(jobs) AS jobs FROM errand.queue_counts"
            + " GROUP BY queue, state HAVING sum(jobs) <> 0) AS c");
  }

  @Test
  void countsFollowEveryChangeAndFoldingKeepsThem() throws SQLException {
    fill(5, "queued", "a", "1 minute");
    fill(3, "succeeded", "b", "1 minute");
    assertThat(counted()).isEqualTo("a queued 5, b succeeded 3");
    ClaimStore claims = new ClaimStore(database.dataSource());
    claims.claim(
        new ClaimStore.Claimer(UUID.fromString(WORKER), "w", List.of("a")),
        new ClaimStore.Wanted(2, 2, 100_000_000));
    assertThat(counted()).isEqualTo("a queued 3, a running 2, b succeeded 3");
    assertThat(housekeeping.removeFinished("succeeded", Duration.ofSeconds(1), 10)).isEqualTo(3);
    assertThat(counted()).isEqualTo("a queued 3, a running 2");
    housekeeping.foldCounts(1_000);
    assertThat(counted()).isEqualTo("a queued 3, a running 2");
    assertThat(database.value("SELECT count(*) FROM errand.queue_counts")).isEqualTo("2");
  }

  @Test
  void retentionRemovesOldJobsInBatchesAndRemembersTheirKeysForAWhile() throws SQLException {
    fill(25, "succeeded", "a", "3 days");
    fill(5, "succeeded", "a", "1 hour");
    fill(4, "failed", "a", "3 days");
    database.execute(
        "INSERT INTO errand.attempts (job_id, attempt, outcome, started_at, worker)"
            + " SELECT id, 1, 'success', now(), 'w' FROM errand.jobs");
    database.execute(
        "INSERT INTO errand.idempotency_keys (principal, idempotency_key, job_id)"
            + " SELECT principal, idempotency_key, id FROM errand.jobs WHERE state = 'succeeded'"
            + " AND created_at < now() - interval '1 day'");
    Duration two = Duration.ofDays(2);
    assertThat(housekeeping.removeFinished("succeeded", two, 10)).isEqualTo(10);
    assertThat(housekeeping.removeFinished("succeeded", two, 100)).isEqualTo(15);
    assertThat(housekeeping.removeFinished("succeeded", two, 100)).isZero();
    assertThat(counted()).isEqualTo("a failed 4, a succeeded 5");
    assertThat(database.value("SELECT count(*) FROM errand.attempts")).isEqualTo("9");
    assertThat(database.value("SELECT count(*) FROM errand.idempotency_keys")).isEqualTo("25");
    assertThat(housekeeping.forgetRemoved(two, 100)).isZero();
    database.execute("UPDATE errand.removed_jobs SET removed_at = now() - interval '3 days'");
    assertThat(housekeeping.forgetRemoved(two, 20)).isEqualTo(20);
    assertThat(housekeeping.forgetRemoved(two, 20)).isEqualTo(5);
    assertThat(database.value("SELECT count(*) FROM errand.idempotency_keys")).isEqualTo("0");
  }

  @Test
  void noStatementOfTheHotPathReadsMoreThanItNeeds() throws SQLException {
    fill(100_000, "succeeded", "a", "1 hour");
    fill(20_000, "queued", "a", "1 minute");
    database.execute("INSERT INTO errand.queues (name, paused) VALUES ('paused', true)");
    database.execute("ANALYZE errand.jobs");
    String claim = plan(EmbeddedPostgres.ROLE, HotPlans.CLAIM);
    assertThat(claim)
        .contains("Index Scan using jobs_ready_by_queue on jobs c")
        .doesNotContain("Seq Scan on jobs");
    String both = plan(EmbeddedPostgres.ROLE, HotPlans.COMPLETE_AND_CLAIM);
    assertThat(both)
        .contains("Index Scan using jobs_ready_by_queue on jobs c")
        .contains(
            "Index Scan using jobs_pkey on jobs j  ") // not by jobs_running, full of what has run
        .doesNotContain("Seq Scan on jobs");
    // Row-level security holds for it, and changes nothing; for a superuser it does not hold.
    assertThat(plan("errand_worker", HotPlans.CLAIM)).isEqualTo(claim);
    assertThat(plan("errand_worker", HotPlans.COMPLETE_AND_CLAIM)).isEqualTo(both);
  }

  @Test
  void aListOfAProjectIsReadByItsIndex() throws SQLException {
    database.execute("INSERT INTO errand.projects (name) VALUES ('media') ON CONFLICT DO NOTHING");
    fill(100_000, "succeeded", "a", "1 hour");
    fill(20_000, "queued", "media/a", "1 minute");
    database.execute("ANALYZE errand.jobs");
    String list =
        "SELECT id, created_at FROM errand.jobs WHERE project = ? AND %s"
            + " ORDER BY created_at DESC, id DESC LIMIT 51";
    assertThat(plan("errand_reader", "list", "text", list.formatted("true"), "'default'"))
        .contains("Index Scan Backward using jobs_created on jobs");
    assertThat(
            plan(
                "errand_reader", "list", "text", list.formatted("project <> 'default'"), "'media'"))
        .contains("Scan Backward using jobs_by_project on jobs");
    String ofState = list.formatted("state = ?");
    String asOwner =
        plan(EmbeddedPostgres.ROLE, "list", "text, text", ofState, "'default', 'queued'");
    assertThat(plan("errand_reader", "list", "text, text", ofState, "'default', 'queued'"))
        .contains(
            asOwner
                .lines()
                .filter(line -> line.contains("Scan"))
                .findFirst()
                .orElseThrow()
                .strip()
                .split("  ")[0]);
    assertThat(
            plan(
                "errand_reader",
                "attempts",
                "uuid",
                "SELECT * FROM errand.attempts WHERE job_id = ?",
                "gen_random_uuid()"))
        .contains(
            "Index Scan using attempts_pkey on attempts", "Index Scan using jobs_pkey on jobs j")
        .doesNotContain("Seq Scan");
  }

  private String plan(String role, String name, String types, String sql, String values)
      throws SQLException {
    return plan(role, new HotPlans.Hot(name, types, sql, values, false));
  }

  /** The plan for any values, as the pool that runs it has it. */
  private String plan(String role, HotPlans.Hot statement) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement change = connection.createStatement()) {
      change.execute("SET ROLE " + role);
      return HotPlans.plan(connection, statement);
    }
  }
}
