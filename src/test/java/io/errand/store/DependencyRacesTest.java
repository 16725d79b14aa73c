package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Outcome;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.dependencies.DependencyStore;
import io.errand.store.dependencies.DependencyStore.Marked;
import io.errand.store.dependencies.DependencyStore.Position;
import io.errand.store.dependencies.DependencyStore.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What happens when several connections work on the same jobs, in orders that are chosen here. */
class DependencyRacesTest extends DependencyFixture {
  /** A transaction that is left open. */
  private final class Open implements AutoCloseable {
    private final Connection connection;

    Open(String sql) throws SQLException {
      connection = database.dataSource().getConnection();
      connection.setAutoCommit(false);
      execute(sql);
    }

    void execute(String sql) throws SQLException {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    }

    void commit() throws SQLException {
      connection.commit();
    }

    @Override
    public void close() throws SQLException {
      connection.rollback();
      connection.close();
    }
  }

  private static String lock(UUID job) {
    return "SELECT FROM errand.jobs WHERE id = '" + job + "' FOR UPDATE";
  }

  private static String succeedSql(UUID job) {
    return "UPDATE errand.jobs SET state = 'succeeded', reason = 'success', exit_code = 0,"
        + " finished_at = now(), worker_id = NULL, claim_token = NULL WHERE id = '"
        + job
        + "'";
  }

  @Test
  void aJobThatEndsWhileAnotherIsSubmittedAfterItIsNoticed() throws SQLException {
    UUID first = submit();
    claimOne(first);
    UUID waiting;
    try (Open completion = new Open(succeedSql(first))) {
      waiting = submitAfter(first); // does not wait for the completion, and does not see it
      assertThat(value("waits_for_jobs", waiting)).isEqualTo("1");
      assertThat(dependencies.mark()).isEqualTo(new Marked(1, 0, 0, 0));
      completion.commit();
    }
    resolve();
    claimOne(waiting);
  }

  @Test
  void aJobThatEndsBetweenTheMarkAndTheNextLookIsNoticed() throws SQLException {
    UUID first = submit();
    claimOne(first);
    UUID waiting = submitAfter(first);
    try (Open completion = new Open("SELECT 1")) {
      assertThat(dependencies.mark()).isEqualTo(new Marked(1, 1, 0, 0));
      completion.execute(succeedSql(first));
      assertThat(dependencies.tell(Position.START).told()).isZero();
      completion.commit();
    }
    assertThat(dependencies.tell(Position.START).ready()).isEqualTo(1);
    claimOne(waiting);
  }

  @Test
  void aSubmitThatCommitsAfterOthersHaveBeenToldIsNotForgotten() throws SQLException {
    UUID first = submit();
    UUID told = submitAfter(first);
    ClaimedJob claimed = claimOne(first);
    UUID late = UUID.randomUUID();
    try (Open submit =
        new Open(
            "INSERT INTO errand.job_dependencies (job_id, after_id) VALUES ('"
                + late
                + "', '"
                + first
                + "')")) {
      submit.execute(
          "INSERT INTO errand.jobs SELECT (jsonb_populate_record(j, jsonb_build_object('id', '"
              + late
              + "'))).* FROM errand.jobs j WHERE id = '"
              + told
              + "'");
      end(claimed, Outcome.SUCCESS, 0);
      resolve();
      assertThat(value("has_dependents", first)).isEqualTo("f");
      submit.commit();
    }
    assertThat(value("waits_for_jobs", late)).isEqualTo("1");
    resolve();
    assertThat(claim(9)).extracting(ClaimedJob::id).containsExactlyInAnyOrder(told, late);
  }

  @Test
  void aJobThatIsCancelledMeanwhileStaysCancelled() throws SQLException {
    UUID first = submit();
    UUID waiting = submitAfter(first);
    UUID other = submitAfter(first);
    dependencies.mark();
    succeed(first);
    try (Open cancel =
        new Open(
            "UPDATE errand.jobs SET state = 'cancelled', reason = 'cancelled', finished_at = now()"
                + " WHERE id = '"
                + waiting
                + "'")) {
      Step step = dependencies.tell(Position.START);
      assertThat(step.told()).isEqualTo(1);
      assertThat(step.someLeft()).isTrue();
      assertThat(value("has_dependents", first)).isEqualTo("t");
      cancel.commit();
    }
    tellAll(false);
    assertThat(stateOf(waiting)).isEqualTo("cancelled:cancelled");
    assertThat(value("has_dependents", first)).isEqualTo("f");
    claimOne(other);
  }

