package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Access;
import io.errand.job.Call;
import io.errand.job.OnLost;
import io.errand.job.ProjectNames;
import io.errand.store.control.ControlStore;
import io.errand.store.control.JobUpdate;
import io.errand.store.queues.RuleReads;
import io.errand.store.queues.RuleReads.Rule;
import io.errand.store.submit.AdmittingStore;
import io.errand.store.submit.Candidate;
import io.errand.store.submit.GroupCommit;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.Overload;
import io.errand.store.submit.RetryStore;
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
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Queues that bound how many jobs wait, and a database that does not keep up. */
class AdmissionTest extends StoreFixture {
  private static final Overload PINNED =
      new Overload(Overload.Kind.OPEN_TRANSACTION, "1", 2, 1, true);

  private AdmittingStore admitting;

  @BeforeEach
  void make() {
    admitting = new AdmittingStore(database.dataSource());
  }

  private void limit(int maxDepth, String overload) throws SQLException {
    database.execute(
        "INSERT INTO errand.queues (name, max_depth, overload) VALUES ('default', "
            + maxDepth
            + ", '"
            + overload
            + "')");
  }

  private static NewJob newJob(@Nullable String key) {
    return job(spec(3, OnLost.RETRY, null, null), key, HASH);
  }

  private static List<Candidate> open(NewJob... jobs) {
    List<Candidate> candidates = new ArrayList<>();
    for (NewJob job : jobs) {
      candidates.add(new Candidate(job, null));
    }
    return candidates;
  }

  private String jobs() throws SQLException {
    return database.value("SELECT count(*) FROM errand.jobs");
  }

  @Test
  void ofManySubmitsAtOnceOnTwoServersAsManyAreStoredAsTheQueueHasRoomFor() throws Exception {
    limit(20, "refuse");
    List<GroupCommit> servers = new ArrayList<>();
    List<Future<Submission>> answers = new ArrayList<>();
    try {
      for (int i = 0; i < 2; i++) {
        GroupCommit server =
            new GroupCommit(
                new SubmitStore(database.dataSource()),
                new AdmittingStore(database.dataSource()),
                new Notifications(
                    database.dataSource(), database.config(), new SimpleMeterRegistry()));
        server.start(new StartupEvent());
        servers.add(server);
      }
      for (int i = 0; i < 200; i++) {
        answers.add(servers.get(i % 2).submitAdmitted(newJob(null), null));
      }
      int accepted = 0;
      for (Future<Submission> answer : answers) {
        if (answer.get() instanceof Submission.Accepted) {
          accepted++;
        } else {
          assertThat(answer.get())
              .isEqualTo(
                  new Submission.Refused(
                      new Overload(Overload.Kind.MAX_DEPTH, "default", 20, 20, true), 0));
        }
      }
      assertThat(accepted).isEqualTo(20);
      assertThat(jobs()).isEqualTo("20");
    } finally {
      servers.forEach(server -> server.stop(new ShutdownEvent()));
    }
  }

