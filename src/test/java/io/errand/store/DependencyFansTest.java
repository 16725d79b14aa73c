package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.OnDependencyFailure;
import io.errand.job.OnLost;
import io.errand.store.dependencies.DependencyStore;
import io.errand.store.dependencies.DependencyStore.Position;
import io.errand.store.dependencies.DependencyStore.Step;
import io.errand.store.submit.Dependencies;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.Submission;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Ten thousand jobs that wait for one, and one that waits for ten thousand. */
class DependencyFansTest extends DependencyFixture {
  private static final int MANY = 10_000;

  private List<UUID> submitMany(int count, Dependencies after) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    for (int from = 0; from < count; from += 1_000) {
      List<NewJob> batch = new ArrayList<>();
      for (int i = from; i < Math.min(count, from + 1_000); i++) {
        NewJob job = job(spec(3, OnLost.RETRY, null, null), null, HASH);
        batch.add(after.isEmpty() ? job : job.waitingFor(after));
        ids.add(job.id());
      }
      assertThat(
              after.isEmpty()
                  ? submits.submitAll(batch)
                  : dependents.submitAll(candidates(batch.toArray(NewJob[]::new))))
          .allMatch(Submission.Accepted.class::isInstance);
    }
    return ids;
  }

  private void finishAll(String state) throws SQLException {
    database.execute(
        "UPDATE errand.jobs SET state = '"
            + state
            + "', reason = CASE '"
            + state
            + "' WHEN 'succeeded' THEN 'success' ELSE 'exit_code' END, exit_code = 0, attempt = 1,"
            + " charged_attempts = 1, finished_at = now() WHERE waits_for_jobs = 0");
  }

  @Test
  void aJobThatTenThousandWaitForTellsThemInTenSteps() throws SQLException {
    UUID first = submit();
    submitMany(MANY, new Dependencies(List.of(first), OnDependencyFailure.CANCEL));
    assertThat(claim(9)).hasSize(1);
    assertThat(dependencies.mark().found()).isEqualTo(1_000);
    while (dependencies.mark().found() > 0) {
      // the next thousand
    }
    database.execute(
        "UPDATE errand.jobs SET state = 'succeeded', reason = 'success', exit_code = 0,"
            + " finished_at = now(), worker_id = NULL, claim_token = NULL WHERE state = 'running'");
    int ready = 0;
    int steps = 0;
    Position position = Position.START;
    while (position != null) {
      // Another process each time: what it has to know is in the database and in the position.
      Step step = new DependencyStore(database.dataSource()).tell(position);
      ready += step.ready();
      steps++;
      position = step.next();
    }
    assertThat(ready).isEqualTo(MANY);
    assertThat(steps).isEqualTo(MANY / 1_000 + 1); // the last finds that none is left
    assertThat(value("has_dependents", first)).isEqualTo("f");
    assertThat(claim(9)).hasSize(9);
  }

  @Test
  void aFailureCancelsAllThatWaitAndCountsThem() throws SQLException {
    UUID first = submit();
    submitMany(2_500, new Dependencies(List.of(first), OnDependencyFailure.CANCEL));
    finishAll("failed");
    assertThat(resolve()).isEqualTo(3);
    assertThat(
            database.value("SELECT sum(jobs) FROM errand.queue_counts WHERE state = 'cancelled'"))
        .isEqualTo("2500");
    assertThat(database.value("SELECT count(*) FROM errand.job_events WHERE actor = 'dependency'"))
        .isEqualTo("2500");
  }

  private long readForFans(int size) throws SQLException {
    database = Database.emptied();
    long before = database.rowsRead();
    List<UUID> out =
        submitMany(size, new Dependencies(List.of(submit()), OnDependencyFailure.CANCEL));
    stored(
        job(spec(3, OnLost.RETRY, null, null), null, HASH)
            .waitingFor(new Dependencies(out, OnDependencyFailure.CANCEL)));
    finishAll("succeeded");
    resolve();
    finishAll("succeeded");
    resolve();
    assertThat(database.value("SELECT count(*) FROM errand.jobs WHERE waits_for_jobs > 0"))
        .isEqualTo("0");
    return database.rowsRead() - before;
  }

  @Test
  void fiveTimesTheJobsReadFiveTimesTheRows() throws SQLException {
    readForFans(10); // so that what a first session reads is not counted
    long small = readForFans(1_000);
    long large = readForFans(5_000);
    assertThat(small).isGreaterThan(2_000);
    assertThat(large).isLessThan(7 * small);
  }

  /** The statistics of the tables are then those of other jobs, until they are analyzed again. */
  @Test
  void statisticsOfOneFanDoNotMakeTheNextReadMore() throws SQLException {
    submitMany(2_000, new Dependencies(List.of(submit()), OnDependencyFailure.CANCEL));
    database.execute("ANALYZE errand.jobs, errand.job_dependencies");
    try {
      long small = readForFans(1_000);
      long large = readForFans(5_000);
      assertThat(large).isLessThan(7 * small);
    } finally {
      Database.emptied().execute("ANALYZE errand.jobs, errand.job_dependencies");
    }
  }

  @Test
  void aJobThatWaitsForTenThousandIsWrittenOnceForEachThousandThatEndTogether()
      throws SQLException {
    List<UUID> firsts = submitMany(MANY, Dependencies.NONE);
    UUID waiting =
        stored(
            job(spec(3, OnLost.RETRY, null, null), null, HASH)
                .waitingFor(new Dependencies(firsts, OnDependencyFailure.CANCEL)));
    assertThat(value("waits_for_jobs", waiting)).isEqualTo("10000");
    finishAll("succeeded");
    assertThat(resolve()).isLessThanOrEqualTo(MANY / 1_000 + 1);
    claimOne(waiting);
    assertThat(database.value("SELECT count(*) FROM errand.jobs WHERE has_dependents"))
        .isEqualTo("0");
  }

  @Test
  void aChainOfFailuresIsFollowedToItsEnd() throws SQLException {
    UUID last = submit();
    for (int i = 0; i < 50; i++) {
      last = submitAfter(last);
    }
    finishAll("failed");
    resolve();
    assertThat(stateOf(last)).isEqualTo("cancelled:dependency_failed");
  }
}