  @Test
  void aJobThatSomebodyHasLockedIsToldWhenTheLockIsGone() throws SQLException {
    UUID first = submit();
    UUID waiting = submitAfter(first);
    dependencies.mark();
    succeed(first);
    try (Open lock = new Open(lock(waiting))) {
      Step step = dependencies.tell(Position.START);
      assertThat(step.told()).isZero();
      assertThat(step.someLeft()).isTrue();
      lock.commit();
    }
    tellAll(false);
    claimOne(waiting);
  }

  @Test
  void whatAnotherProcessIsAtIsLeftToIt() throws SQLException {
    List<UUID> firsts = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      firsts.add(submit());
    }
    UUID waiting = submitAfter(firsts.toArray(UUID[]::new));
    dependencies.mark();
    for (ClaimedJob one : claim(9)) {
      end(one, Outcome.SUCCESS, 0);
    }
    try (Open process = new Open(lock(firsts.get(0)))) {
      process.execute(lock(firsts.get(2)));
      assertThat(dependencies.tell(Position.START).told()).isEqualTo(2);
      assertThat(dependencies.tell(Position.START).told()).isZero();
      assertThat(value("waits_for_jobs", waiting)).isEqualTo("2");
    }
    assertThat(new DependencyStore(database.dataSource()).tell(Position.START).ready())
        .isEqualTo(1);
    claimOne(waiting);
    assertThat(violations()).isEmpty();
  }

  @Test
  void manyProcessesTellEachJobExactlyOnce() throws Exception {
    List<UUID> firsts = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      firsts.add(submit());
    }
    List<UUID> waiting = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      waiting.add(submitAfter(firsts.toArray(UUID[]::new)));
    }
    List<Thread> processes = new ArrayList<>();
    List<Throwable> faults = new ArrayList<>();
    List<ClaimedJob> claimed = claim(60);
    for (int i = 0; i < 4; i++) {
      DependencyStore process = new DependencyStore(database.dataSource());
      Thread thread =
          new Thread(
              () -> {
                try {
                  while (!"20"
                      .equals(
                          database.value(
                              "SELECT count(*) FROM errand.jobs WHERE after IS NOT NULL AND waits_for_jobs = 0"))) {
                    process.mark();
                    Position position = Position.START;
                    while (position != null) {
                      position = process.tell(position).next();
                    }
                  }
                } catch (SQLException | RuntimeException e) {
                  synchronized (faults) {
                    faults.add(e);
                  }
                }
              });
      thread.start();
      processes.add(thread);
    }
    for (ClaimedJob one : claimed) {
      end(one, Outcome.SUCCESS, 0);
    }
    for (Thread process : processes) {
      process.join(60_000);
      assertThat(process.isAlive()).isFalse();
    }
    assertThat(faults).isEmpty();
    resolve();
    assertThat(claim(60)).extracting(ClaimedJob::id).containsExactlyInAnyOrderElementsOf(waiting);
    assertThat(violations()).isEmpty();
  }

  @Test
  void aJobThatWasRemovedBeforeItWasMarkedCountsAsItEnded() throws SQLException {
    UUID succeeded = submit();
    UUID failed = submit();
    UUID ready = submitAfter(succeeded);
    UUID cancelled = submitAfter(succeeded, failed);
    database.execute(
        "INSERT INTO errand.removed_jobs (id, principal, state) VALUES ('"
            + succeeded
            + "', 'tester', 'succeeded'), ('"
            + failed
            + "', 'tester', 'failed')");
    database.execute("DELETE FROM errand.jobs WHERE id IN ('" + succeeded + "', '" + failed + "')");
    Marked marked = dependencies.mark();
    assertThat(marked.ready()).isEqualTo(1);
    assertThat(marked.cancelled()).isEqualTo(1);
    claimOne(ready);
    assertThat(value("detail", cancelled)).isEqualTo("job " + failed + " failed");
  }
}
