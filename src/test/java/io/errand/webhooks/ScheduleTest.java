package io.errand.webhooks;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.store.webhooks.DeliveryState;
import io.errand.webhooks.Schedule.Next;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleTest {
  private static final Instant NOW = Instant.parse("2026-11-30T10:00:00Z");

  private static Next after(int tries, @Nullable Integer status, @Nullable String retryAfter) {
    return Schedule.after(tries, status, retryAfter, NOW, () -> 0.5);
  }

  @Test
  void triesFollowTheScheduleOfStandardWebhooksAndEnd() {
    List<Long> seconds = new ArrayList<>();
    Next next = after(1, 500, null);
    for (int tries = 2; next.state() == DeliveryState.PENDING; tries++) {
      Duration delay = next.delay();
      seconds.add(delay == null ? -1 : delay.toSeconds());
      next = after(tries, 500, null);
    }
    assertThat(seconds)
        .containsExactly(5L, 300L, 1800L, 7200L, 18_000L, 36_000L, 50_400L, 72_000L, 86_400L);
    assertThat(next).isEqualTo(new Next(DeliveryState.FAILED, null));
  }

  @Test
  void jitterIsATenth() {
    assertThat(Schedule.after(2, null, null, NOW, () -> 0).delay())
        .isEqualTo(Duration.ofSeconds(270));
    assertThat(Schedule.after(2, null, null, NOW, () -> 1).delay())
        .isEqualTo(Duration.ofSeconds(330));
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 201, 204, 299})
  void successEndsIt(int status) {
    assertThat(after(10, status, null)).isEqualTo(new Next(DeliveryState.DELIVERED, null));
  }

  @Test
  void goneDisables() {
    assertThat(after(1, 410, null)).isEqualTo(new Next(DeliveryState.DISABLED, null));
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "429,60,60",
        "503,60,60",
        "429,1,5",
        "429,999999999,86400",
        "429,999999999999999999999,86400",
        "429,00000000000000000000060,60",
        "503,'Mon, 30 Nov 2026 10:01:40 GMT',100",
        "503,'Mon, 30 Nov 2020 10:01:40 GMT',5",
        "503,'Wed, 30 Nov 2036 10:01:40 GMT',5",
        "503,'Sun, 30 Nov 2036 10:01:40 GMT',86400",
        "429,soon,5",
        "429,-5,5",
        "500,60,5",
        "302,60,5",
        "-,60,5"
      })
  void aWishOfTheReceiverIsHonouredWithinBounds(
      @Nullable Integer status, String retryAfter, long seconds) {
    assertThat(after(1, status, retryAfter).delay()).isEqualTo(Duration.ofSeconds(seconds));
  }
}
