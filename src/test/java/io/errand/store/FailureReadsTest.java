package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Access;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.ProjectNames;
import io.errand.store.reads.FailureReads;
import io.errand.store.reads.FailureReads.Failures;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Which failures are grouped. */
class FailureReadsTest extends StoreFixture {
  private Failures newest(String project) throws SQLException {
    return new FailureReads(database.projectReads(), database.dataSource())
        .newest(Access.toProject(project, "tester"));
  }

  @Test
  void thoseOfAnotherProjectTakeNoPlace() throws SQLException {
    UUID failed = submit(spec(1, OnLost.RETRY, null, null));
    completes.complete(List.of(ended(claim(1).get(0), Outcome.EXIT_CODE, 64)), "worker w");
    database.execute("INSERT INTO errand.projects (name) VALUES ('noisy')");
    database.execute(
        """
        INSERT INTO errand.jobs SELECT (jsonb_populate_record(NULL::errand.jobs, to_jsonb(j)
            || jsonb_build_object('id', gen_random_uuid(), 'project', 'noisy', 'queue', 'noisy/q',
               'created_at', now()))).*
        FROM errand.jobs j, generate_series(1, 1500)
        """);
    assertThat(newest(ProjectNames.DEFAULT).failures())
        .singleElement()
        .extracting(FailureReads.Failure::id)
        .isEqualTo(failed);
    assertThat(newest(ProjectNames.DEFAULT).since()).isNull();
    Failures noisy = newest("noisy");
    assertThat(noisy.failures()).hasSize(FailureReads.MOST_JOBS);
    assertThat(noisy.since()).isNotNull();
  }

  @Test
  void thoseThatWereTriedAgainAreLeftOut() throws SQLException {
    UUID failed = submit(spec(1, OnLost.RETRY, null, null));
    completes.complete(List.of(ended(claim(1).get(0), Outcome.EXIT_CODE, 64)), "worker w");
    assertThat(newest(ProjectNames.DEFAULT).failures()).hasSize(1);
    UUID again = submit();
    database.execute(
        "UPDATE errand.jobs SET retry_of = '" + failed + "' WHERE id = '" + again + "'");
    assertThat(newest(ProjectNames.DEFAULT).failures()).isEmpty();
  }
}
