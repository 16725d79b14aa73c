package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Access;
import io.errand.job.Backoff;
import io.errand.job.Confinement;
import io.errand.job.JobSpec;
import io.errand.job.OnLost;
import io.errand.job.ProjectNames;
import io.errand.job.RetryPolicy;
import io.errand.store.submit.AdmittingStore;
import io.errand.store.submit.GroupCommit;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.Submission;
import io.errand.store.submit.SubmitStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Submits that are committed together. */
class GroupCommitTest {
  private Database database;
  private GroupCommit groupCommit;

  @BeforeEach
  void open() throws SQLException {
    database = Database.emptied();
    groupCommit = newGroupCommit();
  }

  private GroupCommit newGroupCommit() {
    return new GroupCommit(
        new SubmitStore(database.dataSource()),
        new AdmittingStore(database.dataSource()),
        new Notifications(database.dataSource(), database.config(), new SimpleMeterRegistry()));
  }

  @AfterEach
  void close() {
    groupCommit.stop(new ShutdownEvent());
  }

  private static NewJob job(UUID id, @Nullable String key, List<String> command) {
    return job(id, key, command, "ab".repeat(32));
  }

  private static NewJob job(
      UUID id, @Nullable String key, List<String> command, String fingerprint) {
    JobSpec spec =
        new JobSpec(
            null,
            command,
            "default",
            0,
            null,
            null,
            Map.of(),
            null,
            60,
            1,
            new RetryPolicy(1, Backoff.DEFAULT, List.of(), Set.of(0), OnLost.RETRY),
            100,
            100,
            null,
            1,
            Map.of(),
            null,
            null,
            Confinement.NONE,
            null);
    return new NewJob(id, spec, Access.toOwn(ProjectNames.DEFAULT, "tester"), key, fingerprint);
  }

  /** All wait before the first writer runs, so that they are one transaction. */
  private List<Object> together(List<NewJob> jobs) throws Exception {
    List<Future<Submission>> answers = new ArrayList<>();
    for (NewJob job : jobs) {
      answers.add(groupCommit.submit(job));
    }
    groupCommit.start(new StartupEvent());
    List<Object> results = new ArrayList<>();
    for (Future<Submission> answer : answers) {
      try {
        results.add(answer.get());
      } catch (java.util.concurrent.ExecutionException e) {
        results.add(e.getCause());
      }
    }
    return results;
  }

  @Test
  void keysAndIdsThatRepeatAmongThemAreOneJobEach() throws Exception {
    UUID own = UUID.randomUUID();
    List<NewJob> jobs = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      jobs.add(job(UUID.randomUUID(), "key", List.of("true")));
      jobs.add(job(own, null, List.of("true")));
      jobs.add(job(UUID.randomUUID(), null, List.of("true")));
    }
    List<Object> answers = together(jobs);
    assertThat(answers).filteredOn(Submission.Accepted.class::isInstance).hasSize(22);
    assertThat(answers).filteredOn(Submission.Replayed.class::isInstance).hasSize(38);
    assertThat(database.value("SELECT count(*) FROM errand.jobs")).isEqualTo("22");
  }

  @Test
  void sixtyParallelSubmitsOfSeveralNodesWithOneKeyAreOneJobAndNoError() throws Exception {
    List<GroupCommit> nodes = new ArrayList<>();
    try {
      List<Future<Submission>> answers = new ArrayList<>();
      for (int node = 0; node < 4; node++) {
        GroupCommit another = newGroupCommit();
        nodes.add(another);
        another.start(new StartupEvent());
      }
      for (int i = 0; i < 60; i++) {
        NewJob job = job(UUID.randomUUID(), "one", List.of("true"));
        answers.add(nodes.get(i % nodes.size()).submit(job));
      }
      List<Submission> results = new ArrayList<>();
      for (Future<Submission> answer : answers) {
        results.add(answer.get());
      }
      assertThat(results).filteredOn(Submission.Accepted.class::isInstance).hasSize(1);
      assertThat(results).filteredOn(Submission.Replayed.class::isInstance).hasSize(59);
      assertThat(database.value("SELECT count(*) FROM errand.jobs")).isEqualTo("1");
    } finally {
      nodes.forEach(node -> node.stop(new ShutdownEvent()));
    }
  }

  @Test
  void ofOneIdWithManyBodiesOneIsStoredAndOnlyThatOneIsToldSo() throws Exception {
    List<NewJob> jobs = new ArrayList<>();
    for (int id = 0; id < 8; id++) {
      UUID own = UUID.randomUUID();
      for (int body = 0; body < 8; body++) {
        String name = id + "-" + body;
        jobs.add(job(own, null, List.of("true", name), String.format("%064x", 8 * id + body)));
      }
    }
    List<Object> answers = together(jobs);
    int accepted = 0;
    for (int i = 0; i < answers.size(); i++) {
      if (answers.get(i) instanceof Submission.Accepted) {
        accepted++;
        assertThat(
                database.value(
                    "SELECT command[2] FROM errand.jobs WHERE id = '" + jobs.get(i).id() + "'"))
            .isEqualTo(jobs.get(i).spec().command().get(1));
      } else {
        assertThat(answers.get(i)).isInstanceOf(Submission.Conflict.class);
      }
    }
    assertThat(accepted).isEqualTo(8);
  }

  /** A transaction that has taken a key and has not ended, as a large batch has. */
  private Connection holdKey(String key, UUID of) throws SQLException {
    Connection connection = database.dataSource().getConnection();
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "INSERT INTO errand.idempotency_keys (principal, idempotency_key, job_id)"
              + " VALUES ('tester', '%s', '%s')".formatted(key, of));
    }
    return connection;
  }

  @Test
  void nobodyWaitsForAKeyThatAnotherTransactionHolds() throws Exception {
    List<Future<Submission>> held = new ArrayList<>();
    List<Future<Submission>> others = new ArrayList<>();
    try (Connection committed = holdKey("committed", UUID.randomUUID());
        Connection rolledBack = holdKey("rolled back", UUID.randomUUID())) {
      for (String key : List.of("committed", "rolled back")) {
        held.add(groupCommit.submit(job(UUID.randomUUID(), key, List.of("true"))));
        others.add(groupCommit.submit(job(UUID.randomUUID(), null, List.of("true"))));
        others.add(groupCommit.submit(job(UUID.randomUUID(), "not " + key, List.of("true"))));
      }
      groupCommit.start(new StartupEvent());
      for (Future<Submission> other : others) {
        assertThat(other.get(60, TimeUnit.SECONDS)).isInstanceOf(Submission.Accepted.class);
      }
      Future<Submission> later = groupCommit.submit(job(UUID.randomUUID(), "x", List.of("true")));
      assertThat(later.get(60, TimeUnit.SECONDS)).isInstanceOf(Submission.Accepted.class);
      assertThat(held).noneMatch(Future::isDone);
      committed.commit();
      rolledBack.rollback();
    }
    assertThat(held.get(0).get(60, TimeUnit.SECONDS)).isInstanceOf(Submission.Gone.class);
    assertThat(held.get(1).get(60, TimeUnit.SECONDS)).isInstanceOf(Submission.Accepted.class);
  }

  @Test
  void oneThatTheDatabaseRefusesDoesNotHarmTheOthers() throws Exception {
    List<NewJob> jobs = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      jobs.add(job(UUID.randomUUID(), null, i == 7 ? List.of() : List.of("true")));
    }
    List<Object> answers = together(jobs);
    assertThat(answers).filteredOn(Submission.Accepted.class::isInstance).hasSize(29);
    assertThat(answers.get(7)).isInstanceOf(SQLException.class);
  }
}
