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
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What operators read of queues and workers. */
@ApplicationScoped
public class FleetReads {
  private static final String QUEUES =
      """
      WITH page AS MATERIALIZED (
      SELECT name, coalesce(q.paused, false) AS paused,
             coalesce(c.queued, 0) AS queued, coalesce(c.running, 0) AS running,
             coalesce(c.retrying, 0) AS retrying, coalesce(c.held, 0) AS held,
             coalesce(c.succeeded, 0) AS succeeded, coalesce(c.failed, 0) AS failed,
             coalesce(c.cancelled, 0) AS cancelled
      FROM errand.queues q
      FULL JOIN (
          SELECT queue AS name,
                 sum(jobs) FILTER (WHERE state = 'queued') AS queued,
                 sum(jobs) FILTER (WHERE state = 'running') AS running,
                 sum(jobs) FILTER (WHERE state = 'retrying') AS retrying,
                 sum(jobs) FILTER (WHERE state = 'held') AS held,
                 sum(jobs) FILTER (WHERE state = 'succeeded') AS succeeded,
                 sum(jobs) FILTER (WHERE state = 'failed') AS failed,
                 sum(jobs) FILTER (WHERE state = 'cancelled') AS cancelled
          FROM errand.queue_counts
          WHERE ?::text IS NULL OR queue = ?
          GROUP BY queue HAVING sum(jobs) <> 0
      ) c USING (name)
      WHERE ?::text IS NULL OR name = ?
      ORDER BY name
      LIMIT ?)
      SELECT page.*,
             extract(epoch FROM now() - (
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
             ))::float8 AS oldest_ready_seconds
      FROM page ORDER BY name
      """;

  private final DataSource dataSource;

  FleetReads(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * A queue at this moment.
   *
   * @param name of the queue
   * @param paused whether its jobs wait
   * @param counts jobs by state, every state named
   * @param oldestReadySeconds how long the oldest job that could run has waited, null where none
   */
  public record QueueStatus(
      String name, boolean paused, Map<String, Long> counts, @Nullable Double oldestReadySeconds) {}

  /** The queues that have jobs or settings, by name: at most so many. */
  public List<QueueStatus> queues(int limit) throws SQLException {
    return readQueues(null, limit);
  }

  /** One queue, if it has jobs or settings. */
  public Optional<QueueStatus> queue(String name) throws SQLException {
    return readQueues(name, 1).stream().findFirst();
  }

  /** The workers that are alive, by name: at most so many. */
  public List<WorkerEntity> liveWorkers(int limit) {
    return WorkerEntity.<WorkerEntity>find("state = 'live' order by name, startedAt")
        .range(0, limit - 1)
        .list();
  }

  private List<QueueStatus> readQueues(@Nullable String only, int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(QUEUES)) {
      for (int i = 1; i <= 4; i++) {
        statement.setString(i, only);
      }
      statement.setInt(5, limit);
      List<QueueStatus> queues = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          Map<String, Long> counts = new LinkedHashMap<>();
          for (String state :
              List.of(
                  "queued", "running", "retrying", "held", "succeeded", "failed", "cancelled")) {
            counts.put(state, row.getLong(state));
          }
          queues.add(
              new QueueStatus(
                  row.getString("name"),
                  row.getBoolean("paused"),
                  counts,
                  row.getObject("oldest_ready_seconds", Double.class)));
        }
      }
      return queues;
    }
  }
}
