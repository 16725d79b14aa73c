package io.errand.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;

/** Whether a database can keep jobs. */
public final class DatabaseCheck {
  /** SQLSTATE of a write in a transaction that may not. */
  static final String READ_ONLY = "25006";

  private static final int OLDEST = 140_000;

  private static final String LOOK =
      """
      SELECT current_database(), current_setting('server_encoding'),
             current_setting('server_version_num')::int, current_setting('server_version'),
             pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'
      """;

  private DatabaseCheck() {}

  /**
   * What keeps it from being used, in a sentence that says what to do; empty if nothing does.
   *
   * @throws SQLException if it does not answer
   */
  public static Optional<String> problem(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(LOOK)) {
      row.next();
      String name = row.getString(1);
      if (row.getInt(3) < OLDEST) {
        return Optional.of(
            "its PostgreSQL is " + row.getString(4) + "; Errand needs version 14 or newer");
      }
      if (!"UTF8".equals(row.getString(2))) {
        return Optional.of(
            "the encoding of database "
                + name
                + " is "
                + row.getString(2)
                + ", which cannot hold all text; make one with ENCODING 'UTF8' TEMPLATE template0");
      }
      if (row.getBoolean(5)) {
        return Optional.of("it is a standby and takes no writes; set the address of the primary");
      }
      if (row.getBoolean(6)) {
        return Optional.of(
            "it takes no writes, as default_transaction_read_only of server, database or role has"
                + " it; reset that");
      }
      return Optional.empty();
    }
  }

  /** Whether a fault may be over in a moment: not a refused login, nor an address of bad form. */
  public static boolean mayPass(SQLException fault) {
    String state = String.valueOf(fault.getSQLState());
    return state.startsWith("57P")
        || state.startsWith("53")
        || state.matches("08(000|003|004|006)")
        || state.equals("08001") && fault.getCause() != null;
  }

  /** Why the database is not ready, in words that tell nothing of where it is. */
  public static String reason(SQLException fault) {
    String state = String.valueOf(fault.getSQLState());
    if (state.equals(READ_ONLY)
        || String.valueOf(fault.getMessage()).contains("targetServerType")) {
      return "the database takes no writes: it is a standby, or read-only by a setting of server,"
          + " database or role";
    }
    if (state.startsWith("28") || state.startsWith("3D")) {
      return "the database refuses the login";
    }
    return state.startsWith("42")
        ? "the database has no schema of this build"
        : "the database does not answer";
  }
}
