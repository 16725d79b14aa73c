package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.OnDependencyFailure;
import io.errand.store.control.Housekeeping;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** Jobs that are submitted by SQL and wait for others. */
class SqlSubmitAfterTest extends SqlSubmitFixture {
  private static final String NOBODY = "00000000-0000-7000-8000-000000000000";

  private static String waitingFor(Object... ids) {
    return "ARRAY['true'], after => '{"
        + Arrays.stream(ids).map(Object::toString).collect(Collectors.joining(","))
        + "}'";
  }

  private UUID submitted() throws SQLException {
    return submit(app, "ARRAY['true']");
  }

  private void assertRefused(String arguments, String words) {
    assertThatThrownBy(() -> submit(app, arguments))
        .isInstanceOfSatisfying(
            SQLException.class,
            fault -> {
              assertThat(fault.getSQLState()).isEqualTo("22023");
              assertThat(message(fault)).isEqualTo(words);
            });
  }

  @Test
  void aJobWaitsForEachThatItNames() throws SQLException {
    UUID first = submitted();
    UUID second = submitted();
    UUID last = submit(app, waitingFor(first, second, first));
    assertThat(value("after::text || ' ' || on_dependency_failure || waits_for_jobs", last))
        .isEqualTo("{" + first + "," + second + "} cancel2");
    assertThat(claim(9)).hasSize(2).noneMatch(job -> job.id().equals(last));
    assertThat(violations()).isEmpty();
  }

  @Test
  void itStartsOnceTheyHaveFinishedAndOneThatHasFinishedCountsAtOnce() throws SQLException {
    UUID first = submitted();
    UUID last = submit(app, waitingFor(first));
    succeed(first);
    resolve();
    succeed(last);
    UUID later = submit(app, waitingFor(first, last));
    assertThat(value("waits_for_jobs || ' ' || waits_for_key", later)).isEqualTo("0 false");
    succeed(later);
    resolve();
    assertThat(violations()).isEmpty();
  }

  @Test
  void aFailureCancelsItUnlessItIsToRun() throws SQLException {
    UUID first = submitted();
    fail(first);
    UUID cancelled = submit(app, waitingFor(first));
    UUID runs = submit(app, waitingFor(first) + ", on_dependency_failure => 'run'");
    resolve();
    assertThat(value("state || ' ' || reason", cancelled)).isEqualTo("cancelled dependency_failed");
    succeed(runs);
    assertThat(violations()).isEmpty();
  }

  /** The commit is what makes it known, so what it waits for can have ended long before. */
  @Test
  void whatFinishesBeforeTheCommitIsNoticedAfterIt() throws Exception {
    UUID first = submitted();
    try (Connection listening = database.dataSource().getConnection()) {
      execute(listening, "LISTEN errand");
      app.setAutoCommit(false);
      UUID last = submit(app, waitingFor(first));
      succeed(first);
      resolve();
      listening.unwrap(PGConnection.class).getNotifications();
      app.commit();
      assertThat(listening.unwrap(PGConnection.class).getNotifications(10_000))
          .extracting(org.postgresql.PGNotification::getParameter)
          .contains("finished");
      assertThat(claim(9)).isEmpty();
      resolve();
      succeed(last);
    }
    assertThat(violations()).isEmpty();
  }

  /** Removed by retention, even: how a job ended is known for as long as its id. */
  @Test
  void whatIsRemovedBeforeTheCommitIsNoticedToo() throws SQLException {
    UUID first = submitted();
    app.setAutoCommit(false);
    UUID last = submit(app, waitingFor(first));
    succeed(first);
    remove(first);
    app.commit();
    resolve();
    succeed(last);
    assertThat(violations()).isEmpty();
  }

  private void remove(UUID job) throws SQLException {
    database.execute(
        "UPDATE errand.jobs SET created_at = now() - interval '9 days',"
            + " finished_at = now() - interval '9 days' WHERE id = '"
            + job
            + "'");
    assertThat(
            new Housekeeping(database.dataSource())
                .removeFinished("succeeded", Duration.ofDays(1), 9))
        .isEqualTo(1);
  }

