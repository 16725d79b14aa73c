package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Access;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.ProjectNames;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.reads.ExplainReads;
import io.errand.store.reads.ExplainReads.Facts;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What is read to explain a job. */
class ExplainReadsTest extends StoreFixture {
  private static final int MANY = 30_000;

  /** Of other queues a thousand jobs are looked at. */
  private static final int MOST_READ = 3_000;

  private Facts facts(UUID id) throws SQLException {
    return new ExplainReads(database.projectReads()).facts(id, ME).orElseThrow();
  }

  @Test
  void aJobIsExplainedByItsFieldsItsQueueItsKeyAndTheWorkers() throws SQLException {
    UUID first = submit(spec(3, OnLost.RETRY, "key", null));
    UUID second = submit(spec(3, OnLost.RETRY, "key", null));
    UUID third = submit();
    claim(1);
    database.execute(
        "INSERT INTO errand.queues (name, max_running, rate_per_second, tokens, tokens_at,"
            + " circuit_state, circuit_probe_at)"
            + " VALUES ('default', 1, 0.001, 0, now(), 'open', 'infinity')");
    Facts facts = facts(second);
    assertThat(facts.state()).isEqualTo("queued");
    assertThat(facts.runningOfKey()).isEqualTo(1);
    assertThat(facts.concurrencyLimit()).isEqualTo(1);
    assertThat(facts.runningOfQueue()).isEqualTo(1);
    assertThat(facts.tokens()).isLessThan(1);
    assertThat(facts.circuitState()).isEqualTo("open");
    assertThat(facts.circuitProbeAt()).isNull();
    assertThat(facts.workers()).isEqualTo(1);
    assertThat(facts.ableWorkers()).isEqualTo(1);
    assertThat(facts.slots()).isEqualTo(4);
    assertThat(facts(third).ahead()).isEqualTo(1);
    assertThat(facts(first).state()).isEqualTo("running");
    assertThat(facts(first).worker()).isEqualTo("w");
  }

  @Test
  void aWorkerIsAbleIfItOffersWhatTheJobAsksFor() throws SQLException {
    UUID id = submit();
    database.execute("UPDATE errand.jobs SET sandbox = '{}' WHERE id = '" + id + "'");
    assertThat(facts(id).workers()).isEqualTo(1);
    assertThat(facts(id).ableWorkers()).isZero();
    database.execute("UPDATE errand.workers SET queues = '{other}'");
    assertThat(facts(id).workers()).isZero();
  }

  @Test
  void thePaceIsThatOfTheJobsOfTheQueueThatEndedLast() throws SQLException {
    UUID id = submit();
    assertThat(facts(id).longestSeconds()).isNull();
    ClaimedJob done = claim(1).get(0);
    completes.complete(List.of(ended(done, Outcome.SUCCESS, 0)), "worker w");
    assertThat(facts(submit()).longestSeconds()).isEqualTo(1.5);
  }

  @Test
  void anotherCallersJobIsNotThere() throws SQLException {
    assertThat(
            new ExplainReads(database.projectReads())
                .facts(submit(), Access.toOwn(ProjectNames.DEFAULT, "somebody else")))
        .isEmpty();
  }

  @Test
  void jobsBehindItAreNotRead() throws SQLException {
    UUID first = submit();
    database.fill(MANY, "default", 0, "now() - interval '1 minute'");
    database.execute("UPDATE errand.jobs SET priority = get_byte(uuid_send(id), 15) % 5");
    database.execute("UPDATE errand.jobs SET priority = 5 WHERE id = '" + first + "'");
    assertThat(rowsReadFor(first)).isLessThan(MOST_READ);
  }

  @Test
  void jobsOfAnotherQueueThatIsFullAreNotRead() throws SQLException {
    UUID alone = submit();
    database.execute("UPDATE errand.jobs SET queue = 'small'");
    database.fill(MANY, "default", 0, "now() - interval '1 minute'");
    assertThat(rowsReadFor(alone)).isLessThan(MOST_READ);
  }

  @Test
  void jobsOfAHigherPriorityThatAreNotDueAreNotRead() throws SQLException {
    UUID due = submit();
    database.fill(MANY, "default", 1, "now() + interval '1 hour'");
    assertThat(rowsReadFor(due)).isLessThan(MOST_READ);
  }

  @Test
  void jobsThatHaveFinishedAreNotRead() throws SQLException {
    database.fill(MANY, "default", 0, "now() - interval '1 minute'");
    database.execute(
        "UPDATE errand.jobs SET state = 'cancelled', reason = 'requested', finished_at = now()");
    UUID alone = submit();
    database.execute("UPDATE errand.jobs SET queue = 'small' WHERE id = '" + alone + "'");
    assertThat(rowsReadFor(alone)).isLessThan(MOST_READ);
  }

  /** How many rows and entries of indexes are read to explain a job. */
  private long rowsReadFor(UUID job) throws SQLException {
    database.execute("VACUUM ANALYZE errand.jobs");
    long before = database.rowsRead();
    facts(job);
    return database.rowsRead() - before;
  }
}
