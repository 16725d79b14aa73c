package io.errand.store.queues;

import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/**
 * How deep queues were over the last day: samples of their counts, in which no job is looked at.
 */
@ApplicationScoped
public class DepthStore {
  /** Between two samples. */
  public static final int SECONDS = 300;

  /** How long they are kept. */
  public static final int HOURS = 24;

  private static final int MOST_QUEUES = 2_000;

  /* The servers have one clock, that of the database, and one of them takes each sample. */
  private static final String SAMPLE =
      """
      WITH slot AS (
          SELECT to_timestamp(floor(extract(epoch FROM now()) / %1$d) * %1$d) AS at),
      gone AS (
          DELETE FROM errand.queue_depths WHERE sampled_at < now() - make_interval(hours => %2$d))
      INSERT INTO errand.queue_depths (queue, sampled_at, waiting, running)
      SELECT c.queue, slot.at,
             coalesce(sum(c.jobs) FILTER (WHERE c.state IN ('queued', 'retrying')), 0) AS waiting,
             coalesce(sum(c.jobs) FILTER (WHERE c.state = 'running'), 0)
      FROM errand.queue_counts c, slot
      WHERE NOT EXISTS (SELECT FROM errand.queue_depths d WHERE d.sampled_at = slot.at)
      GROUP BY c.queue, slot.at
      ORDER BY waiting DESC
      LIMIT %3$d
      ON CONFLICT DO NOTHING
      """
          .formatted(SECONDS, HOURS, MOST_QUEUES);

  private static final String DEPTHS =
      """
      SELECT sampled_at, waiting, running FROM errand.queue_depths
      WHERE queue = ? AND sampled_at > now() - make_interval(hours => ?)
      ORDER BY sampled_at
      """;

  private final DataSource dataSource;
  private final ProjectReads reads;

  public DepthStore(DataSource dataSource, ProjectReads reads) {
    this.dataSource = dataSource;
    this.reads = reads;
  }

  /** How many jobs of a queue waited and ran at a time. */
  public record Depth(Instant at, long waiting, long running) {}

  /**
   * Takes a sample, unless one of these five minutes is there.
   *
   * @return of how many queues
   */
  public int sample() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(SAMPLE)) {
      return statement.executeUpdate();
    }
  }

  /** The samples of a queue, the oldest first; at most one for each five minutes of a day. */
  public List<Depth> depths(String project, String storedQueue) throws SQLException {
    List<Depth> depths = new ArrayList<>();
    try (Connection connection = reads.connection(project);
        PreparedStatement statement = connection.prepareStatement(DEPTHS)) {
      statement.setString(1, storedQueue);
      statement.setInt(2, HOURS);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          depths.add(
              new Depth(
                  row.getObject(1, OffsetDateTime.class).toInstant(),
                  row.getLong(2),
                  row.getLong(3)));
        }
      }
    }
    return depths;
  }
}
