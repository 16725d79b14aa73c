package io.errand.store.drill;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What a drill reads of the database, and what it does to it with the rights of its login. */
public final class DrillStore {
  /** By which the sessions of a drill are told from those of servers. */
  public static final String APPLICATION = "errand drill";

  private static final String OTHERS =
      """
      SELECT queue FROM errand.jobs WHERE queue <> ? AND created_at > now() - INTERVAL '1 hour'
      ORDER BY created_at DESC LIMIT 1
      """;

  private static final String UNFINISHED =
      """
      SELECT count(*) FROM (
          SELECT FROM errand.jobs WHERE queue = ? AND state IN ('queued', 'running', 'retrying') LIMIT 1000000) AS few
      """;

  private static final String LIVE_WORKERS = "SELECT id FROM errand.workers WHERE state = 'live'";

  private static final String STATES = "SELECT id, state FROM errand.jobs WHERE queue = ?";

  private static final String END_SESSIONS =
      """
      SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
      WHERE datname = current_database() AND usename IS NOT NULL AND pid <> pg_backend_pid()
        AND application_name LIKE 'errand%' AND application_name NOT IN ('errand check', ?)
      """;

  private DrillStore() {}

  /** The queue of another job that was submitted within the last hour; empty if there is none. */
  public static String otherQueueInUse(Connection connection, String queue) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(OTHERS)) {
      statement.setString(1, queue);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getString(1) : "";
      }
    }
  }

  /** How many jobs of a queue have not come to rest. */
  public static long unfinished(Connection connection, String queue) throws SQLException {
    return number(connection, UNFINISHED, queue);
  }

  /** The ids of the workers that are alive. */
  public static Set<String> liveWorkers(Connection connection) throws SQLException {
    Set<String> ids = new TreeSet<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(LIVE_WORKERS)) {
      while (rows.next()) {
        ids.add(rows.getString(1));
      }
    }
    return ids;
  }

  /** The state of every job of a queue, by id. */
  public static Map<String, String> states(Connection connection, String queue)
      throws SQLException {
    Map<String, String> states = new LinkedHashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(STATES)) {
      statement.setString(1, queue);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          states.put(rows.getString(1), rows.getString(2));
        }
      }
    }
    return states;
  }

  /** Ends the sessions of servers in the middle of what they do; how many there were. */
  public static long endSessions(Connection connection) throws SQLException {
    return number(connection, END_SESSIONS, APPLICATION);
  }

  /** What is done while a transaction is open. */
  public interface Meanwhile {
    /** Returns when the transaction is to end. */
    void run() throws InterruptedException;
  }

  /** Holds the table of jobs, so that whoever reads or changes jobs waits. */
  public static void holdJobs(Connection connection, Meanwhile meanwhile)
      throws SQLException, InterruptedException {
    within(
        connection,
        "SET LOCAL lock_timeout = '20s'; LOCK TABLE errand.jobs IN ACCESS EXCLUSIVE MODE",
        meanwhile);
  }

  /** Leaves a transaction open whose snapshot pins every row. */
  public static void pinRows(Connection connection, Meanwhile meanwhile)
      throws SQLException, InterruptedException {
    within(
        connection,
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM errand.workers",
        meanwhile);
  }

  private static void within(Connection connection, String sql, Meanwhile meanwhile)
      throws SQLException, InterruptedException {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
      meanwhile.run();
    } finally {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  private static long number(Connection connection, String sql, String parameter)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, parameter);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }
}
