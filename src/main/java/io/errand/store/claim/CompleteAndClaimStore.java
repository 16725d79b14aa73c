package io.errand.store.claim;

import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.Wanted;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Stores the completions of a busy worker in the statement that claims its next jobs, so that both
 * cost one round trip and one commit.
 *
 * <p>Both halves see the tables as they were before the statement. So a job that ends here is not
 * claimed here, nor is one that waits for the concurrency key of one that ends here.
 */
@ApplicationScoped
public class CompleteAndClaimStore {
  public static final String COMPLETE_AND_CLAIM =
      "WITH RECURSIVE "
          + CompleteStore.ENDING
          + ", "
          + ClaimStatement.CLAIMING
          + "SELECT w.job_id AS completed_id, c.*, "
          + ClaimStatement.REST
          + " FROM written w FULL JOIN claimed c ON c.id = w.job_id";

  private final DataSource dataSource;
  private final CompleteStore completes;
  private final ClaimStore claims;

  public CompleteAndClaimStore(
      @io.quarkus.agroal.DataSource("queue") DataSource dataSource,
      CompleteStore completes,
      ClaimStore claims) {
    this.dataSource = dataSource;
    this.completes = completes;
    this.claims = claims;
  }

  /**
   * What the statement did.
   *
   * @param completed the jobs whose completions were stored, as of {@link CompleteStore#complete}
   * @param claims the jobs that are the worker's now
   */
  public record Done(Set<UUID> completed, Claims claims) {
    /** It claimed nothing. */
    public static Done completed(Set<UUID> completed) {
      return new Done(completed, Claims.NONE);
    }
  }

  /**
   * Stores completions and claims jobs.
   *
   * @param completions may be empty
   * @param wanted may be none
   * @throws SQLException if the database is away: storing the same completions again is harmless,
   *     and what was claimed is known to {@link ClaimStore#heldBy}
   */
  public Done run(List<Completion> completions, Claimer claimer, Wanted wanted)
      throws SQLException {
    if (completions.isEmpty()) {
      return new Done(Set.of(), wanted.most() > 0 ? claims.claim(claimer, wanted) : Claims.NONE);
    }
    if (wanted.most() <= 0) {
      return Done.completed(completes.complete(completions, actor(claimer)));
    }
    return both(completions, claimer, wanted);
  }

  private static String actor(Claimer claimer) {
    return "worker " + claimer.workerName();
  }

  private Done both(List<Completion> completions, Claimer claimer, Wanted wanted)
      throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(COMPLETE_AND_CLAIM)) {
      int bound = CompleteStore.bind(connection, statement, completions, actor(claimer));
      ClaimStatement.bind(connection, statement, bound, claimer, wanted);
      Set<UUID> completed = new HashSet<>();
      ClaimRows claimed = new ClaimRows();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          UUID completedId = row.getObject("completed_id", UUID.class);
          if (completedId != null) {
            completed.add(completedId);
          }
          claimed.add(row);
        }
      }
      return new Done(completed, claimed.claims());
    }
  }
}
