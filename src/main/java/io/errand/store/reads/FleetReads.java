package io.errand.store.reads;

import io.errand.job.Access;
import io.errand.store.AccessSql;
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
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What operators read of workers. */
@ApplicationScoped
public class FleetReads {
  private static final String ABLE =
      """
      SELECT count(*) AS serving, count(*) FILTER (WHERE abilities @> ?::text[]) AS able
      FROM errand.workers
      WHERE state = 'live' AND queues && ARRAY['*', ?::text]
      """;

  private static final String RUNNING =
      """
      SELECT worker_id, id, left(array_to_string(command, ' '), 200) AS command, queue, started_at
      FROM errand.jobs
      WHERE state = 'running' AND worker_id = ANY (?) AND\s"""
          + AccessSql.CONDITION
          + " ORDER BY claimed_at, id LIMIT ?";

  private final DataSource dataSource;
  private final ProjectReads projects;

  public FleetReads(DataSource dataSource, ProjectReads projects) {
    this.dataSource = dataSource;
    this.projects = projects;
  }

  /**
   * Live workers that may claim from a queue.
   *
   * @param serving how many there are
   * @param able how many of them have all of the abilities that were asked for
   */
  public record Servers(int serving, int able) {}

  /** The workers that are alive, by name: at most so many. */
  public List<WorkerEntity> liveWorkers(int limit) {
    return WorkerEntity.<WorkerEntity>find("state = 'live' order by name, startedAt")
        .range(0, limit - 1)
        .list();
  }

  /**
   * A job that a worker has claimed.
   *
   * @param command the beginning of its words, with blanks between them
   * @param queue as it is stored
   * @param startedAt null where it has been claimed and not started
   */
  public record Running(
      UUID worker, UUID id, String command, String queue, @Nullable Instant startedAt) {}

  /** Jobs of this caller that these workers have claimed, the longest first: at most so many. */
  public List<Running> running(List<UUID> workers, Access access, int limit) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(RUNNING)) {
      statement.setArray(1, connection.createArrayOf("uuid", workers.toArray()));
      statement.setInt(AccessSql.bind(statement, 2, access), limit);
      List<Running> running = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          OffsetDateTime started = row.getObject("started_at", OffsetDateTime.class);
          running.add(
              new Running(
                  row.getObject("worker_id", UUID.class),
                  row.getObject("id", UUID.class),
                  row.getString("command"),
                  row.getString("queue"),
                  started == null ? null : started.toInstant()));
        }
      }
      return running;
    }
  }

  /** How many live workers serve a queue, and how many of these have the abilities. */
  public Servers servers(String queue, List<String> abilities) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(ABLE)) {
      statement.setArray(1, connection.createArrayOf("text", abilities.toArray()));
      statement.setString(2, queue);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Servers(row.getInt("serving"), row.getInt("able"));
      }
    }
  }
}
