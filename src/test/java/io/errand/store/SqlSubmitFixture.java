package io.errand.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.postgresql.util.PSQLException;

/** A store with an ordinary role that may submit by SQL and nothing else. */
abstract class SqlSubmitFixture extends DependencyFixture {
  static final String ROLE = "sql_submit_test";
  static final String CALLER = "sql:" + ROLE;

  Connection app;

  @BeforeEach
  void grant() throws SQLException {
    database.execute(
        """
        DO $$ BEGIN
            CREATE ROLE sql_submit_test;
        EXCEPTION WHEN duplicate_object THEN NULL;
        END $$
        """);
    database.execute("GRANT USAGE ON SCHEMA errand TO " + ROLE);
    database.execute("GRANT EXECUTE ON FUNCTION errand.submit TO " + ROLE);
    app = connect();
  }

  @AfterEach
  void close() throws SQLException {
    app.close();
  }

  Connection connect() throws SQLException {
    Connection connection = database.dataSource().getConnection();
    execute(connection, "SET SESSION AUTHORIZATION " + ROLE);
    return connection;
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static UUID submit(Connection connection, String arguments) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT errand.submit(" + arguments + ")")) {
      row.next();
      return row.getObject(1, UUID.class);
    }
  }

  String count(String table) throws SQLException {
    return database.value("SELECT count(*) FROM errand." + table);
  }

  static String message(SQLException fault) {
    return fault instanceof PSQLException known && known.getServerErrorMessage() != null
        ? String.valueOf(known.getServerErrorMessage().getMessage())
        : String.valueOf(fault.getMessage());
  }
}
