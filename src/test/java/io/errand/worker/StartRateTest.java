package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StartRateTest {
  private static final int SLOTS = 8;
  private static final long MILLISECOND = 1_000_000;

  private final StartRate rate = new StartRate();

  private void ran(int commands, long nanos) {
    for (int i = 0; i < commands; i++) {
      rate.ran(nanos);
    }
  }

  @Test
  void nothingIsClaimedAheadBeforeEightCommandsHaveEnded() {
    ran(7, MILLISECOND);
    assertThat(rate.claims(SLOTS)).isZero();
    ran(1, MILLISECOND);
    assertThat(rate.claims(SLOTS)).isPositive();
  }

  @Test
  void asManyAsTheSlotsStartWithinFiftyMilliseconds() {
    ran(100, 20 * MILLISECOND);
    assertThat(rate.claims(SLOTS)).isEqualTo(20);
    assertThat(rate.claims(1)).isEqualTo(2);
    assertThat(rate.claims(0)).isZero();
  }

  @Test
  void neverMoreThanFiveForEachSlot() {
    ran(100, 1);
    assertThat(rate.claims(SLOTS)).isEqualTo(40);
    ran(100, 0);
    assertThat(rate.claims(SLOTS)).isEqualTo(40);
  }

  @Test
  void noneWhileCommandsTakeLong() {
    ran(100, MILLISECOND);
    ran(1, 1_000 * MILLISECOND);
    assertThat(rate.claims(SLOTS)).isZero();
    ran(20, MILLISECOND);
    assertThat(rate.claims(SLOTS)).isPositive();
  }

  @Test
  void noneAfterClaimsWereGivenBackUntilEightMoreCommandsWereShort() {
    ran(100, MILLISECOND);
    rate.misjudged();
    assertThat(rate.claims(SLOTS)).isZero();
    ran(7, MILLISECOND);
    assertThat(rate.claims(SLOTS)).isZero();
    ran(1, MILLISECOND);
    assertThat(rate.claims(SLOTS)).isEqualTo(40);
  }
}
