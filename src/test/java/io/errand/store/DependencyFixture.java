package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.OnDependencyFailure;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.dependencies.DependencyStore;
import io.errand.store.dependencies.DependencyStore.Marked;
import io.errand.store.dependencies.DependencyStore.Position;
import io.errand.store.dependencies.DependencyStore.Step;
import io.errand.store.history.HistoryCheck;
import io.errand.store.history.HistoryCheck.Violation;
import io.errand.store.submit.Candidate;
import io.errand.store.submit.Dependencies;
import io.errand.store.submit.DependentStore;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.Submission;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;

/** A store with jobs that wait for others. */
abstract class DependencyFixture extends StoreFixture {
  DependentStore dependents;
  DependencyStore dependencies;

  @BeforeEach
  void makeDependencies() {
    dependents = new DependentStore(database.dataSource());
    dependencies = new DependencyStore(database.dataSource());
  }

  static NewJob after(@Nullable String key, OnDependencyFailure onFailure, UUID... others) {
    return job(spec(3, OnLost.RETRY, null, null), key, HASH)
        .waitingFor(new Dependencies(List.of(others), onFailure));
  }

  static NewJob after(UUID... others) {
    return after(null, OnDependencyFailure.CANCEL, others);
  }

  /** Jobs that nothing stands against. */
  static List<Candidate> candidates(NewJob... jobs) {
    return Stream.of(jobs).map(job -> new Candidate(job, null)).toList();
  }

  UUID stored(NewJob job) throws SQLException {
    assertThat(dependents.submitAll(candidates(job)).get(0))
        .isInstanceOf(Submission.Accepted.class);
    return job.id();
  }

  UUID submitAfter(UUID... others) throws SQLException {
    return stored(after(others));
  }

  /** Marks and tells until nothing is left, and gives how many steps that took. */
  int resolve() throws SQLException {
    Marked marked = dependencies.mark();
    while (marked.done() > 0) {
      marked = dependencies.mark();
    }
    assertThat(marked.found()).isZero();
    return tellAll(false);
  }

  /** Tells once through, from the beginning. */
  int tellAll(boolean expectSomeLeft) throws SQLException {
    int steps = 0;
    boolean someLeft = false;
    Position position = Position.START;
    while (position != null) {
      Step step = dependencies.tell(position);
      steps += step.told() > 0 ? 1 : 0;
      someLeft |= step.someLeft();
      position = step.next();
    }
    assertThat(someLeft).isEqualTo(expectSomeLeft);
    return steps;
  }

  ClaimedJob claimOne(UUID expected) throws SQLException {
    List<ClaimedJob> claimed = claim(9);
    assertThat(claimed).extracting(ClaimedJob::id).containsExactly(expected);
    return claimed.get(0);
  }

  void end(ClaimedJob job, Outcome outcome, int exitCode) throws SQLException {
    completes.complete(List.of(ended(job, outcome, exitCode)), "worker w");
  }

  void succeed(UUID job) throws SQLException {
    end(claimOne(job), Outcome.SUCCESS, 0);
  }

  /** The exit code 78 is one that fails at once. */
  void fail(UUID job) throws SQLException {
    end(claimOne(job), Outcome.EXIT_CODE, 78);
  }

  String value(String column, UUID job) throws SQLException {
    return database.value("SELECT " + column + " FROM errand.jobs WHERE id = '" + job + "'");
  }

  List<String> violations() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      List<String> found = new ArrayList<>();
      for (Violation violation : HistoryCheck.check(connection, false).violations()) {
        found.add(violation.rule() + ": " + violation.job() + " " + violation.detail());
      }
      return found;
    }
  }
}
