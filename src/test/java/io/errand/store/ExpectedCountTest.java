package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Outcome;
import io.errand.store.control.JobUpdate;
import io.errand.store.operations.BulkFilter;
import io.errand.store.operations.Operation;
import io.errand.store.operations.OperationKind;
import io.errand.store.operations.OperationStore;
import io.errand.store.operations.OperationStore.Count;
import io.errand.store.operations.OperationStore.Creation;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Bulk changes that are for exactly so many jobs, against a real PostgreSQL. */
class ExpectedCountTest extends OperationsFixture {
  /** Jobs in a state from which this kind of change is possible. */
  private void prepare(OperationKind kind, int jobs) throws SQLException {
    submitMany(jobs, 1);
    if (kind.isOfFinalJobs()) {
      completes.complete(
          claim(jobs).stream().map(one -> ended(one, Outcome.EXIT_CODE, 64)).toList(), "worker w");
    } else if (kind == OperationKind.RELEASE) {
      completes.complete(
          claim(jobs).stream().map(one -> ended(one, Outcome.LOST, null)).toList(), "rescuer");
    }
  }

  private Creation create(OperationKind kind, long expected) throws SQLException {
    JobUpdate set = kind == OperationKind.UPDATE ? new JobUpdate(7, null, null, false) : null;
    return operations.create(
        new OperationStore.Request(
            UUID.randomUUID(), ME, kind, BulkFilter.all(), set, expected, null, HASH));
  }

  private UUID begin(OperationKind kind, long expected) throws SQLException {
    Creation creation = create(kind, expected);
    assertThat(creation).isInstanceOf(Creation.Created.class);
    return ((Creation.Created) creation).operation().id();
  }

  private Operation finish(UUID id, int mostJobs) throws SQLException {
    for (int i = 0; i < 100 && !find(id).isFinal(); i++) {
      database.execute("UPDATE errand.operations SET next_step_at = '-infinity'");
      steps.step(id, mostJobs);
    }
    return find(id);
  }

  /** As if the transactions of jobs that came after the operation had begun an hour before it. */
  private void beginEarlier() throws SQLException {
    database.execute(
        "UPDATE errand.jobs SET created_at = created_at - interval '1 hour',"
            + " finished_at = finished_at - interval '30 minutes'"
            + " WHERE created_at > (SELECT max(created_at) FROM errand.operations)");
  }

  @ParameterizedTest
  @EnumSource(OperationKind.class)
  void aJobThatIsCommittedAfterTheCountIsNotChangedHoweverOldItIs(OperationKind kind)
      throws SQLException {
    prepare(kind, 3);
    UUID id = begin(kind, 3);
    prepare(kind, 2);
    beginEarlier();
    Operation end = finish(id, 500);
    assertThat(end.state()).isEqualTo("finished");
    assertThat(end.total()).isEqualTo(3);
    assertThat(end.done()).isEqualTo(3);
    assertThat(end.skipped()).isZero();
  }

  @Test
  void allOfManyJobsAreChangedInStepsOfAnySize() throws SQLException {
    submitMany(1_234, 1);
    UUID id = begin(OperationKind.CANCEL, 1_234);
    submitMany(3, 1);
    beginEarlier();
    Operation end = finish(id, 200);
    assertThat(end.done()).isEqualTo(1_234);
    assertThat(end.skipped()).isZero();
    assertThat(database.value("SELECT count(*) FROM errand.jobs WHERE state = 'queued'"))
        .isEqualTo("3");
  }

  @Test
  void jobsThatNoLongerMatchAreSkippedAndNoOthersTakeTheirPlace() throws SQLException {
    submitMany(10, 1);
    UUID id = begin(OperationKind.CANCEL, 10);
    completes.complete(List.of(ended(claim(1).get(0), Outcome.SUCCESS, 0)), "worker w");
    submitMany(1, 1);
    beginEarlier();
    Operation end = finish(id, 4);
    assertThat(end.done()).isEqualTo(9);
    assertThat(end.skipped()).isEqualTo(1);
  }

  @Test
  void anotherNumberChangesNothingAndZeroIsANumber() throws SQLException {
    submitMany(3, 1);
    assertThat(create(OperationKind.CANCEL, 4))
        .isEqualTo(new Creation.Mismatch(new Count(3, false)));
    assertThat(create(OperationKind.CANCEL, 2))
        .isEqualTo(new Creation.Mismatch(new Count(3, false)));
    assertThat(database.value("SELECT count(*) FROM errand.operations")).isEqualTo("0");
    UUID none = begin(OperationKind.RELEASE, 0);
    assertThat(finish(none, 500).state()).isEqualTo("finished");
  }
}
