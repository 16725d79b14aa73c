package io.errand.server;

import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.awaitility.Awaitility;

/** The built-in database of a server, for others than the server. */
final class BuiltInDatabase {
  private BuiltInDatabase() {}

  /** The settings that connect another server to the built-in database of this one. */
  static Map<String, String> settingsOf(TestServer server) throws IOException {
    // The server writes its url first, which is what a start is awaited by.
    Awaitility.await().until(() -> server.log().contains("\nPGPASSFILE="));
    String line =
        server
            .log()
            .lines()
            .filter(l -> l.startsWith("PGPASSFILE="))
            .reduce((a, b) -> b)
            .orElseThrow();
    return Map.of(
        "ERRAND_DATABASE_URL",
        "jdbc:postgresql://127.0.0.1:" + line.replaceFirst(".* -p (\\d+) .*", "$1") + "/postgres",
        "ERRAND_DATABASE_USER",
        "errand",
        "ERRAND_DATABASE_PASSWORD",
        Files.readString(server.home().resolve("pgpass")).trim().split(":")[4]);
  }

  private static Connection connect(TestServer server) throws IOException, SQLException {
    Map<String, String> database = settingsOf(server);
    return DriverManager.getConnection(
        database.get("ERRAND_DATABASE_URL"),
        database.get("ERRAND_DATABASE_USER"),
        database.get("ERRAND_DATABASE_PASSWORD"));
  }

  /** Carries out statements that give no rows; each is a transaction of its own. */
  static void execute(TestServer server, String... statements) throws IOException, SQLException {
    try (Connection connection = connect(server);
        Statement statement = connection.createStatement()) {
      for (String one : statements) {
        statement.execute(one);
      }
    }
  }

  /** The first column of the first row that a query gives. */
  static String sql(TestServer server, String query) throws IOException, SQLException {
    try (Connection connection = connect(server);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getString(1);
    }
  }
}
