package io.errand.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.RetrySchedule.Window;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** When attempts can start. */
class RetryScheduleTest {
  private static RetrySchedule of(int maxAttempts, Backoff backoff) {
    return RetrySchedule.of(
        new JobSpec(
            null,
            List.of("true"),
            "default",
            0,
            null,
            null,
            Map.of(),
            null,
            100,
            10,
            new RetryPolicy(maxAttempts, backoff, List.of(), Set.of(0), OnLost.RETRY),
            0,
            0,
            null,
            1,
            Map.of(),
            null,
            null,
            Confinement.NONE));
  }

  @Test
  void theEarliestStartHasTheShortestDelaysAndTheLatestAllTimeThereIs() {
    RetrySchedule full = of(3, new Backoff(1, 2, 3600, Backoff.Jitter.FULL));
    assertThat(full.attempts())
        .containsExactly(new Window(1, 0, 0), new Window(2, 0, 111), new Window(3, 0, 223));
    assertThat(full.givesUpAfterSeconds()).isEqualTo(333);
    RetrySchedule equal = of(3, new Backoff(1, 2, 3600, Backoff.Jitter.EQUAL));
    assertThat(equal.attempts())
        .containsExactly(new Window(1, 0, 0), new Window(2, 0.5, 111), new Window(3, 1.5, 223));
    RetrySchedule none = of(2, new Backoff(7, 2, 3600, Backoff.Jitter.NONE));
    assertThat(none.attempts()).containsExactly(new Window(1, 0, 0), new Window(2, 7, 117));
  }

  @Test
  void ofManyAttemptsTheFirstTwentyAndTheLastAreNamed() {
    RetrySchedule many = of(10_000, new Backoff(1, 2, 60, Backoff.Jitter.NONE));
    assertThat(many.attempts()).hasSize(21);
    assertThat(many.attempts()).extracting(Window::attempt).endsWith(20, 10_000);
    double delays = 1 + 2 + 4 + 8 + 16 + 32 + (9_999 - 6) * 60;
    assertThat(many.attempts().get(20).earliest()).isEqualTo(delays);
    assertThat(many.givesUpAfterSeconds()).isEqualTo(delays + 10_000 * 110);
  }

  @Test
  void aJobWithOneAttemptHasOneWindow() {
    RetrySchedule one = of(1, Backoff.DEFAULT);
    assertThat(one.attempts()).containsExactly(new Window(1, 0, 0));
    assertThat(one.givesUpAfterSeconds()).isEqualTo(110);
  }

  @Test
  void theBoundsOfADelayHoldEveryDelay() {
    for (Backoff.Jitter jitter : Backoff.Jitter.values()) {
      Backoff backoff = new Backoff(3, 2.5, 100, jitter);
      for (int charged = 1; charged < 8; charged++) {
        for (double random : new double[] {0, 0.3, 0.999}) {
          double seconds = backoff.delayAfter(charged, () -> random).toNanos() / 1e9;
          assertThat(seconds)
              .isBetween(
                  backoff.shortestAfter(charged) - 1e-6, backoff.longestAfter(charged) + 1e-6);
        }
      }
    }
  }
}
