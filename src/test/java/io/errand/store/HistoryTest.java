package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Call;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.control.Housekeeping;
import io.errand.store.history.CommandLogCheck;
import io.errand.store.history.HistoryCheck;
import io.errand.store.history.HistoryCheck.Report;
import io.errand.store.history.HistoryCheck.Violation;
import io.errand.store.submit.RetryStore;
import io.errand.store.submit.Submission;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Events beside every change, and an auditor that finds what does not fit. */
class HistoryTest extends StoreFixture {
  private Report check(boolean settled) throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      return HistoryCheck.check(connection, settled);
    }
  }

  private void assertBroken(String rule, UUID id) throws SQLException {
    assertThat(check(false).violations())
        .filteredOn(violation -> violation.rule().startsWith(rule + " "))
        .extracting(Violation::job)
        .contains(id.toString());
  }

  private String eventsOf(UUID id) throws SQLException {
    return database.value(
        "SELECT string_agg(concat_ws('>', coalesce(from_state, ''), to_state) || ' '"
            + " || concat_ws(',', reason, attempt, actor), '; ' ORDER BY id)"
            + " FROM errand.job_events WHERE job_id = '"
            + id
            + "'");
  }

  /** One that failed, was tried again and succeeded. */
  private UUID lived() throws SQLException {
    UUID id = submit();
    completes.complete(List.of(ended(claim(1).get(0), Outcome.EXIT_CODE, 1)), "worker w");
    database.execute("UPDATE errand.jobs SET run_at = now() WHERE state = 'retrying'");
    completes.complete(List.of(ended(claim(1).get(0), Outcome.SUCCESS, 0)), "worker w");
    return id;
  }

  @Test
  void everyChangeLeavesAnEventThatSaysWhoAndWhy() throws SQLException {
    UUID id = lived();
    assertThat(eventsOf(id))
        .isEqualTo(
            ">queued 0,client tester; queued>running 1,worker w; running>retrying exit_code,1,worker w;"
                + " retrying>running 2,worker w; running>succeeded success,2,worker w");
    UUID cancelled = submit();
    ClaimedJob claimed = claim(1).get(0);
    control.cancel(cancelled, ME);
    control.cancel(cancelled, ME);
    completes.complete(List.of(ended(claimed, Outcome.SIGNAL, null)), "worker w");
    assertThat(eventsOf(cancelled))
        .isEqualTo(
            ">queued 0,client tester; queued>running 1,worker w;"
                + " running>running cancel_requested,1,client tester;"
                + " running>cancelled cancelled,1,worker w");
    UUID held = submit(spec(3, OnLost.HOLD, null, null));
    completes.complete(List.of(ended(claim(1).get(0), Outcome.LOST, null)), "rescuer");
    control.release(held, ME);
    assertThat(eventsOf(held)).endsWith("running>held lost,1,rescuer; held>queued 1,client tester");
    UUID expired = submit(spec(1, OnLost.RETRY, null, Instant.now().plusMillis(1)));
    database.execute("UPDATE errand.jobs SET expires_at = now() WHERE expires_at IS NOT NULL");
    control.expire(10);
    assertThat(eventsOf(expired)).endsWith("queued>cancelled expired,0,clock");
    UUID again = UUID.randomUUID();
    new RetryStore(database.dataSource())
        .retry(new RetryStore.Wanted(cancelled, again, ME, null, HASH, Call.NONE));
    assertThat(eventsOf(again)).isEqualTo(">queued 0,client tester");
    Report report = check(false);
    assertThat(report.violations()).isEmpty();
    assertThat(report.jobs()).isEqualTo(5);
    assertThat(check(true).violations())
        .extracting(Violation::job)
        .containsExactlyInAnyOrder(held.toString(), again.toString());
  }

  @Test
  void retentionTakesTheEventsWithTheJob() throws SQLException {
    lived();
    database.execute(
        "UPDATE errand.jobs SET created_at = now() - interval '9 days',"
            + " finished_at = now() - interval '9 days'");
    assertThat(
            new Housekeeping(database.dataSource())
                .removeFinished("succeeded", Duration.ofDays(2), 10))
        .isEqualTo(1);
    assertThat(database.value("SELECT count(*) FROM errand.job_events")).isEqualTo("0");
    assertThat(check(true).violations()).isEmpty();
  }

  @Test
  void theAuditorNamesTheRuleAndTheJob() throws SQLException {
    UUID id = lived();
    String events =
        "INSERT INTO errand.job_events (job_id, from_state, to_state, reason, attempt, actor)";
    database.execute(events + " VALUES ('" + id + "', 'succeeded', 'queued', NULL, 2, 'x')");
    assertBroken("I3", id);
    assertBroken("H1", id);
    assertBroken("H2", id);

    UUID twice = submit();
    claim(1);
    database.execute(events + " VALUES ('" + twice + "', 'running', 'running', NULL, 2, 'x')");
    assertBroken("I2", twice);
    assertBroken("I5", twice);

    UUID stale = submit();
    completes.complete(List.of(ended(claim(1).get(0), Outcome.SUCCESS, 0)), "worker w");
    database.execute(
        "UPDATE errand.job_events SET claim_token = gen_random_uuid()"
            + " WHERE to_state = 'succeeded' AND job_id = '"
            + stale
            + "'");
    assertBroken("I4", stale);

    UUID loud = lived();
    database.execute(
        "UPDATE errand.attempts SET stdout = repeat('x', 101)::bytea, stdout_bytes = 101,"
            + " stdout_dropped_bytes = 0 WHERE job_id = '"
            + loud
            + "'");
    assertBroken("I7", loud);

    UUID keyed = UUID.randomUUID();
    database.execute("INSERT INTO errand.idempotency_keys VALUES ('tester', 'k', '" + keyed + "')");
    assertBroken("I1", keyed);
    database.execute("UPDATE errand.jobs SET idempotency_key = 'k' WHERE id = '" + loud + "'");
    assertBroken("I9", loud);

    UUID forgotten = lived();
    database.execute("DELETE FROM errand.attempts WHERE job_id = '" + forgotten + "'");
    assertBroken("H3", forgotten);
    UUID renamed = lived();
    database.execute(
        "UPDATE errand.job_events SET reason = 'timeout'"
            + " WHERE to_state = 'succeeded' AND job_id = '"
            + renamed
            + "'");
    assertBroken("H1", renamed);
    UUID shared = lived();
    database.execute(
        "UPDATE errand.job_events e SET claim_token = (SELECT claim_token FROM errand.job_events o"
            + " WHERE o.job_id = e.job_id AND o.attempt = 1 LIMIT 1) WHERE job_id = '"
            + shared
            + "'");
    assertBroken("I2", shared);
    UUID erased = lived();
    database.execute("DELETE FROM errand.job_events WHERE job_id = '" + erased + "'");
    assertBroken("H1", erased);
    submit(job(spec(1, OnLost.RETRY, null, null), "mine", HASH));
    database.execute("DELETE FROM errand.idempotency_keys WHERE idempotency_key = 'mine'");
    assertThat(check(false).violations())
        .extracting(Violation::rule)
        .anyMatch(r -> r.startsWith("I9"));

    UUID silent = submit();
    database.execute("DELETE FROM errand.job_events WHERE job_id = '" + silent + "'");
    assertBroken("H1", silent);
    database.execute("UPDATE errand.queue_counts SET jobs = jobs + 1");
    assertThat(check(false).violations())
        .extracting(Violation::rule)
        .anyMatch(r -> r.startsWith("H3"));
  }

  @Test
  void aLedgerIsHeldAgainstTheClaims(@TempDir Path folder) throws SQLException, IOException {
    UUID id = submit();
    ClaimedJob first = claim(1).get(0);
    completes.complete(List.of(ended(first, Outcome.EXIT_CODE, 1)), "worker w");
    database.execute("UPDATE errand.jobs SET run_at = now() WHERE state = 'retrying'");
    ClaimedJob second = claim(1).get(0);
    String one = id + " 1 " + first.token();
    String two = id + " 2 " + second.token();
    assertThat(ledger(folder, one + " start", one + " alive", two + " start", two + " end"))
        .isEmpty();
    assertThat(ledger(folder, one + " start", two + " start", one + " alive"))
        .containsExactly("I6 no two tries of a job at once");
    assertThat(ledger(folder, one + " start", one + " start")).hasSize(1);
    assertThat(ledger(folder, id + " 1 " + UUID.randomUUID() + " start")).hasSize(1);
    assertThat(ledger(folder, "", one + " start", "")).isEmpty();
    assertThat(ledger(folder, id + " 7 " + first.token() + " start")).hasSize(1);
    Path accepted =
        Files.writeString(folder.resolve("accepted"), id + "\n" + UUID.randomUUID() + "\n");
    try (Connection connection = database.dataSource().getConnection()) {
      assertThat(CommandLogCheck.accepted(connection, accepted)).hasSize(1);
    }
  }

  private List<String> ledger(Path folder, String... lines) throws SQLException, IOException {
    Path file = Files.write(folder.resolve("ledger"), List.of(lines));
    try (Connection connection = database.dataSource().getConnection()) {
      return CommandLogCheck.starts(connection, file).stream().map(Violation::rule).toList();
    }
  }

  @Test
  void aSubmitTellsWhatItsCommitSurvives() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      assertThat(Durability.check(connection))
          .filteredOn(Durability.Finding::weakens)
          .allMatch(finding -> finding.problem() == null);
    }
    assertThat(durabilityOfSubmit())
        .isEqualTo("disk; fsync=on; synchronous_commit=on; synchronous_standby_names=\"\"");
    database.execute("ALTER DATABASE postgres SET synchronous_commit = off");
    try {
      assertThat(durabilityOfSubmit()).startsWith("memory; ");
      try (Connection fresh = workers.dedicatedConnection("test", 10)) {
        assertThat(Durability.check(fresh))
            .filteredOn(finding -> finding.weakens() && finding.problem() != null)
            .extracting(Durability.Finding::name)
            .containsExactly("database: synchronous_commit = off");
      }
    } finally {
      database.execute("ALTER DATABASE postgres RESET synchronous_commit");
    }
  }

  private String durabilityOfSubmit() throws SQLException {
    return ((Submission.Accepted) submit(job(spec(1, OnLost.RETRY, null, null), null, HASH)))
        .durability();
  }

  @Test
  void aTransactionThatIsLeftOpenIsNamed() throws SQLException {
    try (Connection open = database.dataSource().getConnection();
        Connection other = database.dataSource().getConnection()) {
      open.setAutoCommit(false);
      String pid;
      try (Statement statement = open.createStatement();
          ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
        row.next();
        pid = row.getString(1);
      }
      assertThat(Durability.openTransactions(other, Duration.ZERO))
          .extracting(Durability.Finding::problem)
          .anyMatch(problem -> problem.startsWith("pid " + pid + " "));
      assertThat(Durability.openTransactions(other, Duration.ofHours(1))).isEmpty();
      open.rollback();
    }
  }
}
