package io.errand.store.operations;

import io.errand.store.operations.StepJobs.Position;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The jobs of an operation that are fixed when it begins, in rows of {@value
 * OperationSteps#MOST_JOBS}. The bound of time alone does not exclude a job whose transaction began
 * before the operation and was committed after it.
 */
final class OperationJobs {
  private OperationJobs() {}

  /* One statement, and so one snapshot: what it stores is what it counts. */
  private static final String FIX =
      """
      WITH matching AS MATERIALIZED (
          SELECT j.id, j.created_at FROM errand.jobs j WHERE CONDITIONS LIMIT ?
      ), stored AS (
          INSERT INTO errand.operation_jobs (operation_id, last_created_at, last_id, ids)
          SELECT ?, max(created_at), (array_agg(id ORDER BY created_at DESC, id DESC))[1],
              array_agg(id ORDER BY created_at, id)
          FROM (
              SELECT id, created_at,
                  (row_number() OVER (ORDER BY created_at, id) - 1) / MOST_JOBS AS number
              FROM matching) n
          GROUP BY number
      )
      SELECT count(*) FROM matching
      """
          .replace("MOST_JOBS", Integer.toString(OperationSteps.MOST_JOBS));

  private static final String NEXT =
      """
      SELECT last_created_at, last_id, ids, EXISTS (
          SELECT FROM errand.operation_jobs m
          WHERE m.operation_id = o.operation_id
            AND (m.last_created_at, m.last_id) > (o.last_created_at, o.last_id)) AS more
      FROM errand.operation_jobs o
      WHERE operation_id = ? AND (last_created_at, last_id) > (?, ?)
      ORDER BY last_created_at, last_id LIMIT 1
      """;

  private static final String FORGET = "DELETE FROM errand.operation_jobs WHERE operation_id = ?";

  /**
   * Jobs of one row.
   *
   * @param end the place of the last of them
   * @param more whether there is a row behind it
   */
  record Row(UUID[] ids, Position end, boolean more) {}

  /**
   * Stores which jobs match.
   *
   * @param most how many at most
   * @return how many they are
   */
  static long fix(Connection connection, UUID operation, JobMatch match, long most)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(FIX.replace("CONDITIONS", match.sql()))) {
      int place = match.bind(statement, 1);
      statement.setLong(place, most);
      statement.setObject(place + 1, operation);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  /** The row that has jobs behind a position; null if there is none. */
  static @Nullable Row next(Connection connection, UUID operation, Position position)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(NEXT)) {
      statement.setObject(1, operation);
      statement.setObject(2, position.createdAt());
      statement.setObject(3, position.id());
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return null;
        }
        Array ids = row.getArray("ids");
        return new Row(
            (UUID[]) ids.getArray(),
            new Position(
                row.getObject("last_created_at", OffsetDateTime.class),
                row.getObject("last_id", UUID.class)),
            row.getBoolean("more"));
      }
    }
  }

  /** Removes those of an operation that has ended. */
  static void forget(Connection connection, UUID operation) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(FORGET)) {
      statement.setObject(1, operation);
      statement.executeUpdate();
    }
  }
}
