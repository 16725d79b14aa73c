package io.errand.console.failures;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How the bars of a trend stand. */
class TrendTest {
  private static final Instant NOW = Instant.parse("2026-11-30T12:30:00Z");

  private static Instant ago(long minutes) {
    return NOW.minus(Duration.ofMinutes(minutes));
  }

  @Test
  void eachHourHasABarAsHighAsItsShareOfTheHighest() {
    Trend trend =
        Trend.of(List.of(ago(0), ago(59), ago(61), ago(23 * 60), ago(24 * 60), ago(-1)), null, NOW);
    assertThat(trend.bars()).hasSize(Trend.HOURS);
    assertThat(trend.bars().get(23).count()).isEqualTo(3);
    assertThat(trend.bars().get(23).height()).isEqualTo(Trend.HEIGHT);
    assertThat(trend.bars().get(22)).isEqualTo(new Trend.Bar(110, 16, 8, "some", 1));
    assertThat(trend.bars().get(0).count()).isEqualTo(1);
    assertThat(trend.bars().get(1)).isEqualTo(new Trend.Bar(5, 23, 1, "none", 0));
    assertThat(trend.words()).isEqualTo("5 in the last 24 hours, at most 3 in one of them");
  }

  @Test
  void hoursThatWereNotLookedAtAreUnknown() {
    Trend trend = Trend.of(List.of(), ago(90), NOW);
    assertThat(trend.bars().get(23).tone()).isEqualTo("none");
    assertThat(trend.bars().get(22).tone()).isEqualTo("none"); // a part of it was
    assertThat(trend.bars().get(21).tone()).isEqualTo("unknown");
    assertThat(trend.bars()).allMatch(bar -> bar.height() == 1);
  }
}
