package io.errand.store.operations;

import io.errand.job.Access;
import io.errand.store.AccessSql;
import io.errand.store.ProjectReads;
import io.errand.store.reads.JobFilter;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What clients read of their operations. */
@ApplicationScoped
public class OperationReads {
  /** What the filters of a page may take, in bytes; it has one operation at least. */
  public static final int PAGE_BYTES = 256 * 1024;

  private final ProjectReads projects;

  public OperationReads(ProjectReads projects) {
    this.projects = projects;
  }

  private static final String FIND =
      "SELECT COLUMNS FROM errand.operations WHERE id = ? AND "
          .concat(AccessSql.CONDITION)
          .replace("COLUMNS", Operation.COLUMNS);

  private static final String LIST =
      """
      WITH page AS (
          SELECT o.*, sum(octet_length(filter::text)) OVER newest AS bytes,
              row_number() OVER newest AS place
          FROM (
              SELECT * FROM errand.operations
              WHERE project = ? AND principal = coalesce(?, principal) AND (?::text IS NULL OR state = ?)
                AND (?::uuid IS NULL OR (created_at, id) < (?, ?))
              ORDER BY created_at DESC, id DESC LIMIT ?) o
          WINDOW newest AS (ORDER BY created_at DESC, id DESC ROWS UNBOUNDED PRECEDING)
      )
      SELECT COLUMNS, (SELECT count(*) FROM page) AS found
      FROM page WHERE place = 1 OR bytes <= ?
      ORDER BY created_at DESC, id DESC
      """
          .replace("COLUMNS", Operation.COLUMNS);

  /** One operation of this caller. */
  public Optional<Operation> find(UUID id, Access access) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setObject(1, id);
      AccessSql.bind(statement, 2, access);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(Operation.read(row)) : Optional.empty();
      }
    }
  }

  /**
   * A page of operations.
   *
   * @param operations in order
   * @param more whether others follow
   */
  public record Page(List<Operation> operations, boolean more) {}

  /**
   * Operations of this caller, the newest first; at most {@link #PAGE_BYTES} of filters.
   *
   * @param state only in this state, or null
   * @param after only those that are older than this one, or null
   * @param size at most so many
   */
  public Page list(
      Access access, @Nullable String state, JobFilter.@Nullable Position after, int size)
      throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(LIST)) {
      AccessSql.bind(statement, 1, access);
      statement.setString(3, state);
      statement.setString(4, state);
      statement.setObject(5, after == null ? null : after.id(), Types.OTHER);
      statement.setObject(
          6,
          after == null ? null : after.createdAt().atOffset(ZoneOffset.UTC),
          Types.TIMESTAMP_WITH_TIMEZONE);
      statement.setObject(7, after == null ? null : after.id(), Types.OTHER);
      statement.setInt(8, size + 1);
      statement.setInt(9, PAGE_BYTES);
      List<Operation> operations = new ArrayList<>();
      int found = 0;
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next() && operations.size() < size) {
          operations.add(Operation.read(rows));
          found = rows.getInt("found");
        }
      }
      return new Page(operations, found > operations.size());
    }
  }
}
