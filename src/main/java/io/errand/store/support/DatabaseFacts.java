package io.errand.store.support;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Statistics of the database, without anything that a client or a command has written but names of
 * queues. No table of jobs is read.
 */
public final class DatabaseFacts {
  private static final int MOST_ROWS = 300;

  private static final Map<String, String> QUERIES = new LinkedHashMap<>();

  static {
    QUERIES.put("PostgreSQL", "SELECT version(), now(), pg_postmaster_start_time() AS started");
    QUERIES.put(
        "settings",
        """
        SELECT name, setting, unit, source FROM pg_settings
        WHERE name ~ ('^(autovacuum|checkpoint|effective_|idle_|jit|lc_|lock_timeout|log_min|maintenance_|max_|random_page|'
            || 'server_encoding|shared_buffers|statement_timeout|synchronous_commit|fsync|full_page|TimeZone|'
            || 'transaction_timeout|vacuum_|wal_level|work_mem|default_transaction)')
        ORDER BY name
        """);
    QUERIES.put(
        "migrations",
        """
        SELECT version, description, success, installed_on FROM errand.flyway_schema_history
        ORDER BY installed_rank
        """);
    QUERIES.put(
        "database",
        """
        SELECT pg_size_pretty(pg_database_size(datname)) AS size, numbackends, xact_commit, xact_rollback,
            blks_read, blks_hit, temp_files, temp_bytes, deadlocks, conflicts, stats_reset
        FROM pg_stat_database WHERE datname = current_database()
        """);
    QUERIES.put(
        "tables",
        """
        SELECT relname, pg_size_pretty(pg_total_relation_size(relid)) AS size, n_live_tup, n_dead_tup, seq_scan,
            seq_tup_read, idx_scan, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del, last_autovacuum,
            last_autoanalyze
        FROM pg_stat_user_tables WHERE schemaname = 'errand'
        ORDER BY pg_total_relation_size(relid) DESC
        """);
    QUERIES.put(
        "indexes",
        """
        SELECT relname, indexrelname, pg_size_pretty(pg_relation_size(indexrelid)) AS size, idx_scan,
            idx_tup_read, idx_tup_fetch
        FROM pg_stat_user_indexes WHERE schemaname = 'errand'
        ORDER BY pg_relation_size(indexrelid) DESC
        """);
    QUERIES.put(
        "sessions",
        """
        SELECT CASE WHEN application_name LIKE 'errand%' THEN application_name ELSE '(other)' END AS name,
            state, wait_event_type, wait_event, count(*) AS sessions, max(now() - xact_start) AS oldest_transaction,
            max(now() - state_change) AS longest_in_state
        FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        """);
    QUERIES.put(
        "locks",
        """
        SELECT locktype, relation::regclass AS relation, mode, granted, count(*) AS locks FROM pg_locks
        WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        """);
    QUERIES.put(
        "jobs by queue and state",
        """
        SELECT queue, state, sum(jobs) AS jobs FROM errand.queue_counts
        GROUP BY queue, state HAVING sum(jobs) <> 0 ORDER BY sum(jobs) DESC
        """);
    QUERIES.put(
        "queues with settings",
        """
        SELECT name, paused, max_running, rate_per_second, burst, weight, max_depth, max_ready_age_seconds,
            circuit_failure_ratio, circuit_state, updated_at
        FROM errand.queues ORDER BY name
        """);
    QUERIES.put(
        "workers",
        """
        SELECT name, state, slots, busy, lease_seconds, version, guarantees, started_at,
            now() - heartbeat_at AS silent_for
        FROM errand.workers ORDER BY heartbeat_at DESC
        """);
  }

  private DatabaseFacts() {}

  /**
   * Reads all of it, of each at most {@value #MOST_ROWS} rows. What the login may not read is said
   * in its place.
   *
   * @param connection in no transaction
   * @return a title and a table with tabs for each
   * @throws SQLException if the database is away
   */
  public static String read(Connection connection) throws SQLException {
    StringBuilder text = new StringBuilder();
    for (Map.Entry<String, String> query : QUERIES.entrySet()) {
      text.append("# ").append(query.getKey()).append('\n');
      try (Statement statement = connection.createStatement()) {
        statement.setQueryTimeout(20);
        statement.setMaxRows(MOST_ROWS);
        try (ResultSet rows = statement.executeQuery(query.getValue())) {
          append(text, rows);
        }
      } catch (SQLException e) {
        if (connection.isClosed()) {
          throw e;
        }
        text.append("cannot be read: ").append(e.getMessage()).append('\n');
      }
      text.append('\n');
    }
    return text.toString();
  }

  private static void append(StringBuilder text, ResultSet rows) throws SQLException {
    int columns = rows.getMetaData().getColumnCount();
    List<String> cells = new ArrayList<>();
    for (int i = 1; i <= columns; i++) {
      cells.add(rows.getMetaData().getColumnLabel(i));
    }
    text.append(String.join("\t", cells)).append('\n');
    while (rows.next()) {
      cells.clear();
      for (int i = 1; i <= columns; i++) {
        String cell = rows.getString(i);
        cells.add(cell == null ? "" : cell);
      }
      text.append(String.join("\t", cells)).append('\n');
    }
  }
}
