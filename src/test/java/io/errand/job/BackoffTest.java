package io.errand.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.Backoff.Jitter;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {
  @Test
  void growsByItsFactorUpToItsCap() {
    Backoff backoff = new Backoff(1, 2, 60, Jitter.NONE);
    assertThat(backoff.delayAfter(1, () -> 0)).isEqualTo(Duration.ofSeconds(1));
    assertThat(backoff.delayAfter(2, () -> 0)).isEqualTo(Duration.ofSeconds(2));
    assertThat(backoff.delayAfter(6, () -> 0)).isEqualTo(Duration.ofSeconds(32));
    assertThat(backoff.delayAfter(7, () -> 0)).isEqualTo(Duration.ofSeconds(60));
  }

  @Test
  void isCappedAndNeverNegativeAtTryTenThousand() {
    for (double factor : new double[] {1, 2, 100}) {
      for (double base : new double[] {0, 0.001, Backoff.MAX_SECONDS}) {
        Backoff backoff = new Backoff(base, factor, Backoff.MAX_SECONDS, Jitter.NONE);
        assertThat(backoff.delayAfter(10_000, () -> 0))
            .isBetween(Duration.ZERO, Duration.ofSeconds(2_592_000));
      }
    }
    assertThat(new Backoff(1, 2, 3600, Jitter.NONE).delayAfter(10_000, () -> 0))
        .isEqualTo(Duration.ofHours(1));
  }

  @Test
  void jitterStaysInItsBounds() {
    Random random = new Random(42);
    Backoff full = new Backoff(8, 2, 3600, Jitter.FULL);
    Backoff equal = new Backoff(8, 2, 3600, Jitter.EQUAL);
    for (int i = 0; i < 1_000; i++) {
      assertThat(full.delayAfter(1, random::nextDouble))
          .isBetween(Duration.ZERO, Duration.ofSeconds(8));
      assertThat(equal.delayAfter(1, random::nextDouble))
          .isBetween(Duration.ofSeconds(4), Duration.ofSeconds(8));
    }
  }

  @Test
  void refusesWhatIsNoBackoff() {
    assertThatThrownBy(() -> new Backoff(-1, 2, 60, Jitter.FULL))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Backoff(1, 0.5, 60, Jitter.FULL))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Backoff(10, 2, 5, Jitter.FULL))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Backoff(Double.NaN, 2, 5, Jitter.FULL))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
