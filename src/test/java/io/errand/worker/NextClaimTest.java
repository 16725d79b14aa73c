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

  private void fill(String queue, int priority, int count, String runAt) throws SQLException {
    database.execute(
        """
        INSERT INTO errand.jobs (id, state, queue, priority, command, max_attempts, run_at,
            principal, timeout_seconds, kill_grace_seconds, stdout_limit_bytes, stderr_limit_bytes,
            success_exit_codes, on_lost, backoff, retry, fingerprint, attempt, charged_attempts)
        SELECT gen_random_uuid(), 'queued', '%s', %d, '{true}', 3, %s + i * interval '1 us',
            'tester', 60, 1, 100, 100, '{0}', 'retry',
            '{"base_seconds":1,"factor":2,"max_seconds":60,"jitter":"full"}', '[]', '\\xab', 0, 0
        FROM generate_series(1, %d) AS s (i)
        """
            .formatted(queue, priority, runAt, count));
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
    fill("oldest", 0, 300, "now() - interval '1 hour'");
    fill("old", 0, 300, "now() - interval '30 minutes'");
    fill("new", 0, 300, "now() - interval '1 minute'");
    assertThat(claimed(300).values())
        .hasSize(3)
        .allSatisfy(jobs -> assertThat(jobs).isBetween(90, 110));
  }

  @Test
  void jobsOfALowerPriorityAreFoundAsSoonAsNoneOfAHigherOneIsLeft() throws SQLException {
    fill("a", 9, 5, "now() - interval '1 minute'");
    fill("a", 0, 5, "now() - interval '1 hour'");
    assertThat(claimed(10)).containsEntry("a", 10);
  }
}
