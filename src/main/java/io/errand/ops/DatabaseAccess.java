package io.errand.ops;

import io.errand.embedded.DataDirectory;
import io.errand.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;

/**
 * The way of a command without a server to the database: {@code ERRAND_DATABASE_URL} and its
 * companions, or the running built-in one of {@code ERRAND_HOME}.
 */
final class DatabaseAccess {
  private DatabaseAccess() {}

  /**
   * Connects.
   *
   * @return empty where no database is configured and no built-in one runs
   * @throws SQLException if it does not let us in
   */
  static Optional<Connection> connect() throws SQLException {
    String url = setting("ERRAND_DATABASE_URL");
    if (url != null) {
      return Optional.of(
          open(url, setting("ERRAND_DATABASE_USER"), setting("ERRAND_DATABASE_PASSWORD")));
    }
    Path home = DataDirectory.of(setting("ERRAND_HOME"));
    Optional<EmbeddedPostgres.Address> running;
    try {
      running = EmbeddedPostgres.running(home);
    } catch (IOException e) {
      throw new SQLException("the built-in database of " + home + " cannot be found: " + e, e);
    }
    return running.isEmpty()
        ? Optional.empty()
        : Optional.of(
            open(running.get().jdbcUrl(), EmbeddedPostgres.ROLE, running.get().password()));
  }

  private static Connection open(String url, @Nullable String user, @Nullable String password)
      throws SQLException {
    Properties properties = new Properties();
    if (user != null) {
      properties.setProperty("user", user);
    }
    if (password != null) {
      properties.setProperty("password", password);
    }
    properties.setProperty("ApplicationName", "errand check");
    properties.setProperty("connectTimeout", "5");
    Connection connection = new Driver().connect(url, properties);
    if (connection == null) {
      throw new SQLException(
          "ERRAND_DATABASE_URL is '" + url + "'; set it to jdbc:postgresql://host:port/database");
    }
    return connection;
  }

  private static @Nullable String setting(String name) {
    String value = System.getenv(name);
    return value == null || value.isBlank() ? null : value;
  }
}
