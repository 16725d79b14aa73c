package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.api.request.RequestRates.Allowance;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The buckets of callers, with a clock of the test's own. */
class RequestRatesTest {
  private static final long START = 7;

  private final RequestRates rates = new RequestRates(2, 4);

  private static long at(double seconds) {
    return START + (long) (seconds * TimeUnit.SECONDS.toNanos(1));
  }

  private boolean isGranted(String caller, double seconds) {
    return rates.take(caller, at(seconds)).isGranted();
  }

  @Test
  void aBurstIsGrantedAndThenTheRate() {
    for (int i = 0; i < 4; i++) {
      assertThat(isGranted("a", 0)).isTrue();
    }
    assertThat(isGranted("a", 0)).isFalse();
    assertThat(isGranted("a", 0.25)).isFalse();
    assertThat(isGranted("a", 0.5)).isTrue();
    assertThat(isGranted("a", 0.5)).isFalse();
    assertThat(isGranted("a", 1.5)).isTrue();
    assertThat(isGranted("a", 1.5)).isTrue();
    assertThat(isGranted("a", 1.5)).isFalse();
  }

  @Test
  void aBucketHoldsNoMoreThanItsBurst() {
    isGranted("a", 0);
    for (int i = 0; i < 4; i++) {
      assertThat(isGranted("a", 1_000)).isTrue();
    }
    assertThat(isGranted("a", 1_000)).isFalse();
  }

  @Test
  void oneCallerTakesNothingFromAnother() {
    for (int i = 0; i < 100; i++) {
      isGranted("flood", 0);
    }
    assertThat(isGranted("other", 0)).isTrue();
  }

  @Test
  void anAnswerSaysWhatIsLeftAndWhenThereIsMore() {
    assertThat(rates.policy()).isEqualTo("\"requests\";q=4;w=2");
    Allowance first = rates.take("a", at(0));
    assertThat(first).isEqualTo(new Allowance(true, 3, 1, 0));
    assertThat(RequestRates.limit(first)).isEqualTo("\"requests\";r=3;t=1");
    for (int i = 0; i < 3; i++) {
      rates.take("a", at(0));
    }
    assertThat(rates.take("a", at(0))).isEqualTo(new Allowance(false, 0, 2, 1));
    RequestRates slow = new RequestRates(0.01, 1);
    slow.take("a", at(0));
    assertThat(slow.take("a", at(0)).retrySeconds()).isEqualTo(100);
  }

  @Test
  void theMapIsBoundedAndForgetsWhoCameFirst() {
    for (int i = 0; i < 4; i++) {
      isGranted("first", 0);
    }
    for (int i = 0; i < RequestRates.MOST_CALLERS; i++) {
      isGranted("caller " + i, 0);
    }
    assertThat(isGranted("first", 0)).isTrue();
    assertThat(isGranted("caller " + (RequestRates.MOST_CALLERS - 1), 0)).isTrue();
  }

  @Test
  void aClockThatGoesBackTakesNothing() {
    assertThat(isGranted("a", 10)).isTrue();
    assertThat(rates.take("a", at(5)).remaining()).isEqualTo(2);
  }
}
