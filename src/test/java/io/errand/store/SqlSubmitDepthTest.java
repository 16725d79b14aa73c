package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.OnLost;
import io.errand.store.submit.AdmittingStore;
import io.errand.store.submit.Submission;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The {@code max_depth} of a queue against jobs that are submitted by SQL, in transactions. */
class SqlSubmitDepthTest extends SqlSubmitFixture {
  private static final String SUBMIT = "ARRAY['true']";
  private static final int SESSIONS = 12;

  @BeforeEach
  void limit() throws SQLException {
    database.execute("INSERT INTO errand.queues (name, max_depth) VALUES ('default', 5)");
  }

  private static void assertFull(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SQLException.class,
            fault -> {
              assertThat(fault.getSQLState()).isEqualTo("ER429");
              assertThat(message(fault))
                  .contains("default has as many waiting jobs as its max_depth, 5, allows");
            });
  }

  /** None of them sees the job of another when it submits its own. */
  @Test
  void ofTransactionsThatAreOpenAtTheSameTimeAsManyCommitAsThereIsRoomFor() throws Exception {
    List<Connection> sessions = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(SESSIONS);
    try {
      List<Callable<Boolean>> commits = new ArrayList<>();
      for (int i = 0; i < SESSIONS; i++) {
        Connection session = connect();
        sessions.add(session);
        session.setAutoCommit(false);
        submit(session, SUBMIT);
        commits.add(() -> commits(session));
      }
      int committed = 0;
      for (Future<Boolean> one : threads.invokeAll(commits)) {
        committed += one.get() ? 1 : 0;
      }
      assertThat(committed).isEqualTo(5);
      assertThat(count("jobs")).isEqualTo("5");
      assertThat(count("submits_to_admit")).isEqualTo("0");
      assertThat(violations()).isEmpty();
    } finally {
      threads.shutdownNow();
      for (Connection session : sessions) {
        session.close();
      }
    }
  }

  private static boolean commits(Connection session) throws SQLException {
    try {
      session.commit();
      return true;
    } catch (SQLException e) {
      assertThat(e.getSQLState()).isEqualTo("ER429");
      return false;
    }
  }

  /** So a transaction that stays open holds up nobody. */
  @Test
  void theApiSubmitsWhileATransactionIsOpenAndTakesTheLastPlaces() throws SQLException {
    app.setAutoCommit(false);
    submit(app, SUBMIT);
    for (int i = 0; i < 5; i++) {
      assertThat(
              new AdmittingStore(database.dataSource())
                  .submitEach(candidates(job(spec(1, OnLost.RETRY, null, null), null, HASH)), false)
                  .get(0))
          .isInstanceOf(Submission.Accepted.class);
    }
    assertFull(app::commit);
    assertThat(count("jobs")).isEqualTo("5");
  }

  @Test
  void whatATransactionHasSubmittedItselfCountsAndASavepointGivesItBack() throws SQLException {
    app.setAutoCommit(false);
    for (int i = 0; i < 4; i++) {
      submit(app, SUBMIT);
    }
    Savepoint before = app.setSavepoint();
    submit(app, SUBMIT);
    Savepoint full = app.setSavepoint();
    assertFull(() -> submit(app, SUBMIT));
    app.rollback(full);
    app.rollback(before);
    submit(app, SUBMIT + ", idempotency_key => 'k'");
    submit(app, SUBMIT + ", idempotency_key => 'k'"); // no new job
    app.commit();
    assertThat(count("jobs")).isEqualTo("5");
    submit(app, SUBMIT + ", idempotency_key => 'k'");
    app.commit();
    assertFull(() -> submit(app, SUBMIT));
    app.rollback();
    submit(app, SUBMIT + ", queue => 'other'");
    app.commit();
  }

  @Test
  void whoeverWantsTheAnswerBeforeTheCommitGetsItThen() throws SQLException {
    app.setAutoCommit(false);
    execute(app, "SET CONSTRAINTS errand.submits_are_admitted IMMEDIATE");
    for (int i = 0; i < 5; i++) {
      submit(app, SUBMIT);
    }
    assertFull(() -> submit(app, SUBMIT));
    app.rollback();
    assertThat(count("jobs")).isEqualTo("0");
  }

  /** Its snapshot is older than what other transactions commit. */
  @Test
  void aTransactionThatCannotCountIsRefused() throws SQLException {
    app.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    submit(app, SUBMIT + ", queue => 'other'");
    assertThatThrownBy(() -> submit(app, SUBMIT))
        .isInstanceOfSatisfying(
            SQLException.class, fault -> assertThat(fault.getSQLState()).isEqualTo("25000"))
        .hasMessageContaining("queue: default has a max_depth")
        .hasMessageContaining("READ COMMITTED");
  }

  /** The tables that make it exact are nobody's to change. */
  @Test
  void theRoleCannotTakeItsSubmitsOutOfTheCount() {
    for (String sql :
        List.of(
            "DELETE FROM errand.submits_to_admit",
            "ALTER TABLE errand.submits_to_admit DISABLE TRIGGER ALL",
            "CREATE TEMP TABLE t (queue text); CREATE TRIGGER a AFTER INSERT ON t"
                + " FOR EACH ROW EXECUTE FUNCTION errand.submit_admit()")) {
      assertThatThrownBy(() -> execute(app, sql))
          .as(sql)
          .hasMessageMatching("(?s).*(permission denied|must be owner).*");
    }
  }
}
