package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Backoff;
import io.errand.job.Confinement;
import io.errand.job.OnLost;
import io.errand.job.RetryPolicy;
import io.errand.store.claim.ClaimedJob;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Where a worker starts to scan for jobs. */
class ScanStartTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final long MILLISECOND = 1_000_000;
  private static final int LIMIT = 2;
  private static final long SECOND = 1_000 * MILLISECOND;

  private final ScanStart start = new ScanStart();

  private static ClaimedJob job(Instant runAt) {
    return new ClaimedJob(
        UUID.randomUUID(),
        UUID.randomUUID(),
        runAt,
        null,
        1,
        1,
        "default",
        Duration.ZERO,
        runAt,
        List.of("true"),
        Map.of(),
        null,
        null,
        null,
        Duration.ofSeconds(1),
        Duration.ZERO,
        1,
        1,
        new RetryPolicy(1, Backoff.DEFAULT, List.of(), Set.of(0), OnLost.RETRY),
        Confinement.NONE,
        false,
        false,
        0);
  }

  @Test
  void aQuickLookLeavesTheNextOneWhole() {
    start.scanned(null, 0, MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(start.next(1)).isNull();
  }

  @Test
  void behindASlowLookTheNextOnesBeginALittleBeforeWhatItFound() {
    start.scanned(null, 0, 20 * MILLISECOND, List.of(job(NOON.plusSeconds(9)), job(NOON)), LIMIT);
    assertThat(start.next(1)).isEqualTo(NOON.minusSeconds(1));
  }

  @Test
  void theyMoveOnWhereNothingWasLeftBehind() {
    start.scanned(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    List<ClaimedJob> full = List.of(job(NOON.plusSeconds(60)), job(NOON.plusSeconds(61)));
    start.scanned(start.next(1), 2, MILLISECOND, full, LIMIT);
    assertThat(start.next(3)).isEqualTo(NOON.minusSeconds(1));
    start.scanned(start.next(3), 4, MILLISECOND, List.of(job(NOON.plusSeconds(60))), LIMIT);
    assertThat(start.next(5)).isEqualTo(NOON.plusSeconds(59));
    start.scanned(start.next(5), 6, MILLISECOND, List.of(), LIMIT);
    assertThat(start.next(7)).isEqualTo(NOON.plusSeconds(59));
  }

  @Test
  void aWholeLookComesEveryTwoSecondsOrTakesATwentiethOfTheTime() {
    start.scanned(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(start.next(2 * SECOND - 1)).isNotNull();
    assertThat(start.next(2 * SECOND)).isNull();
    start.scanned(null, 0, 200 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(start.next(4 * SECOND - 1)).isNotNull();
    assertThat(start.next(4 * SECOND)).isNull();
  }

  @Test
  void whereShortLooksAreNoFasterTheyAreNotTriedAgainForTenSeconds() {
    start.scanned(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    start.scanned(start.next(1), 2, 15 * MILLISECOND, List.of(job(NOON)), LIMIT);
    start.scanned(null, 2 * SECOND, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(start.next(2 * SECOND + 1)).isNull();
    start.scanned(null, 9 * SECOND, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(start.next(9 * SECOND + 1)).isNull();
    start.scanned(null, 13 * SECOND, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(start.next(13 * SECOND + 1)).isNotNull();
  }

  @Test
  void whereTheyAreFasterTheyGoOn() {
    start.scanned(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    start.scanned(start.next(1), 2, 3 * MILLISECOND, List.of(job(NOON)), LIMIT);
    start.scanned(null, 2 * SECOND, 20 * MILLISECOND, List.of(job(NOON.plusSeconds(60))), LIMIT);
    assertThat(start.next(2 * SECOND + 1)).isEqualTo(NOON.plusSeconds(59));
  }

  @Test
  void aSlowLookThatFoundNothingStaysWhereItWas() {
    start.scanned(null, 0, 20 * MILLISECOND, List.of(), LIMIT);
    assertThat(start.next(1)).isNull();
    start.scanned(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    start.scanned(null, SECOND, 20 * MILLISECOND, List.of(), LIMIT);
    assertThat(start.next(SECOND + 1)).isEqualTo(NOON.minusSeconds(1));
  }

  @Test
  void afterJobsWereLetGoTheNextScanIsWholeAndOnlyThatOne() {
    start.scanned(null, 0, 10 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(start.next(1)).isNotNull();
    start.jobsLetGo();
    assertThat(start.next(1)).isNull();
    start.scanned(null, 1, 10 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(start.next(2)).isNotNull();
  }
}
