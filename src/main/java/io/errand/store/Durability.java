package io.errand.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a commit survives, by the settings of PostgreSQL that were in force when it was made. */
public final class Durability {
  /**
   * An SQL expression, worked out once in a statement however many rows show it. The first word is
   * {@code replicas} (a synchronous standby has it too), {@code disk} (a crash of PostgreSQL or of
   * its host loses nothing), {@code memory} (such a crash loses the last moments) or {@code none}
   * (it may lose all); then the settings that say so, see "Write Ahead Log" in PostgreSQL's manual.
   */
  public static final String SQL =
      """
      (SELECT CASE WHEN current_setting('fsync') <> 'on' THEN 'none'
            WHEN current_setting('synchronous_commit') = 'off' THEN 'memory'
            WHEN current_setting('synchronous_commit') <> 'local'
                 AND current_setting('synchronous_standby_names') <> '' THEN 'replicas'
            ELSE 'disk' END
       || '; fsync=' || current_setting('fsync')
       || '; synchronous_commit=' || current_setting('synchronous_commit')
       || '; synchronous_standby_names="'
       || regexp_replace(current_setting('synchronous_standby_names'), '[^ -~]|["\\\\]', '_', 'g') || '"')
      """;

  private Durability() {}

  /**
   * One setting, or one thing that goes on, and what it does to what is promised.
   *
   * @param name of the setting, with its value
   * @param weakens whether what was accepted may be lost by it
   * @param problem what it does and what to do, or null where all is well
   * @param fix the statement or command that mends it, or null
   */
  public record Finding(
      String name, boolean weakens, @Nullable String problem, @Nullable String fix) {}

  private record Expectation(
      String setting, String wanted, boolean weakens, String problem, String fix) {}

  private static String set(String setting, String value) {
    return "ALTER SYSTEM SET " + setting + " = " + value + "; SELECT pg_reload_conf();";
  }

  private static final List<Expectation> EXPECTATIONS =
      List.of(
          new Expectation(
              "fsync",
              "on",
              true,
              "a crash of the host can lose or break everything; set it to on",
              set("fsync", "on")),
          new Expectation(
              "full_page_writes",
              "on",
              true,
              "a crash of the host can break pages; set it to on, unless the file system writes pages"
                  + " whole",
              set("full_page_writes", "on")),
          new Expectation(
              "synchronous_commit",
              "on|remote_apply|remote_write|local",
              true,
              "a crash loses the jobs and results of the last moments; set it to on",
              set("synchronous_commit", "on")),
          new Expectation(
              "synchronous_standby_names",
              ".+",
              false,
              "no standby has to have a commit: a failover can lose the last of them; name one if you"
                  + " fail over",
              set("synchronous_standby_names", "'ANY 1 (NAME)'")),
          new Expectation(
              "data_checksums",
              "on",
              false,
              "a broken disk is found out late; see pg_checksums",
              "stop PostgreSQL, then pg_checksums --enable -D its data directory"),
          new Expectation(
              "autovacuum",
              "on",
              false,
              "the tables grow and every claim gets slower; set it to on",
              set("autovacuum", "on")),
          new Expectation(
              "idle_in_transaction_session_timeout",
              "[1-9].*",
              false,
              "a forgotten transaction slows every claim for as long as it is open; set a bound",
              set("idle_in_transaction_session_timeout", "'10min'")));

  private static final String STANDBYS =
      """
      SELECT CASE
          WHEN current_setting('synchronous_standby_names') = '' THEN NULL
          WHEN current_setting('synchronous_commit') IN ('off', 'local')
              THEN 'synchronous_commit = ' || current_setting('synchronous_commit')
                  || ' does not wait for them: set it to on'
          WHEN NOT EXISTS (
              SELECT FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))
              THEN 'none is attached, or this role may not see it: until one is, no commit comes back'
          END
      """;

  private static final String OPEN_TRANSACTIONS =
      """
      SELECT pid, usename, application_name, state, extract(epoch FROM now() - xact_start)::bigint
      FROM pg_stat_activity
      WHERE xact_start < now() - make_interval(secs => ?) AND pid <> pg_backend_pid()
        AND backend_type = 'client backend'
      ORDER BY xact_start LIMIT 10
      """;

  /**
   * Looks at the settings of a database, and for transactions that have been open for more than a
   * minute.
   *
   * @throws SQLException if it does not answer
   */
  public static List<Finding> check(Connection connection) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      for (Expectation expected : EXPECTATIONS) {
        String value = value(statement, "SELECT current_setting('" + expected.setting() + "')");
        findings.add(
            new Finding(
                "database: " + expected.setting() + " = " + (value.isEmpty() ? "''" : value),
                expected.weakens(),
                value.matches(expected.wanted()) ? null : expected.problem(),
                expected.fix()));
      }
      try (ResultSet row = statement.executeQuery(STANDBYS)) {
        row.next();
        findings.add(new Finding("database: synchronous standbys", true, row.getString(1), null));
      }
    }
    findings.addAll(openTransactions(connection, Duration.ofMinutes(1)));
    return findings;
  }

  /**
   * What the settings of a database weaken of the promise that accepted jobs are kept, a line each.
   *
   * @throws SQLException if it does not answer
   */
  public static List<String> weaknesses(Connection connection) throws SQLException {
    return check(connection).stream()
        .filter(finding -> finding.weakens() && finding.problem() != null)
        .map(finding -> finding.name() + ": " + finding.problem())
        .toList();
  }

  /** The time of the database, in seconds since 1970. */
  public static double clock(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT extract(epoch FROM clock_timestamp())::float8")) {
      row.next();
      return row.getDouble(1);
    }
  }

  /**
   * Transactions of others that have been open for so long, the ten oldest: while they are, dead
   * rows stay and every claim reads past them.
   */
  public static List<Finding> openTransactions(Connection connection, Duration age)
      throws SQLException {
    List<Finding> findings = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(OPEN_TRANSACTIONS)) {
      statement.setDouble(1, age.toMillis() / 1e3);
      ResultSet row = statement.executeQuery();
      while (row.next()) {
        findings.add(
            new Finding(
                "database: open transaction of " + row.getLong(5) + " s",
                false,
                "pid "
                    + row.getInt(1)
                    + " (user "
                    + row.getString(2)
                    + ", application '"
                    + row.getString(3)
                    + "', "
                    + row.getString(4)
                    + ") slows every claim; end it, or SELECT pg_terminate_backend("
                    + row.getInt(1)
                    + ")",
                "SELECT pg_terminate_backend(" + row.getInt(1) + ");"));
      }
    }
    return findings;
  }

  private static String value(Statement statement, String sql) throws SQLException {
    try (ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }
}
