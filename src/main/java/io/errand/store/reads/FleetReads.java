package io.errand.store.reads;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;

/** What operators read of workers. */
@ApplicationScoped
public class FleetReads {
  private static final String ABLE =
      """
      SELECT count(*) AS serving, count(*) FILTER (WHERE abilities @> ?::text[]) AS able
      FROM errand.workers
      WHERE state = 'live' AND queues && ARRAY['*', ?::text]
      """;

  private final DataSource dataSource;

  public FleetReads(DataSource dataSource) {
    this.dataSource = dataSource;
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
