package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.control.Housekeeping;
import io.errand.store.submit.Submission;
import io.errand.store.submit.SubmitStore;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What one look tells of the work that time demands. */
class HousekeepingTest extends StoreFixture {
  @Test
  void aLookTellsWhetherAnyJobIsUnfinished() throws Exception {
    Housekeeping housekeeping = new Housekeeping(database.dataSource());
    assertThat(housekeeping.due(1_000).unfinished()).isFalse();
    submit();
    assertThat(housekeeping.due(1_000).unfinished()).isTrue();
    ClaimedJob job = claim(1).get(0);
    assertThat(housekeeping.due(1_000).unfinished()).isTrue();
    completes.complete(List.of(ended(job, Outcome.SUCCESS, 0)), "worker w");
    assertThat(housekeeping.due(1_000).unfinished()).isFalse();
  }

  @Test
  void statementsThatAreRolledBackLeaveNothing() throws Exception {
    new RolledBack(database.dataSource())
        .run(
            source -> {
              List<Submission> answers =
                  new SubmitStore(source)
                      .submitEach(
                          List.of(job(spec(3, OnLost.RETRY, null, null), "k", HASH)), false);
              assertThat(answers.get(0)).isInstanceOf(Submission.Accepted.class);
            });
    for (String table : List.of("jobs", "job_events", "queue_counts", "idempotency_keys")) {
      assertThat(database.value("SELECT count(*) FROM errand." + table)).isEqualTo("0");
    }
  }
}
