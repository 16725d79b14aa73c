package io.errand.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * What the database says of itself. The connections are those of the queue, which requests cannot
 * use up, so that probes do not wait behind reads.
 */
@ApplicationScoped
public class SchemaReads {
  private static final String VERSION =
      """
      SELECT version, current_setting('transaction_read_only') FROM errand.flyway_schema_history
      WHERE success AND version IS NOT NULL ORDER BY installed_rank DESC LIMIT 1
      """;

  /** A standby says so by this, too. */
  private static final String IS_READ_ONLY =
      "SELECT current_setting('transaction_read_only') = 'on'";

  private static final int MOST_SECONDS = 3;

  private final DataSource dataSource;

  SchemaReads(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * Whether the database takes no writes.
   *
   * @throws SQLException if it does not answer
   */
  public boolean isReadOnly() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(IS_READ_ONLY)) {
      statement.setQueryTimeout(MOST_SECONDS);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  /**
   * The newest migration that is applied, such as {@code 001}.
   *
   * @throws SQLException if the database does not answer, has no schema of ours, or takes no writes
   */
  public String version() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(VERSION)) {
      statement.setQueryTimeout(MOST_SECONDS);
      try (ResultSet rows = statement.executeQuery()) {
        if (!rows.next()) {
          throw new SQLException("The schema has no version");
        }
        if (rows.getString(2).equals("on")) {
          throw new SQLException("The database takes no writes", DatabaseCheck.READ_ONLY);
        }
        return rows.getString(1);
      }
    }
  }
}
