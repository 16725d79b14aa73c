package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.AttemptResult;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.Start;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Claims of jobs that cannot start at once. */
class ClaimAheadTest extends StoreFixture {
  private UUID submitKeyed() throws SQLException {
    return submit(spec(3, OnLost.RETRY, "key", null));
  }

  private Claims claim(int most, int atOnce) throws SQLException {
    return claims.claim(
        new ClaimStore.Claimer(workerId, "w", List.of("*")),
        new ClaimStore.Wanted(most, atOnce, Long.MAX_VALUE));
  }

  private static List<UUID> ids(Claims claims) {
    return claims.jobs().stream().map(ClaimedJob::id).toList();
  }

  private String started(UUID id) throws SQLException {
    return database.value(
        "SELECT state || ' ' || (claimed_at IS NOT NULL) || ' ' || (started_at IS NOT NULL)"
            + " FROM errand.jobs WHERE id = '"
            + id
            + "'");
  }

  private static Completion released(ClaimedJob job) {
    AttemptResult result = new AttemptResult(Outcome.RELEASED, null, null, false, null);
    return withoutCommand(job, null, result);
  }

  @Test
  void theBestStartAtOnceAndTheOthersHaveNotStarted() throws SQLException {
    UUID first = submit();
    UUID second = submit();
    UUID third = submit();
    Claims claimed = claim(9, 2);
    assertThat(ids(claimed)).containsExactly(first, second, third);
    assertThat(claimed.someForLater()).isFalse();
    assertThat(claimed.jobs().get(0).startedAt()).isEqualTo(claimed.jobs().get(0).claimedAt());
    assertThat(claimed.jobs().get(2).startedAt()).isNull();
    assertThat(started(second)).isEqualTo("running true true");
    assertThat(started(third)).isEqualTo("running true false");
  }

  @Test
  void aStartIsStoredUnderTheTokenOfItsClaimOnly() throws SQLException {
    UUID id = submit();
    ClaimedJob job = claim(1, 0).jobs().get(0);
    claims.started(List.of(new Start(id, UUID.randomUUID(), job.claimedAt())));
    assertThat(started(id)).isEqualTo("running true false");
    claims.started(List.of(new Start(id, job.token(), job.claimedAt())));
    assertThat(started(id)).isEqualTo("running true true");
  }

  @Test
  void aKeyIsNotTakenAheadNorIsWhatComesBehindIt() throws SQLException {
    UUID first = submit();
    UUID keyed = submitKeyed();
    UUID behind = submit();
    Claims ahead = claim(9, 1);
    assertThat(ids(ahead)).containsExactly(first);
    assertThat(ahead.someForLater()).isTrue();
    assertThat(claim(9, 0).someForLater()).isTrue();
    assertThat(ids(claim(9, 1))).containsExactly(keyed, behind);
  }

  @Test
  void whatIsGivenBackUnstartedMayBeClaimedAtOnceAndCostsNothing() throws SQLException {
    UUID id = submit();
    completes.complete(List.of(released(claim(1, 0).jobs().get(0))), "test");
    assertThat(stateOf(id)).isEqualTo("queued:released");
    assertThat(started(id)).isEqualTo("queued true false");
    assertThat(database.value("SELECT started_at FROM errand.attempts")).isEmpty();
    ClaimedJob again = claim(1, 1).jobs().get(0);
    assertThat(again.attempt()).isEqualTo(2);
    assertThat(again.charged()).isEqualTo(1);
  }

  @Test
  void aJobThatHasStartedBeforeStillHasWhenItIsGivenBackUnstarted() throws SQLException {
    UUID id = submit();
    ClaimedJob first = claim(1, 1).jobs().get(0);
    completes.complete(List.of(ended(first, Outcome.EXIT_CODE, 1)), "test");
    database.execute("UPDATE errand.jobs SET run_at = now()");
    completes.complete(List.of(released(claim(1, 0).jobs().get(0))), "test");
    assertThat(started(id)).isEqualTo("queued true true"); // so it does not expire
    assertThat(database.value("SELECT started_at = claimed_at FROM errand.attempts LIMIT 1"))
        .isEqualTo("t");
  }

  @Test
  void aClaimThatItsLostWorkerNeverStartedIsLostLikeAnyOther() throws SQLException {
    UUID id = submit();
    claim(1, 0);
    database.execute("UPDATE errand.workers SET heartbeat_at = now() - interval '1 hour'");
    workers.giveUpSilent();
    ClaimedJob lost = claims.lost(9, "alone").get(0).job();
    assertThat(lost.startedAt()).isNull();
    AttemptResult loss = AttemptResult.lost();
    completes.complete(List.of(withoutCommand(lost, lost.startedAt(), loss)), "test");
    assertThat(stateOf(id)).isEqualTo("retrying:lost");
    assertThat(started(id)).isEqualTo("retrying true false");
  }
}
