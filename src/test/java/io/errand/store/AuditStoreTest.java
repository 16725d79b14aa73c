package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.store.audit.AuditCheck;
import io.errand.store.audit.AuditCheck.Report;
import io.errand.store.audit.AuditEntry;
import io.errand.store.audit.AuditEntry.Who;
import io.errand.store.audit.AuditRow;
import io.errand.store.audit.AuditStore;
import io.errand.store.audit.AuditStore.Filter;
import io.errand.store.audit.AuditStore.Pending;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The chain of the audit, on PostgreSQL. */
class AuditStoreTest {
  private static final Filter ANY = new Filter(null, null, null, null, null);
  private static final String UNGUARDED = "SET session_replication_role = replica; ";
  private static final String GUARDED = "; SET session_replication_role = origin";

  private Database database;
  private AuditStore store;

  @BeforeEach
  void open() throws SQLException {
    database = Database.emptied();
    store = new AuditStore(database.dataSource(), database.projectReads());
    tamper(
        "DELETE FROM errand.audit; DELETE FROM errand.audit_begun; UPDATE errand.audit_head SET seq = 0,"
            + " hash = sha256('errand audit'), sealed_seq = 0, sealed_hash = sha256('errand audit'),"
            + " sealed_at = NULL, sealed_row_at = NULL");
  }

  /** What whoever owns the database can do. */
  private void tamper(String sql) throws SQLException {
    database.execute(UNGUARDED + sql + GUARDED);
  }

  private static AuditEntry entry(String principal, String action, @Nullable String thing) {
    return new AuditEntry(
        AuditEntry.CHANGE,
        new Who(principal, "Ä \"name\" 😀", null, "key", "admin", "default"),
        action,
        thing,
        "{\"state\":\"failed\"}",
        7L,
        "192.0.2.1",
        "request",
        200,
        1);
  }

  private void append(int rows) throws SQLException {
    for (int i = 0; i < rows; i++) {
      store.append(List.of(new Pending(null, entry("p" + i % 2, "POST /v1/keys", "k" + i))));
    }
  }

