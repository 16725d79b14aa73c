package io.errand.store.reads;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What meters show of the database. All of it is kept as counts or found by an index; nothing here
 * reads the jobs of a queue.
 */
@ApplicationScoped
public class MeterReads {
  /** How many queues are read; the largest come first. */
  public static final int MOST_QUEUES = 1_000;

  private static final int MOST_SECONDS = 10;
  private static final List<String> STATES =
      List.of("queued", "running", "retrying", "held", "succeeded", "failed", "cancelled");

  /* The oldest ready job is that of one priority: the index has it once for each of them. */
  private static final String QUEUES =
      """
      WITH page AS MATERIALIZED (
      SELECT name, q.paused, q.rate_per_second IS NOT NULL AS has_rate,
             CASE WHEN q.rate_per_second IS NOT NULL THEN errand.tokens_now(q) END AS tokens,
             CASE WHEN q.circuit_failure_ratio IS NOT NULL OR q.circuit_state <> 'closed'
                 THEN q.circuit_state END AS circuit,
             coalesce(c.queued, 0) AS queued, coalesce(c.running, 0) AS running,
             coalesce(c.retrying, 0) AS retrying, coalesce(c.held, 0) AS held,
             coalesce(c.succeeded, 0) AS succeeded, coalesce(c.failed, 0) AS failed,
             coalesce(c.cancelled, 0) AS cancelled
      FROM errand.queues q
      FULL JOIN (
          SELECT queue AS name, sum(jobs) AS jobs,
                 sum(jobs) FILTER (WHERE state = 'queued') AS queued,
                 sum(jobs) FILTER (WHERE state = 'running') AS running,
                 sum(jobs) FILTER (WHERE state = 'retrying') AS retrying,
                 sum(jobs) FILTER (WHERE state = 'held') AS held,
                 sum(jobs) FILTER (WHERE state = 'succeeded') AS succeeded,
                 sum(jobs) FILTER (WHERE state = 'failed') AS failed,
                 sum(jobs) FILTER (WHERE state = 'cancelled') AS cancelled
          FROM errand.queue_counts
          GROUP BY queue HAVING sum(jobs) <> 0
      ) c USING (name)
      ORDER BY coalesce(c.jobs, 0) DESC, name
      LIMIT ?)
      SELECT page.*,
             CASE WHEN page.queued + page.retrying > 0 THEN extract(epoch FROM now() - (
                 WITH RECURSIVE level (priority, run_at) AS (
                     SELECT 32767::smallint, NULL::timestamptz
                     UNION ALL
                     SELECT j.priority, j.run_at
                     FROM level l CROSS JOIN LATERAL (
                         SELECT j.priority, j.run_at FROM errand.jobs j
                         WHERE j.queue = page.name AND j.state IN ('queued', 'retrying')
                           AND NOT j.waits_for_key AND j.priority < l.priority
                         ORDER BY j.queue, j.priority DESC, j.run_at, j.id LIMIT 1) j)
                 SELECT min(run_at) FROM level WHERE run_at <= now()
             ))::float8 END AS oldest_ready_seconds
      FROM page
      """;

  private static final String WHOLE =
      """
      SELECT count(*) FILTER (WHERE state = 'live') AS live,
             count(*) FILTER (WHERE state = 'live' AND claims_nothing_because IS NOT NULL) AS stalled,
             (SELECT count(*) FROM errand.schedules
              WHERE NOT paused AND next_tick_at < now() - interval '1 minute') AS late,
             (SELECT count(*) FROM (
                  SELECT FROM errand.webhook_deliveries WHERE state = 'pending' LIMIT 10000) p) AS pending,
             (SELECT extract(epoch FROM now() - min(xact_start))::float8 FROM pg_stat_activity
              WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
                AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)) AS oldest_transaction,
             (SELECT n_dead_tup FROM pg_stat_user_tables
              WHERE relid = 'errand.jobs'::regclass) AS dead_rows,
             (SELECT sum(numbackends) FROM pg_stat_database) AS connections,
             current_setting('max_connections')::int
                 - current_setting('superuser_reserved_connections')::int AS max_connections
      FROM errand.workers
      """;

  private final DataSource dataSource;

  public MeterReads(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * A queue.
   *
   * @param name as it is stored
   * @param jobs how many there are, by each state
   * @param oldestReadySeconds how long its oldest job has waited that could run, 0 where none does
   * @param circuit the state of its circuit breaker, or null where it has none
   * @param tokens of its rate limit, or null where it has none
   */
  public record Queue(
      String name,
      Map<String, Long> jobs,
      double oldestReadySeconds,
      boolean paused,
      @Nullable String circuit,
      @Nullable Double tokens) {}

  /**
   * What is not of a queue.
   *
   * @param liveWorkers workers that hold a lease
   * @param stalledWorkers of these, those that claim nothing because of a fault of their host
   * @param lateSchedules those whose next tick is more than a minute past
   * @param pendingWebhooks at most 10,000
   * @param oldestTransactionSeconds of those that keep dead rows, as far as this login sees them
   * @param deadRows of the table of jobs
   * @param connections of clients
   * @param maxConnections that are not kept for superusers
   */
  public record Whole(
      long liveWorkers,
      long stalledWorkers,
      long lateSchedules,
      long pendingWebhooks,
      double oldestTransactionSeconds,
      double deadRows,
      double connections,
      double maxConnections) {}

  /** Both, read by one connection. */
  public record Reading(List<Queue> queues, Whole whole) {}

  /**
   * Reads all of it.
   *
   * @throws SQLException if the database does not answer within {@value #MOST_SECONDS} s
   */
  public Reading read() throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return new Reading(queues(connection), whole(connection));
    }
  }

  private static List<Queue> queues(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(QUEUES)) {
      statement.setQueryTimeout(MOST_SECONDS);
      statement.setInt(1, MOST_QUEUES);
      List<Queue> queues = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          Map<String, Long> jobs = new LinkedHashMap<>();
          for (String state : STATES) {
            jobs.put(state, row.getLong(state));
          }
          queues.add(
              new Queue(
                  row.getString("name"),
                  jobs,
                  row.getDouble("oldest_ready_seconds"),
                  row.getBoolean("paused"),
                  row.getString("circuit"),
                  row.getObject("tokens", Double.class)));
        }
      }
      return queues;
    }
  }

  private static Whole whole(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(WHOLE)) {
      statement.setQueryTimeout(MOST_SECONDS);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Whole(
            row.getLong("live"),
            row.getLong("stalled"),
            row.getLong("late"),
            row.getLong("pending"),
            row.getDouble("oldest_transaction"),
            row.getDouble("dead_rows"),
            row.getDouble("connections"),
            row.getDouble("max_connections"));
      }
    }
  }
}
