package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Backoff;
import io.errand.job.Confinement;
import io.errand.job.OnLost;
import io.errand.job.RetryPolicy;
import io.errand.store.ClaimedJob;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** From where a worker looks for jobs. */
class QueueFrontTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final long MILLISECOND = 1_000_000;
  private static final int LIMIT = 2;
  private static final long SECOND = 1_000 * MILLISECOND;

  private final QueueFront front = new QueueFront();

  private static ClaimedJob job(Instant runAt) {
    return new ClaimedJob(
        UUID.randomUUID(),
        UUID.randomUUID(),
        runAt,
        1,
        1,
        "default",
        Duration.ZERO,
        runAt,
        List.of("true"),
        Map.of(),
        null,
        null,
        Duration.ofSeconds(1),
        Duration.ZERO,
        1,
        1,
        new RetryPolicy(1, Backoff.DEFAULT, List.of(), Set.of(0), OnLost.RETRY),
        Confinement.NONE,
        false,
        0);
  }

  @Test
  void aQuickLookLeavesTheNextOneWhole() {
    front.looked(null, 0, MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(front.next(1)).isNull();
  }

  @Test
  void behindASlowLookTheNextOnesBeginALittleBeforeWhatItFound() {
    front.looked(null, 0, 20 * MILLISECOND, List.of(job(NOON.plusSeconds(9)), job(NOON)), LIMIT);
    assertThat(front.next(1)).isEqualTo(NOON.minusSeconds(1));
  }

  @Test
  void theyMoveOnWhereNothingWasLeftBehind() {
    front.looked(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    List<ClaimedJob> full = List.of(job(NOON.plusSeconds(60)), job(NOON.plusSeconds(61)));
    front.looked(front.next(1), 2, MILLISECOND, full, LIMIT);
    assertThat(front.next(3)).isEqualTo(NOON.minusSeconds(1));
    front.looked(front.next(3), 4, MILLISECOND, List.of(job(NOON.plusSeconds(60))), LIMIT);
    assertThat(front.next(5)).isEqualTo(NOON.plusSeconds(59));
    front.looked(front.next(5), 6, MILLISECOND, List.of(), LIMIT);
    assertThat(front.next(7)).isEqualTo(NOON.plusSeconds(59));
  }

  @Test
  void aWholeLookComesEveryTwoSecondsOrTakesATwentiethOfTheTime() {
    front.looked(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(front.next(2 * SECOND - 1)).isNotNull();
    assertThat(front.next(2 * SECOND)).isNull();
    front.looked(null, 0, 200 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(front.next(4 * SECOND - 1)).isNotNull();
    assertThat(front.next(4 * SECOND)).isNull();
  }

  @Test
  void whereShortLooksAreNoFasterTheyAreNotTriedAgainForTenSeconds() {
    front.looked(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    front.looked(front.next(1), 2, 15 * MILLISECOND, List.of(job(NOON)), LIMIT);
    front.looked(null, 2 * SECOND, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(front.next(2 * SECOND + 1)).isNull();
    front.looked(null, 9 * SECOND, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(front.next(9 * SECOND + 1)).isNull();
    front.looked(null, 13 * SECOND, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    assertThat(front.next(13 * SECOND + 1)).isNotNull();
  }

  @Test
  void whereTheyAreFasterTheyGoOn() {
    front.looked(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    front.looked(front.next(1), 2, 3 * MILLISECOND, List.of(job(NOON)), LIMIT);
    front.looked(null, 2 * SECOND, 20 * MILLISECOND, List.of(job(NOON.plusSeconds(60))), LIMIT);
    assertThat(front.next(2 * SECOND + 1)).isEqualTo(NOON.plusSeconds(59));
  }

  @Test
  void aSlowLookThatFoundNothingStaysWhereItWas() {
    front.looked(null, 0, 20 * MILLISECOND, List.of(), LIMIT);
    assertThat(front.next(1)).isNull();
    front.looked(null, 0, 20 * MILLISECOND, List.of(job(NOON)), LIMIT);
    front.looked(null, SECOND, 20 * MILLISECOND, List.of(), LIMIT);
    assertThat(front.next(SECOND + 1)).isEqualTo(NOON.minusSeconds(1));
  }
}
