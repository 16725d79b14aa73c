package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** When a worker scans the whole index of ready jobs. */
class FullScansTest {
  private static final long MILLISECOND = 1_000_000;
  private static final long SECOND = 1_000 * MILLISECOND;

  private final FullScans scans = new FullScans();

  @Test
  void afterAQuickScanTheNextOneIsFull() {
    scans.full(0, MILLISECOND);
    assertThat(scans.isNext(1)).isTrue();
  }

  @Test
  void afterASlowScanTheNextOneIsPartial() {
    scans.full(0, 20 * MILLISECOND);
    assertThat(scans.isNext(1)).isFalse();
  }

  @Test
  void aFullScanComesEveryTwoSecondsOrTakesATwentiethOfTheTime() {
    scans.full(0, 20 * MILLISECOND);
    assertThat(scans.isNext(2 * SECOND - 1)).isFalse();
    assertThat(scans.isNext(2 * SECOND)).isTrue();
    scans.full(0, 200 * MILLISECOND);
    assertThat(scans.isNext(4 * SECOND - 1)).isFalse();
    assertThat(scans.isNext(4 * SECOND)).isTrue();
  }

  @Test
  void wherePartialScansAreNoFasterTheyAreNotTriedAgainForTenSeconds() {
    scans.full(0, 20 * MILLISECOND);
    scans.partial(15 * MILLISECOND);
    scans.full(2 * SECOND, 20 * MILLISECOND);
    assertThat(scans.isNext(2 * SECOND + 1)).isTrue();
    scans.full(9 * SECOND, 20 * MILLISECOND);
    assertThat(scans.isNext(9 * SECOND + 1)).isTrue();
    scans.full(13 * SECOND, 20 * MILLISECOND);
    assertThat(scans.isNext(13 * SECOND + 1)).isFalse();
  }

  @Test
  void whereTheyAreFasterTheyGoOn() {
    scans.full(0, 20 * MILLISECOND);
    scans.partial(3 * MILLISECOND);
    scans.full(2 * SECOND, 20 * MILLISECOND);
    assertThat(scans.isNext(2 * SECOND + 1)).isFalse();
  }

  @Test
  void afterJobsWereLetGoTheNextScanIsFullAndOnlyThatOne() {
    scans.full(0, 10 * MILLISECOND);
    assertThat(scans.isNext(1)).isFalse();
    scans.jobsLetGo();
    assertThat(scans.isNext(1)).isTrue();
    scans.full(1, 10 * MILLISECOND);
    assertThat(scans.isNext(2)).isFalse();
  }
}
