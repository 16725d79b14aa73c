package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.store.access.KeyStore;
import io.errand.store.access.KeyStore.NewKey;
import io.errand.store.operations.BulkFilter;
import io.errand.store.operations.Operation;
import io.errand.store.operations.OperationKind;
import io.errand.store.operations.OperationReads;
import io.errand.store.operations.OperationSteps;
import io.errand.store.operations.OperationStore;
import io.errand.store.operations.OperationStore.Creation;
import io.errand.store.queues.QueueStore;
import io.errand.store.queues.QueueStore.Change;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** How many keys, queues and waiting jobs a project may have, whatever the way and at once. */
class BoundsOfProjectsTest extends SqlSubmitFixture {
  private static final int AT_ONCE = 8;
  private static final String PROJECT = "bounded";

  @BeforeEach
  void makeProject() throws SQLException {
    database.execute(
        "INSERT INTO errand.projects (name) VALUES ('bounded') ON CONFLICT DO NOTHING");
  }

  @AfterEach
  void removeProject() throws SQLException {
    database.execute("DELETE FROM errand.api_keys WHERE project = 'bounded'");
    database.execute("DELETE FROM errand.projects WHERE name = 'bounded'");
    database.execute("UPDATE errand.projects SET max_waiting = NULL");
  }

  private void makeKeys(int count, String more) throws SQLException {
    database.execute(
        "INSERT INTO errand.api_keys (id, name, principal, role, project, secret_hash, created_by,"
            + " revoked_at, expires_at) SELECT 'k' || lpad(n::text, 10, '0') || left('"
            + more
            + "', 1), 'n', 'n', 'viewer', 'bounded', sha256(n::text::bytea), 'test', "
            + (more.equals("r") ? "now() - n * interval '1 minute'" : "NULL")
            + ", "
            + (more.equals("e") ? "now() - n * interval '1 minute'" : "NULL")
            + " FROM generate_series(1, "
            + count
            + ") AS g (n)");
  }

  private static NewKey key(int number) {
    return new NewKey(
        "new00000000" + number, "name", "name", "viewer", PROJECT, "test", null, new byte[32]);
  }

