package io.errand.store.queues;

import io.errand.store.queues.QueueSettings.OnOverload;
import io.errand.store.submit.Overload;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What a submit needs to know of queues and of the database, for all submits together. */
@ApplicationScoped
public class RuleReads {
  /** More than there are, as of {@link QueueStore#MOST_WITH_RULES}, but for a race of changes. */
  private static final int MOST = QueueStore.MOST_WITH_RULES + 100;

  /* What is measured costs only the queues that bound it. */
  private static final String RULES =
      """
      SELECT q.name, q.defaults::text AS defaults, q.max_depth, q.max_ready_age_seconds, q.overload,
             q.paused, q.policy::text AS policy, c.waiting, c.finished,
             CASE WHEN q.max_ready_age_seconds IS NOT NULL THEN extract(epoch FROM now() - (
                 WITH RECURSIVE level (priority, run_at) AS (
                     SELECT 32767::smallint, NULL::timestamptz
                     UNION ALL
                     SELECT j.priority, j.run_at
                     FROM level l CROSS JOIN LATERAL (
                         SELECT j.priority, j.run_at FROM errand.jobs j
                         WHERE j.queue = q.name AND j.state IN ('queued', 'retrying')
                           AND NOT j.waits_for_key AND j.priority < l.priority
                         ORDER BY j.queue, j.priority DESC, j.run_at, j.id LIMIT 1) j)
                 SELECT min(run_at) FROM level WHERE run_at <= now()
             ))::float8 END AS oldest_ready_seconds
      FROM errand.queues q LEFT JOIN (
          SELECT queue,
                 sum(jobs) FILTER (WHERE state IN ('queued', 'retrying')) AS waiting,
                 sum(jobs) FILTER (WHERE state IN ('succeeded', 'failed', 'cancelled')) AS finished
          FROM errand.queue_counts
          WHERE queue IN (
              SELECT name FROM errand.queues
              WHERE max_depth IS NOT NULL OR max_ready_age_seconds IS NOT NULL)
          GROUP BY queue
      ) c ON c.queue = q.name
      WHERE %s
      LIMIT ?
      """
          .formatted(QueueStore.HAS_RULES);

  /* Of a session that keeps no snapshot, nothing is kept for. */
  private static final String OLDEST_TRANSACTION =
      """
      SELECT pid, extract(epoch FROM now() - xact_start)::float8 AS age
      FROM pg_stat_activity
      WHERE xact_start < now() - make_interval(secs => ?) AND pid <> pg_backend_pid()
        AND backend_type = 'client backend'
        AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
      ORDER BY xact_start LIMIT 1
      """;

  /* A large table may have as many as autovacuum lets come together. */
  private static final String DEAD_ROWS =
      """
      SELECT n_dead_tup FROM pg_stat_user_tables
      WHERE relid = 'errand.jobs'::regclass AND n_dead_tup > ? AND n_dead_tup > n_live_tup / 10
      """;

  private static final String BOUNDED_PROJECTS =
      "SELECT name FROM errand.projects WHERE max_waiting IS NOT NULL";

  private final DataSource dataSource;

  public RuleReads(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * What a queue says about submits, as it was measured.
   *
   * @param name of the queue
   * @param defaults fields of a job, as JSON
   * @param maxDepth how many jobs may wait, or null
   * @param maxReadyAgeSeconds how long its oldest ready job may have waited, or null
   * @param overload what a submit above either gets
   * @param paused whether none of its jobs is claimed
   * @param waiting how many jobs wait; 0 where it has no limit
   * @param finished how many jobs have finished and are kept; 0 where it has no limit
   * @param oldestReadySeconds how long the oldest has waited that could run, null where none does
   *     or where nothing bounds it
   * @param policy what its jobs must keep to, as JSON, or null
   */
  public record Rule(
      String name,
      String defaults,
      @Nullable Long maxDepth,
      @Nullable Double maxReadyAgeSeconds,
      OnOverload overload,
      boolean paused,
      long waiting,
      long finished,
      @Nullable Double oldestReadySeconds,
      @Nullable String policy) {}

  /** The projects that bound how many of their jobs wait. */
  public Set<String> boundedProjects() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(BOUNDED_PROJECTS);
        ResultSet row = statement.executeQuery()) {
      Set<String> names = new HashSet<>();
      while (row.next()) {
        names.add(row.getString(1));
      }
      return Set.copyOf(names);
    }
  }

  /** The queues that have something to say about submits. */
  public List<Rule> rules() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(RULES)) {
      statement.setInt(1, MOST);
      List<Rule> rules = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          rules.add(
              new Rule(
                  row.getString("name"),
                  row.getString("defaults"),
                  row.getObject("max_depth", Long.class),
                  row.getObject("max_ready_age_seconds", Double.class),
                  OnOverload.of(row.getString("overload")),
                  row.getBoolean("paused"),
                  row.getLong("waiting"),
                  row.getLong("finished"),
                  row.getObject("oldest_ready_seconds", Double.class),
                  row.getString("policy")));
        }
      }
      return rules;
    }
  }

  /**
   * What keeps the database from keeping up, if anything does.
   *
   * @param transactionSeconds how long a transaction may keep its snapshot
   * @param deadRows how many rows of the table of jobs may be dead
   * @param refuses whether a submit is refused for it
   */
  public Optional<Overload> distress(double transactionSeconds, long deadRows, boolean refuses)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      try (PreparedStatement statement = connection.prepareStatement(OLDEST_TRANSACTION)) {
        statement.setDouble(1, transactionSeconds);
        try (ResultSet row = statement.executeQuery()) {
          if (row.next()) {
            return Optional.of(
                new Overload(
                    Overload.Kind.OPEN_TRANSACTION,
                    Integer.toString(row.getInt("pid")),
                    row.getDouble("age"),
                    transactionSeconds,
                    refuses));
          }
        }
      }
      try (PreparedStatement statement = connection.prepareStatement(DEAD_ROWS)) {
        statement.setLong(1, deadRows);
        try (ResultSet row = statement.executeQuery()) {
          return row.next()
              ? Optional.of(
                  new Overload(Overload.Kind.DEAD_ROWS, "jobs", row.getLong(1), deadRows, refuses))
              : Optional.empty();
        }
      }
    }
  }
}
