package io.errand.store.drill;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The mark that says of a database that it may be injured. It is a setting of the database and not
 * a row: a dump carries none, wherever it is restored.
 */
public final class StagingMark {
  private static final String SETTING = "errand.staging";

  private static final String READ =
      """
      SELECT current_database(), EXISTS (
          SELECT FROM pg_db_role_setting s, unnest(s.setconfig) c
          WHERE s.setrole = 0 AND s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND c = ?)
      """;

  private StagingMark() {}

  /** The name of the database. */
  public static String database(Connection connection) throws SQLException {
    try (ResultSet row = read(connection)) {
      return row.getString(1);
    }
  }

  /** Whether it has the mark. */
  public static boolean isSet(Connection connection) throws SQLException {
    try (ResultSet row = read(connection)) {
      return row.getBoolean(2);
    }
  }

  private static ResultSet read(Connection connection) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(READ);
    statement.closeOnCompletion();
    statement.setString(1, SETTING + "=yes");
    ResultSet row = statement.executeQuery();
    row.next();
    return row;
  }

  /**
   * Gives it the mark, or takes it away.
   *
   * @throws SQLException also if the login does not own the database
   */
  public static void set(Connection connection, boolean isStaging) throws SQLException {
    String name = '"' + database(connection).replace("\"", "\"\"") + '"';
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "ALTER DATABASE "
              + name
              + (isStaging ? " SET " + SETTING + " = 'yes'" : " RESET " + SETTING));
    }
  }
}
