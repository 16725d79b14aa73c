package io.errand.store.queues;

import io.errand.job.ProjectNames;
import io.errand.store.ProjectReads;
import io.errand.store.queues.QueueStatus.CircuitNow;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What operators read of queues. Each read is bounded. */
@ApplicationScoped
public class QueueReads {
  private static final List<String> STATES =
      List.of("queued", "running", "retrying", "held", "succeeded", "failed", "cancelled");

  /*
   * A queue needs no row to be used, so its settings may be missing. What only some queues have is
   * worked out for those alone.
   */
  private static final String QUEUES =
      """
      WITH page AS MATERIALIZED (
      SELECT name, q AS settings,
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
      WHERE (?::text IS NULL OR name = ?) AND errand.project_of(name) = ?
      ORDER BY name
      LIMIT ?)
      SELECT page.name AS queue_name, page.queued, page.running, page.retrying, page.held,
             page.succeeded, page.failed, page.cancelled, (page.settings).name IS NOT NULL AS known,
             (page.settings).*,
             CASE WHEN (page.settings).rate_per_second IS NOT NULL
                 THEN errand.tokens_now(page.settings) END AS tokens_now,
             nullif((page.settings).circuit_probe_at, 'infinity') AS next_probe_at,
             coalesce((page.settings).circuit_probe_at = 'infinity', false) AS opened_by_hand,
             recent.attempts, recent.failures,
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
      FROM page LEFT JOIN LATERAL (
          SELECT coalesce(sum(c.attempts), 0) AS attempts, coalesce(sum(c.failures), 0) AS failures
          FROM errand.circuit_counts c
          WHERE (page.settings).circuit_failure_ratio IS NOT NULL AND c.queue = page.name
            AND c.slice > now() - make_interval(secs => (page.settings).circuit_window_seconds)
      ) recent ON (page.settings).circuit_failure_ratio IS NOT NULL
      ORDER BY page.name
      """;

  private static final String COUNTS =
      """
      SELECT state, sum(jobs) FROM errand.queue_counts
      WHERE (?::text IS NULL OR queue = ?) AND errand.project_of(queue) = ?
      GROUP BY state
      """;

  private static final String EVENTS =
      """
      SELECT id, at, event, actor, detail FROM errand.queue_events
      WHERE queue = ? AND id < ? ORDER BY id DESC LIMIT ?
      """;

  private final ProjectReads projects;

  public QueueReads(ProjectReads projects) {
    this.projects = projects;
  }

  /**
   * Something that happened to a queue.
   *
   * @param id grows from event to event
   * @param at when, by the database's clock
   * @param event settings_changed, circuit_opened, circuit_probed or circuit_closed
   * @param actor who did it
   * @param detail one line for people
   */
  public record Event(long id, Instant at, String event, String actor, @Nullable String detail) {}

  /** The queues of a project that have jobs or settings, by name: at most so many. */
  public List<QueueStatus> queues(String project, int limit) throws SQLException {
    return read(null, project, limit);
  }

  /** One queue by its stored name, if it has jobs or settings. */
  public Optional<QueueStatus> queue(String name) throws SQLException {
    return read(name, ProjectNames.projectOf(name), 1).stream().findFirst();
  }

  /**
   * How many jobs of a project there are, by state.
   *
   * @param queue only those of this queue by its shown name, or null
   */
  public Map<String, Long> counts(String project, @Nullable String queue) throws SQLException {
    String stored = queue == null ? null : ProjectNames.queue(project, queue);
    try (Connection connection = projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(COUNTS)) {
      statement.setString(1, stored);
      statement.setString(2, stored);
      statement.setString(3, project);
      Map<String, Long> counts = new LinkedHashMap<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          counts.put(row.getString(1), row.getLong(2));
        }
      }
      return counts;
    }
  }

  /** What happened to a queue before an event, the newest first: at most so many. */
  public List<Event> events(String queue, long before, int limit) throws SQLException {
    try (Connection connection = projects.connection(ProjectNames.projectOf(queue));
        PreparedStatement statement = connection.prepareStatement(EVENTS)) {
      statement.setString(1, queue);
      statement.setLong(2, before);
      statement.setInt(3, limit);
      List<Event> events = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          events.add(
              new Event(
                  row.getLong("id"),
                  row.getObject("at", OffsetDateTime.class).toInstant(),
                  row.getString("event"),
                  row.getString("actor"),
                  row.getString("detail")));
        }
      }
      return events;
    }
  }

  private List<QueueStatus> read(@Nullable String only, String project, int limit)
      throws SQLException {
    try (Connection connection = projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(QUEUES)) {
      for (int i = 1; i <= 4; i++) {
        statement.setString(i, only);
      }
      statement.setString(5, project);
      statement.setInt(6, limit);
      List<QueueStatus> queues = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          queues.add(status(row));
        }
      }
      return queues;
    }
  }

  private static QueueStatus status(ResultSet row) throws SQLException {
    Map<String, Long> counts = new LinkedHashMap<>();
    for (String state : STATES) {
      counts.put(state, row.getLong(state));
    }
    QueueSettings settings = row.getBoolean("known") ? QueueSettings.read(row) : QueueSettings.NONE;
    return new QueueStatus(
        row.getString("queue_name"),
        settings,
        settings.circuit() == null ? null : circuit(row),
        counts,
        row.getObject("oldest_ready_seconds", Double.class),
        row.getObject("tokens_now", Double.class),
        row.getBoolean("known")
            ? row.getString("defaults").length()
                + (settings.policy() == null ? 0 : settings.policy().toString().length())
            : 0);
  }

  private static CircuitNow circuit(ResultSet row) throws SQLException {
    return new CircuitNow(
        row.getString("circuit_state"),
        row.getBoolean("opened_by_hand"),
        time(row, "circuit_changed_at"),
        time(row, "next_probe_at"),
        row.getInt("circuit_probes"),
        row.getLong("attempts"),
        row.getLong("failures"));
  }

  private static @Nullable Instant time(ResultSet row, String column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }
}
