package io.errand.ops;

import io.errand.embedded.DataDirectory;
import io.errand.embedded.EmbeddedPostgres;
import io.errand.settings.Settings;
import io.errand.store.DatabaseCheck;
import io.errand.store.DatabaseLogin;
import io.errand.store.Session;
import io.errand.text.FaultText;
import io.errand.vault.Vault;
import io.errand.vault.VaultException;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.TimeZone;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * The way of a command without a server to the database: {@code ERRAND_DATABASE_URL} and its
 * companions, or the running built-in one of {@code ERRAND_HOME}.
 */
final class DatabaseAccess {
  private static final int UNAVAILABLE = 69;

  private DatabaseAccess() {}

  /**
   * Connects.
   *
   * @return empty where no database is configured and no built-in one runs
   * @throws SQLException if it does not let us in
   * @throws IllegalStateException with a sentence, if a setting makes no sense
   */
  static Optional<Connection> connect() throws SQLException {
    Optional<Login> login = login();
    return login.isEmpty() ? Optional.empty() : Optional.of(open(login.get()));
  }

  /**
   * How to connect.
   *
   * @param url {@code jdbc:postgresql://…}
   */
  record Login(String url, @Nullable String user, @Nullable String password) {}

  /** The same without a connection. */
  static Optional<Login> login() throws SQLException {
    Settings settings = Settings.ofThisProcess();
    String url = settings.get("database-url");
    if (url != null) {
      DatabaseLogin own = ofVault(settings);
      return Optional.of(new Login(url, own.user(), own.password()));
    }
    Path home = DataDirectory.of(settings.get("home"));
    Optional<EmbeddedPostgres.Address> running;
    try {
      running = EmbeddedPostgres.running(home);
    } catch (IOException e) {
      throw new SQLException(
          "the built-in database of " + home + " cannot be found: " + FaultText.of(e), e);
    }
    return running.map(
        address -> new Login(address.jdbcUrl(), EmbeddedPostgres.ROLE, address.password()));
  }

  /** That of Vault, which ends with its lease, where it gives one. */
  private static DatabaseLogin ofVault(Settings settings) {
    String path = settings.get("vault-database");
    Vault vault = path == null ? null : Vault.of(settings::get);
    if (path == null || vault == null) {
      return new DatabaseLogin(settings.get("database-user"), settings.get("database-password"));
    }
    try {
      return DatabaseLogin.of(path, vault.read(path));
    } catch (VaultException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  /** What a command reads there. */
  interface Reading {
    /** Reads and prints; gives the exit status. */
    int read(Connection connection) throws SQLException, IOException;
  }

  /**
   * Lets a command read the database, and says on stderr why it cannot.
   *
   * @param missing what a database lacks in which the tables are missing
   * @return the exit status: that of the reading, 69 without a database, 2 if a setting makes no
   *     sense
   * @throws IOException of the reading
   */
  static int read(String missing, Reading reading) throws IOException {
    try {
      Optional<Connection> found = connect();
      if (found.isEmpty()) {
        System.err.println(
            "errand: no built-in database runs; start the server or set ERRAND_DATABASE_URL");
        return UNAVAILABLE;
      }
      try (Connection connection = found.get()) {
        return reading.read(connection);
      }
    } catch (SQLException e) {
      System.err.println(
          "errand: "
              + (DatabaseCheck.isWithoutSchema(e)
                  ? "this database has no " + missing + " yet"
                  : "the database cannot be read: " + FaultText.of(e)));
      return UNAVAILABLE;
    } catch (IllegalStateException e) {
      System.err.println("errand: " + e.getMessage());
      return CommandLine.ExitCode.USAGE;
    }
  }

  private static Connection open(Login login) throws SQLException {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC")); // the database need not know the host's zone
    Connection connection =
        Session.open(login.url(), login.user(), login.password(), "errand check", 5);
    Session.liftBounds(connection);
    return connection;
  }
}
