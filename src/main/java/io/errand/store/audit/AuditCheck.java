package io.errand.store.audit;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Checks the chain of the audit: reads every row once, with a cursor, in one snapshot. The hashes
 * are made here, not by the database.
 */
public final class AuditCheck {
  /** How many faults are told. */
  public static final int MOST_FAULTS = 100;

  private static final int FETCHED = 1_000;
  private static final String HEAD =
      """
      SELECT seq, hash, sealed_seq, sealed_hash,
             coalesce((to_jsonb(h) ->> 'sealed_row_at')::timestamptz
                 > (to_jsonb(h) ->> 'sealed_at')::timestamptz - interval '24 hours', false) AS was_young
      FROM errand.audit_head h
      """;
  private static final String ROWS =
      "SELECT " + AuditRow.COLUMNS + " FROM errand.audit ORDER BY seq";

  private final List<String> faults = new ArrayList<>();
  private long count;
  private long rows;
  private long seq;
  private String hash = "";

  private AuditCheck() {}

  /**
   * What was found.
   *
   * @param rows how many there are
   * @param faults a line for each, {@value #MOST_FAULTS} at most
   * @param faultCount how many there are
   * @param seq the number of the last row
   * @param hash its hash in hexadecimal digits: who notes both can tell later that nothing before
   *     was changed
   */
  public record Report(long rows, List<String> faults, long faultCount, long seq, String hash) {}

  /**
   * Reads and checks all rows.
   *
   * @param connection of its own: it gets a transaction
   */
  public static Report check(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    connection.setReadOnly(true);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try (Statement statement = connection.createStatement()) {
      return new AuditCheck().run(statement);
    } finally {
      connection.rollback();
    }
  }

  private Report run(Statement statement) throws SQLException {
    long lastSeq = 0;
    String lastHash = "";
    try (ResultSet head = statement.executeQuery(HEAD)) {
      if (head.next()) {
        lastSeq = head.getLong("seq");
        lastHash = hex(head, "hash");
        seq = head.getLong("sealed_seq");
        hash = hex(head, "sealed_hash");
        if (head.getBoolean("was_young")) {
          fault("rows to " + seq + " were removed before they were 24 hours old");
        }
      } else {
        fault("the row of errand.audit_head is missing");
      }
    }
    statement.setFetchSize(FETCHED);
    try (ResultSet row = statement.executeQuery(ROWS)) {
      while (row.next()) {
        check(AuditRow.read(row));
      }
    }
    if (seq < lastSeq) {
      fault(rowsFromTo(seq + 1, lastSeq) + " missing at the end");
    } else if (seq > lastSeq) {
      fault(rowsFromTo(lastSeq + 1, seq) + " inserted: the chain ends before");
    } else if (!hash.equals(lastHash)) {
      fault("the last row, " + seq + ", is not the one that was written last");
    }
    return new Report(rows, faults, count, seq, hash);
  }

  private void check(AuditRow row) {
    rows++;
    if (row.seq() <= seq) {
      fault("row " + row.seq() + " was inserted: rows to " + seq + " have been removed");
      return;
    }
    if (row.seq() > seq + 1) {
      fault(rowsFromTo(seq + 1, row.seq() - 1) + " missing");
    } else if (!row.previousHash().equals(hash)) {
      fault("row " + row.seq() + " does not follow the row before: one of the two was replaced");
    }
    String own = AuditChain.hash(row);
    if (!own.equals(row.hash())) {
      fault("row " + row.seq() + " was changed: its content does not have its hash");
    }
    seq = row.seq();
    hash = row.hash();
  }

  private static String rowsFromTo(long first, long last) {
    return first == last ? "row " + first + " is" : "rows " + first + " to " + last + " are";
  }

  private void fault(String line) {
    count++;
    if (faults.size() < MOST_FAULTS) {
      faults.add(line);
    }
  }

  private static String hex(ResultSet row, String column) throws SQLException {
    return HexFormat.of().formatHex(row.getBytes(column));
  }
}
