package io.errand.store;

import io.errand.store.ClaimStore.Claimer;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * A busy worker's turn: the ends of attempts ride in the statement that claims the next jobs, so
 * that both cost one round trip and one commit.
 *
 * <p>Both halves see the tables as they were before the statement. So a job that ends here is not
 * claimed here, nor is one that waits for the concurrency key of one that ends here.
 */
@ApplicationScoped
public class TurnStore {
  private static final String TURN =
      "WITH "
          + CompleteStore.ENDING
          + ", "
          + ClaimStore.CLAIMING
          + "SELECT w.job_id AS ended_id, c.* FROM written w FULL JOIN claimed c ON c.id = w.job_id";

  private final DataSource dataSource;
  private final CompleteStore completes;
  private final ClaimStore claims;

  TurnStore(
      @io.quarkus.agroal.DataSource("queue") DataSource dataSource,
      CompleteStore completes,
      ClaimStore claims) {
    this.dataSource = dataSource;
    this.completes = completes;
    this.claims = claims;
  }

  /**
   * What a turn did.
   *
   * @param ended the jobs whose ends were written, as of {@link CompleteStore#complete}
   * @param claimed the jobs that are the worker's now
   */
  public record Turn(Set<UUID> ended, List<ClaimedJob> claimed) {}

  /**
   * Writes ends and claims up to so many jobs.
   *
   * @param completions may be empty
   * @param limit may be 0
   * @throws SQLException if the database is away: writing the same ends again is harmless, and what
   *     was claimed is known to {@link ClaimStore#heldBy}
   */
  public Turn take(List<Completion> completions, Claimer claimer, int limit) throws SQLException {
    if (completions.isEmpty()) {
      return new Turn(Set.of(), limit > 0 ? claims.claim(claimer, limit) : List.of());
    }
    if (limit <= 0) {
      return new Turn(completes.complete(completions, actor(claimer)), List.of());
    }
    try {
      return both(completions, claimer, limit);
    } catch (SQLException e) {
      if (ClaimStore.isConcurrencyRace(e)) {
        return new Turn(completes.complete(completions, actor(claimer)), List.of());
      }
      throw e;
    }
  }

  private static String actor(Claimer claimer) {
    return "worker " + claimer.workerName();
  }

  private Turn both(List<Completion> completions, Claimer claimer, int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(TURN)) {
      int bound = CompleteStore.bind(connection, statement, completions, actor(claimer));
      ClaimStore.bind(connection, statement, bound, claimer, limit);
      Set<UUID> ended = new HashSet<>();
      List<ClaimedJob> claimed = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          UUID endedId = row.getObject("ended_id", UUID.class);
          if (endedId != null) {
            ended.add(endedId);
          } else {
            claimed.add(ClaimStore.read(row));
          }
        }
      }
      return new Turn(ended, claimed);
    }
  }
}