  @Test
  void jobsOfOneTransactionCanNameEachOther() throws SQLException {
    app.setAutoCommit(false);
    UUID first = submitted();
    UUID last = submit(app, waitingFor(first));
    app.commit();
    resolve();
    succeed(first);
    resolve();
    succeed(last);
    execute(
        app,
        "WITH one AS (SELECT errand.submit(ARRAY['true']) AS id)"
            + " SELECT errand.submit(ARRAY['true'], after => ARRAY[id]) FROM one");
    app.commit();
    resolve();
    assertThat(count("jobs WHERE waits_for_jobs = 1")).isEqualTo("1");
    assertThat(violations()).isEmpty();
  }

  @Test
  void onlyJobsOfTheCallerThatAreThereCanBeNamed() throws SQLException {
    UUID own = submitted();
    UUID others = submit();
    UUID waits = stored(after(null, OnDependencyFailure.CANCEL, others));
    assertRefused(
        waitingFor(own, NOBODY), "after[1]: names job " + NOBODY + ", which does not exist");
    assertRefused(
        waitingFor(own, own, others), "after[2]: names job " + others + ", which does not exist");
    assertRefused(waitingFor(waits), "after[0]: names job " + waits + ", which does not exist");
    control.cancel(others, ME);
    control.cancel(waits, ME);
    resolve();
    succeed(own);
    remove(own);
    assertRefused(
        waitingFor(own),
        "after[0]: names job " + own + ", which has been removed since it finished");
    assertThat(count("jobs")).isEqualTo("2");
    assertThat(count("submits_to_admit")).isEqualTo("0");
  }

  @Test
  void whatIsNoListOfJobsIsRefused() throws SQLException {
    UUID own = submitted();
    assertRefused(waitingFor(own, "NULL"), "after[1]: must be the id of a job");
    assertRefused(waitingFor("NULL"), "after[0]: must be the id of a job");
    assertRefused(
        "ARRAY['true'], after => '{{" + own + "},{" + own + "}}'",
        "after: must be a list of at most 10000");
    assertRefused(
        "ARRAY['true'], after => array_fill('" + own + "'::uuid, '{10001}')",
        "after: must be a list of at most 10000");
    assertRefused(
        waitingFor(own) + ", on_dependency_failure => 'ignore'",
        "on_dependency_failure: must be one of cancel, run");
    assertRefused(
        "ARRAY['true'], on_dependency_failure => 'run'",
        "on_dependency_failure: is allowed with after only");
    assertThatThrownBy(() -> submit(app, waitingFor("x")))
        .hasMessageContaining("invalid input syntax for type uuid");
    assertThat(count("jobs")).isEqualTo("1");
    submit(app, waitingFor() + ", on_dependency_failure => 'run'"); // as of the API
    submit(app, waitingFor("[7:7]={" + own + "}").replace("'{[7", "'[7").replace("}}'", "}'"));
    assertThat(count("jobs")).isEqualTo("3");
  }

  @Test
  void aRepeatIsAnsweredBeforeItIsLookedAtWhatItWaitsFor() throws SQLException {
    UUID first = submitted();
    String key = ", idempotency_key => 'k'";
    UUID last = submit(app, waitingFor(first) + key);
    assertThat(submit(app, waitingFor(first, first) + ", on_dependency_failure => 'cancel'" + key))
        .isEqualTo(last);
    assertThatThrownBy(() -> submit(app, waitingFor(NOBODY) + key))
        .hasMessageContaining("was used with another request");
    assertThatThrownBy(() -> submit(app, "ARRAY['true']" + key))
        .hasMessageContaining("was used with another request");
    succeed(first);
    resolve();
    succeed(last);
    remove(first);
    assertThat(submit(app, waitingFor(first) + key)).isEqualTo(last);
  }

  @Test
  void aListOfTenThousandIsTaken() throws SQLException {
    app.setAutoCommit(false);
    execute(
        app,
        "CREATE TEMP TABLE ids AS SELECT errand.submit(ARRAY['true']) AS id"
            + " FROM generate_series(1, 2000)");
    UUID last =
        submit(
            app, "ARRAY['true'], after => (SELECT array_agg(id) FROM ids, generate_series(1, 5))");
    app.commit();
    assertThat(value("waits_for_jobs", last)).isEqualTo("2000");
    assertThat(count("job_dependencies")).isEqualTo("2000");
  }
}
