package io.errand.store.support;

import io.errand.store.claim.ClaimStatement;
import io.errand.store.claim.CompleteAndClaimStore;
import io.errand.store.submit.SubmitStore;
import io.errand.store.workers.WorkerStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/** How PostgreSQL would run the statements that run most, for any values of their parameters. */
public final class HotPlans {
  private static final String NOBODY = "00000000-0000-4000-8000-000000000001";

  private static final String TYPES_OF_CLAIM =
      "boolean, text[], text, text[], smallint[], timestamptz[], text[], float8[], float8[], float8,"
          + " integer, integer, uuid, bigint, text, uuid";

  private static final String VALUES_OF_CLAIM =
      "true, null, '', null, null, null, null, null, null, 1, 8, 8, '%1$s', 100000000, 'w', '%1$s'"
          .formatted(NOBODY);

  /**
   * A statement.
   *
   * @param name one word
   * @param types of its parameters, in SQL
   * @param sql with a question mark for each parameter
   * @param values for them, in SQL, which choose nothing
   * @param isOfQueue whether it runs in the pool for the queue's own statements
   */
  public record Hot(String name, String types, String sql, String values, boolean isOfQueue) {}

  public static final Hot CLAIM =
      new Hot("claim", TYPES_OF_CLAIM, ClaimStatement.CLAIM, VALUES_OF_CLAIM, true);

  public static final Hot COMPLETE_AND_CLAIM =
      new Hot(
          "complete_and_claim",
          "uuid[], uuid[], timestamptz[], timestamptz[], text[], text[], float8[], boolean[], text[], smallint[],"
              + " text[], text[], float8[], float8[], float8[], bigint[], bytea[], integer[], bigint[],"
              + " bytea[], integer[], bigint[], jsonb[], boolean[], text, "
              + TYPES_OF_CLAIM,
          CompleteAndClaimStore.COMPLETE_AND_CLAIM,
          "'{}', ".repeat(24) + "'w', " + VALUES_OF_CLAIM,
          true);

  public static final Hot SUBMIT =
      new Hot("submit", "json, json", SubmitStore.SUBMIT_MANY, "'[]', '[]'", true);

  public static final Hot HEARTBEAT =
      new Hot(
          "heartbeat",
          "integer, integer, text, uuid",
          WorkerStore.HEARTBEAT,
          "0, 0, null, '" + NOBODY + "'",
          true);

  public static final Hot LIST =
      new Hot(
          "list",
          "text",
          "SELECT id, created_at FROM errand.jobs WHERE project = ? ORDER BY created_at DESC, id DESC LIMIT 51",
          "'default'",
          false);

  public static final Hot LIST_BY_STATE =
      new Hot(
          "list_by_state",
          "text, text",
          "SELECT id, created_at FROM errand.jobs WHERE project = ? AND state = ?"
              + " ORDER BY created_at DESC, id DESC LIMIT 51",
          "'default', 'failed'",
          false);

  private static final List<Hot> ALL =
      List.of(CLAIM, COMPLETE_AND_CLAIM, SUBMIT, HEARTBEAT, LIST, LIST_BY_STATE);

  private HotPlans() {}

  /**
   * The plans of all, by EXPLAIN, which runs nothing. What the login may not run is said in its
   * place.
   *
   * @param connection in no transaction
   * @throws SQLException if the database is away
   */
  public static String all(Connection connection) throws SQLException {
    StringBuilder text = new StringBuilder();
    for (Hot one : ALL) {
      text.append("# ").append(one.name()).append('\n');
      try {
        text.append(plan(connection, one));
      } catch (SQLException e) {
        if (connection.isClosed()) {
          throw e;
        }
        text.append("cannot be planned: ").append(e.getMessage()).append('\n');
      }
      text.append('\n');
    }
    return text.toString();
  }

  /**
   * The plan of one, with the settings of the pool in which it runs.
   *
   * @param connection in no transaction
   */
  public static String plan(Connection connection, Hot one) throws SQLException {
    StringBuilder plan = new StringBuilder();
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET TRANSACTION READ ONLY");
      if (one.isOfQueue()) {
        statement.execute(
            "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off;"
                + " SET LOCAL jit = off");
      }
      statement.execute(
          "PREPARE " + one.name() + " (" + one.types() + ") AS " + numbered(one.sql()));
      try (ResultSet rows =
          statement.executeQuery("EXPLAIN EXECUTE " + one.name() + " (" + one.values() + ")")) {
        while (rows.next()) {
          plan.append(rows.getString(1)).append('\n');
        }
      }
      statement.execute("DEALLOCATE " + one.name());
      return plan.toString();
    } finally {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  /** As PREPARE wants its parameters. */
  private static String numbered(String sql) {
    StringBuilder numbered = new StringBuilder();
    int number = 0;
    for (int i = 0; i < sql.length(); i++) {
      numbered.append(sql.charAt(i) == '?' ? "$" + ++number : sql.charAt(i));
    }
    return numbered.toString();
  }
}