  private static int successes(List<Callable<Boolean>> tries) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
    try {
      int count = 0;
      for (Future<Boolean> one : threads.invokeAll(tries)) {
        count += one.get() ? 1 : 0;
      }
      return count;
    } finally {
      threads.shutdownNow();
    }
  }

  private KeyStore keyStore() {
    return new KeyStore(database.dataSource(), database.projectReads());
  }

  @Test
  void ofKeysThatAreMadeAtOnceAsManyAreMadeAsTheProjectMayHave() throws Exception {
    makeKeys(KeyStore.MOST_OF_PROJECT - 2, "u");
    makeKeys(50, "r");
    makeKeys(50, "e");
    List<Callable<Boolean>> tries = new ArrayList<>();
    for (int i = 0; i < AT_ONCE; i++) {
      NewKey wanted = key(i);
      tries.add(() -> keyStore().create(wanted).isPresent());
    }
    assertThat(successes(tries)).isEqualTo(2);
    database.execute("UPDATE errand.api_keys SET revoked_at = now() WHERE id = 'k0000000001u'");
    assertThat(keyStore().create(key(9))).isPresent();
    assertThat(keyStore().create(key(8))).isEmpty();
  }

  @Test
  void ofKeysThatHaveEndedTheNewestAreKept() throws SQLException {
    makeKeys(KeyStore.MOST_ENDED_OF_PROJECT, "r");
    makeKeys(10, "e");
    makeKeys(5, "u");
    assertThat(keyStore().create(key(1))).isPresent();
    assertThat(
            database.value(
                "SELECT count(*) FILTER (WHERE id LIKE '%r') || ' ' || count(*) FILTER (WHERE id"
                    + " LIKE '%e') || ' ' || count(*) FILTER (WHERE id LIKE '%u') FROM"
                    + " errand.api_keys WHERE project = 'bounded'"))
        .isEqualTo(KeyStore.MOST_ENDED_OF_PROJECT - 10 + " 10 5");
  }

  @Test
  void ofQueuesThatAreMadeAtOnceAsManyAreMadeAsTheProjectMayHave() throws Exception {
    database.execute(
        "INSERT INTO errand.queues (name) SELECT 'bounded/q' || n FROM generate_series(1, "
            + (QueueStore.MOST_OF_PROJECT - 2)
            + ") AS g (n)");
    List<Callable<Boolean>> tries = new ArrayList<>();
    for (int i = 0; i < AT_ONCE; i++) {
      String name = "bounded/new" + i;
      tries.add(() -> pause(name));
    }
    assertThat(successes(tries)).isEqualTo(2);
    assertThat(pause("bounded/q1")).isTrue(); // it is known
    assertThat(pause("bounded/other")).isFalse();
    assertThat(pause("other")).isTrue(); // of another project
  }

  private boolean pause(String name) throws SQLException {
    return new QueueStore(database.dataSource())
        .change(name, "client tester", now -> new Change(now, null));
  }

  private void limit(int maxWaiting) throws SQLException {
    database.execute(
        "UPDATE errand.projects SET max_waiting = " + maxWaiting + " WHERE name = 'default'");
  }

  private static void assertFull(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SQLException.class,
            fault -> {
              assertThat(fault.getSQLState()).isEqualTo("ER429");
              assertThat(message(fault))
                  .contains(
                      "as many jobs of the project default wait as its max_waiting, 3, allow");
            });
  }

  @Test
  void ofTransactionsThatSubmitAtOnceAsManyCommitAsTheProjectHasRoomFor() throws Exception {
    limit(3);
    List<Connection> sessions = new ArrayList<>();
    try {
      List<Callable<Boolean>> commits = new ArrayList<>();
      for (int i = 0; i < AT_ONCE; i++) {
        Connection session = connect();
        sessions.add(session);
        session.setAutoCommit(false);
        submit(session, "ARRAY['true'], queue => 'q" + i + "'");
        commits.add(
            () -> {
              try {
                session.commit();
                return true;
              } catch (SQLException e) {
                assertThat(e.getSQLState()).isEqualTo("ER429");
                return false;
              }
            });
      }
      assertThat(successes(commits)).isEqualTo(3);
      assertThat(count("jobs")).isEqualTo("3");
      assertThat(count("submits_to_admit")).isEqualTo("0");
    } finally {
      for (Connection session : sessions) {
        session.close();
      }
    }
    assertFull(() -> submit(app, "ARRAY['true']"));
  }

  @Test
  void bothBoundsHoldForOneTransaction() throws SQLException {
    limit(3);
    database.execute("INSERT INTO errand.queues (name, max_depth) VALUES ('small', 1)");
    app.setAutoCommit(false);
    submit(app, "ARRAY['true'], queue => 'small'");
    submit(app, "ARRAY['true']");
    submit(app, "ARRAY['true']");
    assertFull(() -> submit(app, "ARRAY['true']"));
    app.rollback();
    submit(app, "ARRAY['true'], queue => 'small'");
    app.commit();
    assertThatThrownBy(() -> submit(app, "ARRAY['true'], queue => 'small'"))
        .hasMessageContaining("small has as many waiting jobs as its max_depth, 1, allows");
    app.rollback();
  }

  @Test
  void aTransactionThatCannotCountIsRefused() throws SQLException {
    limit(3);
    app.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    assertThatThrownBy(() -> submit(app, "ARRAY['true']")).hasMessageContaining("READ COMMITTED");
  }

  @Test
  void aBulkRetryStoresNoMoreThanMayWaitAndGoesOnOnceThereIsRoom() throws SQLException {
    for (int i = 0; i < 6; i++) {
      submit(spec(1, OnLost.HOLD, null, null));
    }
    completes.complete(
        claim(6).stream().map(one -> ended(one, Outcome.EXIT_CODE, 1)).toList(), "worker w");
    limit(3);
    OperationStore.Request request =
        new OperationStore.Request(
            UUID.randomUUID(), ME, OperationKind.RETRY, BulkFilter.all(), null, null, null, HASH);
    UUID id =
        ((Creation.Created) new OperationStore(database.dataSource()).create(request))
            .operation()
            .id();
    assertThat(step(id).jobs()).isEqualTo(3);
    assertThat(step(id).made()).isFalse();
    Operation waiting = new OperationReads(database.projectReads()).find(id, ME).orElseThrow();
    assertThat(waiting.isFinal()).isFalse();
    assertThat(waiting.detail()).contains("max_waiting");
    assertThat(count("jobs")).isEqualTo("9");
    claim(2);
    assertThat(step(id).jobs()).isEqualTo(2);
    claim(2);
    assertThat(step(id).jobs()).isEqualTo(1);
    step(id);
    Operation done = new OperationReads(database.projectReads()).find(id, ME).orElseThrow();
    assertThat(done.isFinal()).isTrue();
    assertThat(done.done()).isEqualTo(6);
  }

  private OperationSteps.Step step(UUID id) throws SQLException {
    database.execute("UPDATE errand.operations SET next_step_at = '-infinity'");
    return new OperationSteps(database.dataSource()).step(id, OperationSteps.MOST_JOBS);
  }

  @Test
  void namesHaveNoControlCharactersBySqlToo() {
    assertThatThrownBy(() -> submit(app, "ARRAY['true'], concurrency_key => E'a\\x1fb'"))
        .hasMessageContaining("concurrency_key: must not hold control characters");
    assertThatThrownBy(() -> submit(app, "ARRAY['true'], labels => '{\"a\\u001b[31m\": \"b\"}'"))
        .hasMessageContaining("labels: has a name that must not hold control characters");
    assertThatThrownBy(() -> submit(app, "ARRAY['true'], labels => '{\"a\\u202eb\": \"b\"}'"))
        .hasMessageContaining("labels: has a name that must not hold control characters");
  }

  @Test
  void keysOfEarlierVersionsThatHoldTheSeparatorAreMadeOthers() throws SQLException {
    database.execute("DROP DATABASE IF EXISTS of_an_earlier_version");
    database.execute("CREATE DATABASE of_an_earlier_version");
    PGSimpleDataSource other = new PGSimpleDataSource();
    PGSimpleDataSource ours = (PGSimpleDataSource) database.dataSource();
    other.setUrl(ours.getUrl());
    other.setDatabaseName("of_an_earlier_version");
    other.setUser(ours.getUser());
    other.setPassword(ours.getPassword());
    migrate(other, "018");
    try (Connection connection = other.getConnection()) {
      submit(connection, "ARRAY['true'], concurrency_key => E'a\\x1fb'");
      migrate(other, "latest");
      execute(connection, "UPDATE errand.jobs SET priority = 7");
      execute(
          connection,
          "DO $$ BEGIN ASSERT (SELECT concurrency_key = U&'a\\241Fb' FROM errand.jobs); END $$");
    }
    database.execute("DROP DATABASE of_an_earlier_version WITH (FORCE)");
  }

  private static void migrate(PGSimpleDataSource to, String target) {
    Flyway.configure()
        .dataSource(to)
        .schemas("errand")
        .defaultSchema("errand")
        .locations("db/migration")
        .target(target)
        .load()
        .migrate();
  }
}