  private Report check() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      boolean before = connection.getAutoCommit();
      try {
        return AuditCheck.check(connection);
      } finally {
        connection.setReadOnly(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        connection.setAutoCommit(before);
      }
    }
  }

  @Test
  void aWholeChainHasNoFault() throws SQLException {
    append(5);
    Report report = check();
    assertThat(report.faults()).isEmpty();
    assertThat(report.rows()).isEqualTo(5);
    assertThat(report.seq()).isEqualTo(5);
    assertThat(report.hash()).isEqualTo(store.list(ANY, Long.MAX_VALUE, 1).get(0).hash());
  }

  @Test
  void eachChangedColumnIsFound() throws SQLException {
    append(3);
    for (String change :
        List.of(
            "at = at + interval '1 microsecond'",
            "principal = 'p2'",
            "name = NULL",
            "key_id = ''",
            "action = 'x'",
            "thing = 'k9'",
            "filter = '{}'",
            "count = 8",
            "address = '192.0.2.2'",
            "status = 403",
            "tries = 2",
            "role = 'viewer', project = 'x'")) {
      tamper("CREATE TABLE kept AS SELECT * FROM errand.audit WHERE seq = 2");
      tamper("UPDATE errand.audit SET " + change + " WHERE seq = 2");
      assertThat(check().faults())
          .as(change)
          .hasSize(1)
          .allMatch(line -> line.contains("row 2 was changed"));
      tamper(
          "DELETE FROM errand.audit WHERE seq = 2; INSERT INTO errand.audit SELECT * FROM kept; DROP TABLE kept");
      assertThat(check().faults()).isEmpty();
    }
  }

  @Test
  void aRowThatWasMovedOverToAnotherColumnIsFound() throws SQLException {
    append(2);
    tamper("UPDATE errand.audit SET thing = action, action = thing WHERE seq = 2");
    assertThat(check().faults()).hasSize(1);
  }

  @Test
  void aRowWithAHashOfItsOwnDoesNotFollow() throws SQLException {
    append(3);
    tamper(
        "UPDATE errand.audit SET principal = 'x' WHERE seq = 2;"
            + " UPDATE errand.audit a SET hash = errand.audit_hash(a) WHERE seq = 2");
    assertThat(check().faults())
        .hasSize(1)
        .allMatch(line -> line.contains("row 3 does not follow"));
  }

  @Test
  void removedAndInsertedRowsAreNamed() throws SQLException {
    append(6);
    tamper("DELETE FROM errand.audit WHERE seq IN (2, 3)");
    assertThat(check().faults()).containsExactly("rows 2 to 3 are missing");
    tamper("DELETE FROM errand.audit WHERE seq = 6");
    assertThat(check().faults())
        .containsExactly("rows 2 to 3 are missing", "row 6 is missing at the end");
    tamper(
        "INSERT INTO errand.audit SELECT (jsonb_populate_record(a, '{\"seq\": 7}')).* FROM errand.audit a WHERE seq = 5");
    assertThat(check().faults()).anyMatch(line -> line.contains("row 7 is inserted"));
  }

  @Test
  void rowsCannotBeChangedOrRemovedByAStatement() {
    for (String sql :
        List.of(
            "UPDATE errand.audit SET principal = 'x'",
            "DELETE FROM errand.audit",
            "TRUNCATE errand.audit",
            "DELETE FROM errand.audit_head",
            "UPDATE errand.audit_head SET seq = seq - 1",
            "TRUNCATE errand.audit_head")) {
      assertThatThrownBy(
              () -> {
                append(1);
                database.execute(sql);
              })
          .as(sql)
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("is refused: the audit is only added to");
    }
  }

  @Test
  void retentionRemovesTheOldestAndTheChainStaysWhole() throws SQLException {
    append(4);
    String third = store.list(ANY, 4, 1).get(0).hash();
    assertThat(store.forget(Duration.ofDays(1), 100)).isZero();
    tamper("UPDATE errand.audit SET at = at - interval '2 days' WHERE seq <= 3");
    assertThat(store.forget(Duration.ofDays(1), 2)).isEqualTo(2);
    assertThat(store.forget(Duration.ofDays(1), 2)).isEqualTo(1);
    assertThat(store.forget(Duration.ofDays(1), 2)).isZero();
    append(1);
    assertThat(store.list(ANY, Long.MAX_VALUE, 10))
        .extracting(AuditRow::seq)
        .containsExactly(5L, 4L);
    assertThat(store.list(ANY, Long.MAX_VALUE, 10).get(1).previousHash()).isEqualTo(third);
    assertThat(check().faults()).isEmpty();
    tamper("DELETE FROM errand.audit WHERE seq = 4");
    assertThat(check().faults()).containsExactly("row 4 is missing");
  }

  private void forget(String age, String most) throws SQLException {
    database.execute(
        "DO $$ BEGIN PERFORM errand.audit_forget(%s, %s); END $$".formatted(age, most));
  }

  @Test
  void noCallRemovesYoungRowsOrManyAtOnce() throws SQLException {
    append(3);
    tamper("UPDATE errand.audit SET at = at - interval '23 hours' WHERE seq <= 2");
    for (String age : List.of("'0'", "'-1 year'", "'1 second'", "NULL", "'-1000 years'")) {
      forget(age, "1000");
      assertThat(check().rows()).as(age).isEqualTo(3);
    }
    tamper("UPDATE errand.audit SET at = at - interval '2 hours' WHERE seq <= 2");
    for (String most : List.of("NULL", "-1", "0")) {
      forget("'1 day'", most);
      assertThat(check().rows()).as(most).isEqualTo(3);
    }
    assertThat(store.forget(Duration.ofMillis(1), 100)).isEqualTo(2);
    assertThat(check().rows()).isEqualTo(1);
  }

  @Test
  void rowsThatWereRemovedYoungAreTold() throws SQLException {
    append(3);
    tamper("UPDATE errand.audit SET at = at - interval '25 hours' WHERE seq <= 2");
    assertThat(store.forget(Duration.ofDays(1), 100)).isEqualTo(2);
    assertThat(check().faults()).isEmpty();
    tamper("UPDATE errand.audit_head SET sealed_row_at = sealed_row_at + interval '2 hours'");
    assertThat(check().faults())
        .hasSize(1)
        .allMatch(line -> line.contains("rows to 2 were removed before they were 24 hours old"));
  }

  @Test
  void aBegunChangeHasOneRowWhateverHappens() throws SQLException {
    UUID id = UUID.randomUUID();
    UUID lost = UUID.randomUUID();
    AuditEntry entry = entry("p", "DELETE /v1/keys/{id}", "k").ended(204, null, null, null);
    store.begin(id, entry);
    store.begin(lost, entry("lost", "DELETE /v1/keys/{id}", "k"));
    assertThat(store.append(List.of(new Pending(id, entry)))).hasSize(1);
    assertThat(store.append(List.of(new Pending(id, entry)))).isEmpty();
    assertThat(store.appendAbandoned(10)).isEmpty();
    tamper("UPDATE errand.audit_begun SET at = at - interval '11 minutes'");
    assertThat(store.appendAbandoned(10)).extracting(AuditRow::principal).containsExactly("lost");
    assertThat(store.append(List.of(new Pending(lost, entry)))).isEmpty();
    assertThat(check().faults()).isEmpty();
  }

  @Test
  void writersThatMeetMakeOneChain() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Callable<Void> writer =
          () -> {
            append(10);
            return null;
          };
      for (Future<Void> done : threads.invokeAll(List.of(writer, writer, writer, writer))) {
        done.get();
      }
    } finally {
      threads.shutdownNow();
    }
    Report report = check();
    assertThat(report.faults()).isEmpty();
    assertThat(report.rows()).isEqualTo(40);
  }

  @Test
  void rowsAreFoundByWhatTheySay() throws SQLException {
    append(4);
    store.append(List.of(new Pending(null, entry("p0", "DELETE /v1/keys/{id}", "k"))));
    Instant last = store.list(ANY, Long.MAX_VALUE, 1).get(0).at();
    assertThat(seqs(new Filter(null, "p0", null, null, null))).containsExactly(5L, 3L, 1L);
    assertThat(seqs(new Filter("default", "p0", "POST /v1/keys", null, null)))
        .containsExactly(3L, 1L);
    assertThat(seqs(new Filter("other", null, null, null, null))).isEmpty();
    assertThat(seqs(new Filter(null, null, null, last, null))).containsExactly(5L);
    assertThat(seqs(new Filter(null, null, null, null, last))).containsExactly(4L, 3L, 2L, 1L);
    assertThat(store.list(ANY, 4, 2)).extracting(AuditRow::seq).containsExactly(3L, 2L);
  }

  private List<Long> seqs(Filter filter) throws SQLException {
    return store.list(filter, Long.MAX_VALUE, 10).stream().map(AuditRow::seq).toList();
  }
}
