package io.errand.store.submit;

import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.job.OnDependencyFailure;
import io.errand.store.AccessSql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/**
 * What a submit reads of the jobs that new ones wait for, and the rows that it writes about them.
 */
final class DependencyRows {
  private static final int MOST_ROWS = 10_000;

  private DependencyRows() {}

  private static final String STATES =
      "SELECT id, state FROM errand.jobs WHERE id = ANY (?) AND " + AccessSql.CONDITION;

  private static final String REMOVED =
      "SELECT id FROM errand.removed_jobs WHERE id = ANY (?) AND principal = ?";

  private static final String INSERT =
      """
      INSERT INTO errand.job_dependencies (job_id, after_id, marked, finished)
      SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::boolean[], ?::boolean[])
      """;

  /** A row of the table. */
  record Row(UUID job, UUID after, boolean marked, boolean finished) {}

  /** Whether a job in this state is waited for no more. */
  static boolean isMet(JobState state, OnDependencyFailure onFailure) {
    return state == JobState.SUCCEEDED || (state.isFinal() && onFailure == OnDependencyFailure.RUN);
  }

  /** The states of those of the jobs that this caller has. */
  static Map<UUID, JobState> states(Connection connection, Access access, Set<UUID> ids)
      throws SQLException {
    Map<UUID, JobState> states = new HashMap<>();
    if (!ids.isEmpty()) {
      try (PreparedStatement statement = connection.prepareStatement(STATES)) {
        statement.setArray(1, connection.createArrayOf("uuid", ids.toArray()));
        AccessSql.bind(statement, 2, access);
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            states.put(rows.getObject(1, UUID.class), JobState.ofWireName(rows.getString(2)));
          }
        }
      }
    }
    return states;
  }

  /** Those of the jobs that this caller had, and that have been removed. */
  static Set<UUID> removed(Connection connection, String principal, Set<UUID> ids)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(REMOVED)) {
      statement.setArray(1, connection.createArrayOf("uuid", ids.toArray()));
      statement.setString(2, principal);
      Set<UUID> removed = new HashSet<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          removed.add(rows.getObject(1, UUID.class));
        }
      }
      return removed;
    }
  }

  /** Writes rows, 10,000 with each statement. */
  static void insert(Connection connection, List<Row> rows) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      for (int from = 0; from < rows.size(); from += MOST_ROWS) {
        List<Row> some = rows.subList(from, Math.min(rows.size(), from + MOST_ROWS));
        bind(connection, statement, 1, "uuid", some, Row::job);
        bind(connection, statement, 2, "uuid", some, Row::after);
        bind(connection, statement, 3, "bool", some, Row::marked);
        bind(connection, statement, 4, "bool", some, Row::finished);
        statement.executeUpdate();
      }
    }
  }

  private static void bind(
      Connection connection,
      PreparedStatement statement,
      int number,
      String type,
      List<Row> rows,
      Function<Row, Object> field)
      throws SQLException {
    statement.setArray(number, connection.createArrayOf(type, rows.stream().map(field).toArray()));
  }
}
