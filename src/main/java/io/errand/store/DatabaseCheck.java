package io.errand.store;

import java.security.cert.CertificateException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.Set;
import org.postgresql.util.PSQLException;

/** Whether a database can keep jobs. */
public final class DatabaseCheck {
  /** SQLSTATE of a write in a transaction that may not. */
  static final String READ_ONLY = "25006";

  private static final int OLDEST = 140_000;
  private static final int MOST_CAUSES = 20;

  /** SQLSTATE of a function, a table and a schema that are not there. */
  private static final Set<String> NO_SUCH_OBJECT = Set.of("42883", "42P01", "3F000");

  private static final String LOOK =
      """
      SELECT current_database(), current_setting('server_encoding'),
             current_setting('server_version_num')::int, current_setting('server_version'),
             pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
             current_setting('session_replication_role')
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
      if (!"origin".equals(row.getString(7))) {
        return Optional.of(
            "its foreign keys are switched off, as role or database have session_replication_role = "
                + row.getString(7)
                + "; reset that");
      }
      return Optional.empty();
    }
  }

  /** Whether a statement, or a connection for one, failed since the database takes no writes. */
  public static boolean isReadOnly(SQLException fault) {
    return READ_ONLY.equals(fault.getSQLState())
        || String.valueOf(fault.getMessage()).contains("targetServerType");
  }

  /** Whether a row was refused because what it belongs to, a project for example, is not there. */
  public static boolean isOwnerMissing(SQLException fault) {
    return "23503".equals(fault.getSQLState());
  }

  /** Whether there is no such login any more, or it has another password. */
  static boolean isLoginRefused(SQLException fault) {
    return String.valueOf(fault.getSQLState()).startsWith("28");
  }

  /** Whether the certificate of the database is not believed: its authority, or the host. */
  public static boolean isDistrusted(SQLException fault) {
    Throwable cause = fault;
    for (int depth = 0; cause != null && depth < MOST_CAUSES; depth++) {
      if (cause instanceof CertificateException
          || String.valueOf(cause.getMessage()).contains("hostnameverifier")) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }

  /**
   * Whether a fault may be over in a moment: not a refused login, a certificate that is not
   * believed, nor an address of bad form.
   */
  public static boolean mayPass(SQLException fault) {
    String state = String.valueOf(fault.getSQLState());
    if (isDistrusted(fault)) {
      return false;
    }
    return state.startsWith("57P")
        || state.startsWith("53")
        || state.matches("08(000|003|004|006)")
        || state.equals("08001") && fault.getCause() != null;
  }

  /**
   * Whether the database has answered, with an error, and goes on. A session that it ends, as for a
   * restart, is no answer.
   */
  public static boolean hasAnswered(SQLException fault) {
    String state = String.valueOf(fault.getSQLState());
    Throwable cause = fault;
    for (int depth = 0; cause != null && depth < MOST_CAUSES; depth++) {
      if (cause instanceof PSQLException of && of.getServerErrorMessage() != null) {
        return !state.startsWith("57P") && !state.startsWith("08");
      }
      cause = cause.getCause();
    }
    return false;
  }

  /** What has happened to a statement, for a log: a clause. */
  public static String description(SQLException fault) {
    return (hasAnswered(fault)
            ? "the database refused a statement: "
            : "the database does not answer: ")
        + fault.getMessage();
  }

  /** Whether a statement has failed because there is no such table, function or schema. */
  public static boolean isWithoutSchema(SQLException fault) {
    return NO_SUCH_OBJECT.contains(String.valueOf(fault.getSQLState()));
  }

  /** Why the database is not ready, in words that tell nothing of where it is. */
  public static String reason(SQLException fault) {
    String state = String.valueOf(fault.getSQLState());
    if (isReadOnly(fault)) {
      return "the database takes no writes: it is a standby, or read-only by a setting of server,"
          + " database or role";
    }
    if (state.startsWith("28") || state.startsWith("3D")) {
      return "the database refuses the login";
    }
    if (state.startsWith("42")) {
      return "the database has no schema of this build";
    }
    return hasAnswered(fault)
        ? "the database refuses statements; the server's log says more"
        : "the database does not answer";
  }
}