  @Test
  void aProjectBoundsWhatWaitsInAllOfItsQueuesOverAllServers() throws Exception {
    database.execute("UPDATE errand.projects SET max_waiting = 15 WHERE name = 'default'");
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Integer>> servers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        String queue = "queue-" + i % 2;
        servers.add(
            () -> {
              int accepted = 0;
              for (int k = 0; k < 10; k++) {
                NewJob job = job(in(queue), null, HASH);
                List<Candidate> one = open(job);
                Submission answer =
                    k % 2 == 0
                        ? admitting.submitEach(one, false).get(0)
                        : admitting.submitAll(one).get(0);
                accepted += answer instanceof Submission.Accepted ? 1 : 0;
              }
              return accepted;
            });
      }
      int accepted = 0;
      for (Future<Integer> server : threads.invokeAll(servers)) {
        accepted += server.get();
      }
      assertThat(accepted).isEqualTo(15);
      assertThat(jobs()).isEqualTo("15");
      Overload full = new Overload(Overload.Kind.MAX_WAITING, "default", 15, 15, true);
      try (Connection connection = database.dataSource().getConnection()) {
        assertThat(AdmittingStore.refusal(connection, "another")).isEqualTo(full);
        assertThat(AdmittingStore.refusal(connection, "other/queue")).isNull();
      }
      limit(1_000, "warn");
      assertThat(admitting.submitEach(open(newJob(null)), false))
          .containsExactly(new Submission.Refused(full, 0));
    } finally {
      threads.shutdownNow();
      database.execute("UPDATE errand.projects SET max_waiting = NULL");
    }
  }

  @Test
  void ofManyMovesAtOnceAsManyAreMadeAsTheQueueHasRoomFor() throws Exception {
    database.execute(
        "INSERT INTO errand.queues (name, max_depth, overload) VALUES ('narrow', 5, 'refuse')");
    List<Callable<ControlStore.Change>> moves = new ArrayList<>();
    JobUpdate move = new JobUpdate(null, "narrow", null, false);
    for (int i = 0; i < 20; i++) {
      UUID id = submit();
      moves.add(() -> control.update(id, ME, move));
    }
    ExecutorService movers = Executors.newFixedThreadPool(4);
    try {
      int made = 0;
      for (Future<ControlStore.Change> one : movers.invokeAll(moves)) {
        Overload overload = one.get().overload();
        made += one.get().changed() ? 1 : 0;
        assertThat(one.get().changed()).isEqualTo(overload == null);
        if (overload != null) {
          assertThat(overload)
              .isEqualTo(new Overload(Overload.Kind.MAX_DEPTH, "narrow", 5, 5, true));
        }
      }
      assertThat(made).isEqualTo(5);
    } finally {
      movers.shutdown();
      assertThat(movers.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(database.value("SELECT count(*) FROM errand.jobs WHERE queue = 'narrow'"))
        .isEqualTo("5");
  }

  @Test
  void aRepeatIsNeverRefusedAndTakesNoRoom() throws SQLException {
    limit(2, "refuse");
    NewJob first = newJob("first");
    assertThat(admitting.submitEach(open(first), false).get(0))
        .isInstanceOf(Submission.Accepted.class);
    List<Submission> answers =
        admitting.submitEach(
            open(newJob("first"), newJob("second"), newJob("third"), newJob("third"), first),
            false);
    assertThat(answers.get(0)).isEqualTo(new Submission.Replayed(first.id()));
    assertThat(answers.get(1)).isInstanceOf(Submission.Accepted.class);
    assertThat(answers.get(2)).isInstanceOf(Submission.Refused.class);
    assertThat(answers.get(3)).isInstanceOf(Submission.Refused.class);
    assertThat(answers.get(4)).isEqualTo(new Submission.Replayed(first.id()));
    assertThat(jobs()).isEqualTo("2");
    NewJob own = newJob(null);
    assertThat(admitting.submitEach(open(own), false).get(0))
        .isInstanceOf(Submission.Refused.class);
    database.execute("UPDATE errand.queues SET max_depth = 3");
    assertThat(admitting.submitEach(open(own), false).get(0))
        .isInstanceOf(Submission.Accepted.class);
    assertThat(admitting.submitEach(open(own), false).get(0))
        .isEqualTo(new Submission.Replayed(own.id()));
  }

  @Test
  void whereTheQueueOnlyWarnsAllAreStoredAndThoseAboveTheLimitAreMarked() throws SQLException {
    limit(1, "warn");
    List<Submission> answers = admitting.submitEach(open(newJob(null), newJob("k")), false);
    assertThat(answers)
        .extracting(answer -> ((Submission.Accepted) answer).overload())
        .containsExactly(null, new Overload(Overload.Kind.MAX_DEPTH, "default", 1, 1, false));
    assertThat(jobs()).isEqualTo("2");
  }

  @Test
  void aBatchIsStoredWholeOrNotAtAll() throws SQLException {
    limit(3, "refuse");
    assertThat(admitting.submitAll(open(newJob("a"), newJob("b"))))
        .allMatch(Submission.Accepted.class::isInstance);
    assertThat(admitting.submitAll(open(newJob("a"), newJob("c"), newJob("d"))))
        .anyMatch(Submission.Refused.class::isInstance);
    assertThat(jobs()).isEqualTo("2");
    assertThat(database.value("SELECT count(*) FROM errand.idempotency_keys")).isEqualTo("2");
    assertThat(admitting.submitAll(open(newJob("a"), newJob("b"), newJob("c"))))
        .noneMatch(Submission.Refused.class::isInstance);
    assertThat(jobs()).isEqualTo("3");
    assertThat(admitting.submitAll(open(newJob("a"), newJob("b"), newJob("c"))))
        .allMatch(Submission.Replayed.class::isInstance);
  }

  @Test
  void whatRunsOrHasEndedTakesNoRoom() throws SQLException {
    limit(1, "refuse");
    UUID first = submit();
    assertThat(admitting.submitEach(open(newJob(null)), false).get(0))
        .isInstanceOf(Submission.Refused.class);
    control.cancel(first, ME);
    assertThat(admitting.submitEach(open(newJob(null)), false).get(0))
        .isInstanceOf(Submission.Accepted.class);
  }

  @Test
  void aRetryOfAFinishedJobIsASubmitToo() throws SQLException {
    limit(1, "refuse");
    UUID finished = submit();
    control.cancel(finished, ME);
    submit();
    RetryStore retries = new RetryStore(database.dataSource());
    assertThat(retries.queueOf(finished, ME)).isEqualTo("default");
    assertThat(retries.queueOf(finished, Access.toOwn(ProjectNames.DEFAULT, "other"))).isNull();
    RetryStore.Wanted wanted =
        new RetryStore.Wanted(finished, UUID.randomUUID(), ME, "again", HASH, Call.NONE);
    assertThat(retries.retryAdmitted(wanted, "default", null))
        .isInstanceOf(Submission.Refused.class);
    assertThat(database.value("SELECT count(*) FROM errand.idempotency_keys")).isEqualTo("0");
    database.execute("UPDATE errand.queues SET max_depth = 2");
    assertThat(retries.retryAdmitted(wanted, "default", PINNED))
        .isInstanceOf(Submission.Refused.class);
    assertThat(retries.retryAdmitted(wanted, "default", null))
        .isInstanceOf(Submission.Accepted.class);
    assertThat(retries.retryAdmitted(wanted, "default", PINNED))
        .isEqualTo(new Submission.Replayed(wanted.id()));
  }

  @Test
  void whatStandsAgainstAllNewJobsLetsRepeatsPass() throws SQLException {
    NewJob known = newJob("known");
    submit(known);
    List<Submission> answers =
        admitting.submitEach(
            List.of(new Candidate(newJob("known"), PINNED), new Candidate(newJob(null), PINNED)),
            false);
    assertThat(answers.get(0)).isEqualTo(new Submission.Replayed(known.id()));
    assertThat(answers.get(1)).isEqualTo(new Submission.Refused(PINNED, 0));
    assertThat(admitting.submitAll(List.of(new Candidate(newJob("new"), PINNED))))
        .containsExactly(new Submission.Refused(PINNED, 0));
    assertThat(jobs()).isEqualTo("1");
  }

  @Test
  void whatQueuesSayIsReadWithWhatItIsMeasuredAgainst() throws SQLException {
    submit();
    UUID ended = submit();
    control.cancel(ended, ME);
    database.execute(
        "INSERT INTO errand.queues (name, max_ready_age_seconds, defaults) VALUES"
            + " ('default', 5, '{\"priority\": 1}'), ('silent', NULL, '{}')");
    database.execute("UPDATE errand.jobs SET run_at = now() - interval '1 minute'");
    List<Rule> rules = new RuleReads(database.dataSource()).rules();
    assertThat(rules).hasSize(1);
    assertThat(rules.get(0).waiting()).isEqualTo(1);
    assertThat(rules.get(0).finished()).isEqualTo(1);
    assertThat(rules.get(0).oldestReadySeconds()).isBetween(60.0, 120.0);
    assertThat(rules.get(0).defaults()).isEqualTo("{\"priority\": 1}");
  }

  @Test
  void aSessionThatKeepsASnapshotIsNamed() throws SQLException {
    RuleReads reads = new RuleReads(database.dataSource());
    try (Connection pinning = database.dataSource().getConnection();
        Statement statement = pinning.createStatement()) {
      pinning.setAutoCommit(false);
      pinning.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      statement.execute("SELECT count(*) FROM errand.jobs");
      String pid = pid(statement);
      Overload overload = reads.distress(0, Long.MAX_VALUE, true).orElseThrow();
      assertThat(overload.kind()).isEqualTo(Overload.Kind.OPEN_TRANSACTION);
      assertThat(overload.subject()).isEqualTo(pid);
      assertThat(overload.refuses()).isTrue();
      assertThat(reads.distress(3_600, Long.MAX_VALUE, true)).isEqualTo(Optional.empty());
      pinning.rollback();
    }
  }

  private static String pid(Statement statement) throws SQLException {
    try (var row = statement.executeQuery("SELECT pg_backend_pid()")) {
      row.next();
      return row.getString(1);
    }
  }
}
