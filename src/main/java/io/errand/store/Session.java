package io.errand.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;

/**
 * A session of the database with all that our statements rely on. Database, role and server may
 * have other defaults: an isolation level, timeouts, a search path, how literals are read. Whether
 * commits are durable and whether transactions may write stays as they have it: {@link Durability}
 * and {@link DatabaseCheck} tell.
 */
public final class Session {
  /**
   * What every session begins with. No transaction of ours takes as long as these bounds. Only a
   * superuser may set {@code session_replication_role}, which would switch foreign keys off.
   */
  public static final String SQL =
      """
      SET standard_conforming_strings = on;
      SET backslash_quote = safe_encoding;
      SET array_nulls = on;
      SET transform_null_equals = off;
      SET quote_all_identifiers = off;
      SET bytea_output = 'hex';
      SET extra_float_digits = 1;
      SET xmloption = content;
      SET timezone_abbreviations = 'Default';
      SET gin_fuzzy_search_limit = 0;
      SET row_security = on;
      SET check_function_bodies = on;
      SET plpgsql.extra_errors = 'none';
      SET plpgsql.extra_warnings = 'none';
      SET client_min_messages = warning;
      SET default_transaction_isolation = 'read committed';
      SET default_transaction_deferrable = off;
      SET search_path = errand;
      SET TimeZone = 'UTC';
      SET DateStyle = 'ISO, MDY';
      SET IntervalStyle = 'postgres';
      SET statement_timeout = '60s';
      SET lock_timeout = 0;
      SET idle_in_transaction_session_timeout = '60s';
      SET idle_session_timeout = 0;
      SELECT set_config('transaction_timeout', '0', false)
      WHERE current_setting('transaction_timeout', true) IS NOT NULL;
      SELECT set_config('session_replication_role', 'origin', false)
      WHERE current_setting('is_superuser') = 'on'
      """;

  private static final String WITHOUT_BOUNDS =
      "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

  private Session() {}

  /**
   * The servers that reads may go to, as the driver names them: those that take writes, where there
   * is one to be looked for among several.
   *
   * @param url of the database
   */
  public static String readsFrom(String url) {
    String hosts = url.replaceFirst("^jdbc:postgresql://", "").replaceFirst("[/?].*", "");
    return hosts.contains(",") ? "primary" : "any";
  }

  /**
   * Connects, outside of any pool.
   *
   * @param name shown in {@code pg_stat_activity}
   * @param timeoutSeconds bounds connecting and every answer, those of the login too; at least 1.
   *     The driver's loginTimeout would need a thread, when there may be none to be had
   * @throws SQLException if the address has no such form, or the database does not let us in
   */
  public static Connection open(
      String url, @Nullable String user, @Nullable String password, String name, int timeoutSeconds)
      throws SQLException {
    return open(url, user, password, name, timeoutSeconds, new Properties());
  }

  /**
   * Connects to a server that takes writes, outside of any pool.
   *
   * @param name shown in {@code pg_stat_activity}
   * @param timeoutSeconds bounds connecting and every answer; at least 1
   * @throws SQLException if there is no such server, or it does not let us in
   */
  public static Connection openPrimary(StoreConfig config, String name, int timeoutSeconds)
      throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("targetServerType", "primary");
    return open(config, name, timeoutSeconds, properties);
  }

  /**
   * The same for a connection that listens for notifications, see {@link ListeningSocketFactory}.
   */
  static Connection openListening(StoreConfig config, String name, int timeoutSeconds)
      throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("targetServerType", "primary");
    properties.setProperty("socketFactory", ListeningSocketFactory.class.getName());
    return open(config, name, timeoutSeconds, properties);
  }

  private static Connection open(
      StoreConfig config, String name, int timeoutSeconds, Properties properties)
      throws SQLException {
    DatabaseLogin login = config.login();
    try {
      return open(
          config.databaseUrl(), login.user(), login.password(), name, timeoutSeconds, properties);
    } catch (SQLException e) {
      RotatingLogin rotating = RotatingLogin.ofThisProcess();
      if (rotating != null && DatabaseCheck.isLoginRefused(e)) {
        rotating.refuse(login);
      }
      throw e;
    }
  }

  /**
   * Whether a session outside of the pools may go on: not if there is another user of the database
   * by now, since the one that it has will be removed.
   */
  public static boolean isOfCurrentLogin(Connection connection) throws SQLException {
    RotatingLogin rotating = RotatingLogin.ofThisProcess();
    return rotating == null
        || connection.getMetaData().getUserName().equals(rotating.current().user());
  }

  private static Connection open(
      String url,
      @Nullable String user,
      @Nullable String password,
      String name,
      int timeoutSeconds,
      Properties properties)
      throws SQLException {
    if (user != null) {
      properties.setProperty("user", user);
    }
    if (password != null) {
      properties.setProperty("password", password);
    }
    properties.setProperty("ApplicationName", name);
    properties.setProperty("connectTimeout", Integer.toString(timeoutSeconds));
    properties.setProperty("socketTimeout", Integer.toString(timeoutSeconds));
    properties.setProperty("tcpKeepAlive", "true");
    if (Driver.parseURL(url, properties) == null) {
      throw new SQLException(
          "ERRAND_DATABASE_URL has not the form jdbc:postgresql://host:port/database", "08001");
    }
    Connection connection = new Driver().connect(url, properties);
    try (Statement statement = connection.createStatement()) {
      statement.execute(SQL);
    } catch (SQLException | RuntimeException | Error e) {
      connection.close();
      throw e;
    }
    return connection;
  }

  /** For a look at the whole database: it may take as long as it takes. */
  public static void liftBounds(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(WITHOUT_BOUNDS);
    }
    connection.setNetworkTimeout(Runnable::run, 0);
  }
}
