package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.store.Database;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.Wanted;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.workers.WorkerStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * How the claims of a worker follow each other where each of them takes long; time is simulated.
 */
class NextClaimTest {
  private static final long SLOW_NANOS = 20_000_000;

  private final UUID workerId = UUID.randomUUID();
  private long nanos;
  private final NextClaim next = new NextClaim("w", List.of("*"), () -> nanos += SLOW_NANOS);
  private Database database;
  private ClaimStore store;

  @BeforeEach
  void register() throws SQLException {
    database = Database.emptied();
    store = new ClaimStore(database.dataSource());
    WorkerStore workers = database.workers();
    try (Connection connection = workers.dedicatedConnection("test", 10)) {
      workers.register(
          connection,
          new WorkerStore.Incarnation(
              workerId, "w", 1, List.of("*"), 30, "test", 1, "none", List.of()));
    }
  }

  /** Claims jobs one by one, each of which takes as long as a claim. */
  private Map<String, Integer> claimed(int count) throws SQLException {
    Map<String, Integer> claimed = new HashMap<>();
    for (int i = 0; i < count; i++) {
      Claims claims = store.claim(next.claimer(workerId), new Wanted(1, 1, Long.MAX_VALUE));
      next.claimed(claims, 1);
      for (ClaimedJob job : claims.jobs()) {
        next.began(job.queue());
        nanos += SLOW_NANOS;
        next.ended(job.queue(), SLOW_NANOS / 1e9, false);
        claimed.merge(job.queue(), 1, Integer::sum);
      }
    }
    return claimed;
  }

  @Test
  void floodedQueuesGetEqualSharesWhateverTheAgeOfTheirJobs() throws SQLException {
    database.fill(300, "oldest", 0, "now() - interval '1 hour'");
    database.fill(300, "old", 0, "now() - interval '30 minutes'");
    database.fill(300, "new", 0, "now() - interval '1 minute'");
    assertThat(claimed(300).values())
        .hasSize(3)
        .allSatisfy(jobs -> assertThat(jobs).isBetween(90, 110));
  }

  @Test
  void jobsOfALowerPriorityAreFoundAsSoonAsNoneOfAHigherOneIsLeft() throws SQLException {
    database.fill(5, "a", 9, "now() - interval '1 minute'");
    database.fill(5, "a", 0, "now() - interval '1 hour'");
    assertThat(claimed(10)).containsEntry("a", 10);
  }
}
