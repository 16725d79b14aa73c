package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Backoff;
import io.errand.job.Confinement;
import io.errand.job.JobSpec;
import io.errand.job.OnLost;
import io.errand.job.RetryPolicy;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.Held;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.CompleteAndClaimStore;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** No claim brings more into a worker than it has memory for, against a real PostgreSQL. */
class ClaimMemoryTest extends StoreFixture {
  private static final long MEBIBYTE = 1 << 20;

  private static JobSpec fat(int priority, int stdinBytes, int outputBytes) {
    return new JobSpec(
        null,
        List.of("cat"),
        "default",
        priority,
        null,
        stdinBytes == 0 ? null : "x".repeat(stdinBytes),
        Map.of(),
        null,
        60,
        1,
        new RetryPolicy(3, Backoff.DEFAULT, List.of(), Set.of(0), OnLost.RETRY),
        outputBytes,
        outputBytes,
        null,
        1,
        Map.of(),
        null,
        null,
        Confinement.NONE,
        null);
  }

  private Claims claim(int limit, long memoryBytes) throws SQLException {
    return claims.claim(new Claimer(workerId, "w", List.of("*")), atOnce(limit, memoryBytes));
  }

  @Test
  void aClaimTakesTheBestJobsThatFitAndSaysThatSomeAreLeft() throws SQLException {
    for (int i = 0; i < 5; i++) {
      submit(fat(0, 1 << 20, 1 << 20));
    }
    Claims two = claim(5, 7 * MEBIBYTE);
    assertThat(two.jobs()).hasSize(2);
    assertThat(two.jobs()).allMatch(job -> job.memoryBytes() >= 3 * MEBIBYTE);
    assertThat(two.someLeft()).isTrue();
    Claims none = claim(5, MEBIBYTE);
    assertThat(none.jobs()).isEmpty();
    assertThat(none.someLeft()).isTrue();
    assertThat(claim(5, 100 * MEBIBYTE).jobs()).hasSize(3);
    assertThat(claim(5, 0).someLeft()).isFalse();
  }

  @Test
  void aSmallJobDoesNotOvertakeALargeOneThatWaitsForMemory() throws SQLException {
    submit(fat(0, 0, 10));
    submit(fat(5, 1 << 20, 1 << 20));
    Claims none = claim(5, MEBIBYTE);
    assertThat(none.jobs()).isEmpty();
    assertThat(none.someLeft()).isTrue();
    assertThat(claim(5, 4 * MEBIBYTE).jobs()).hasSize(2);
  }

  @Test
  void aStatementThatStoresCompletionsClaimsWithinTheSameMemory() throws SQLException {
    CompleteAndClaimStore completeAndClaim =
        new CompleteAndClaimStore(database.dataSource(), completes, claims);
    submit();
    ClaimedJob first = claim(1).get(0);
    submit(fat(0, 1 << 20, 1 << 20));
    CompleteAndClaimStore.Done done =
        completeAndClaim.run(
            List.of(ended(first, io.errand.job.Outcome.SUCCESS, 0)),
            new Claimer(workerId, "w", List.of("*")),
            atOnce(4, MEBIBYTE));
    assertThat(done.completed()).containsExactly(first.id());
    assertThat(done.claims().jobs()).isEmpty();
    assertThat(done.claims().someLeft()).isTrue();
  }

  @Test
  void aUsualJobIsMeasuredAsTheStartCountsIt() throws SQLException {
    submit(fat(0, 0, 64 << 10));
    assertThat(claim(1, Long.MAX_VALUE).jobs().get(0).memoryBytes())
        .isBetween(128L << 10, ClaimStore.USUAL_MEMORY);
  }

  @Test
  void noJobIsMeasuredLargerThanWhatEveryWorkerHas() throws SQLException {
    UUID id = submit(fat(0, 1 << 20, 1 << 20));
    database.execute(
        "UPDATE errand.jobs SET env = jsonb_build_object('A', repeat('y', 9000000)) WHERE id = '"
            + id
            + "'");
    assertThat(claim(1, ClaimStore.MOST_MEMORY).jobs().get(0).memoryBytes())
        .isEqualTo(ClaimStore.MOST_MEMORY);
  }

  @Test
  void claimsThatAWorkerDoesNotKnowOfAreMeasuredBeforeTheyAreRead() throws SQLException {
    submit(fat(0, 1 << 20, 1 << 20));
    submit(fat(0, 0, 10));
    List<ClaimedJob> claimed = claim(2, Long.MAX_VALUE).jobs();
    List<Held> held = claims.heldBy(workerId);
    assertThat(held)
        .containsExactlyInAnyOrderElementsOf(
            claimed.stream().map(job -> new Held(job.token(), job.memoryBytes())).toList());
    UUID token = claimed.get(0).token();
    assertThat(claims.held(workerId, List.of(token))).extracting(ClaimedJob::token).contains(token);
    assertThat(claims.held(UUID.randomUUID(), List.of(token))).isEmpty();
  }

  @Test
  void whatIsReadOfLostClaimsHoldsNothingThatAClientMadeLarge() throws SQLException {
    submit(fat(0, 1 << 20, 1 << 20));
    claim(1, Long.MAX_VALUE);
    database.execute("UPDATE errand.jobs SET command[1] = repeat('x', 100000)");
    database.execute("UPDATE errand.workers SET heartbeat_at = now() - interval '1 hour'");
    workers.giveUpSilent();
    ClaimedJob lost = claims.lost(9, "alone").get(0).job();
    assertThat(lost.stdin()).isNull();
    assertThat(lost.command()).containsExactly("x".repeat(4096));
    assertThat(lost.policy().maxAttempts()).isEqualTo(3);
  }
}
