package io.errand.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class JobIdsTest {
  @Test
  void growStrictlyAlsoWhenTheClockStandsOrStepsBack() {
    AtomicLong clock = new AtomicLong(1_700_000_000_000L);
    JobIds ids = new JobIds(clock::get);
    String last = "";
    for (int i = 0; i < 20_000; i++) {
      if (i % 5_000 == 4_999) {
        clock.addAndGet(i % 10_000 == 4_999 ? -50 : 100);
      }
      String id = ids.next().toString();
      assertThat(id).isGreaterThan(last);
      last = id;
    }
  }

  @Test
  void areOfVersionSevenAndHoldTheTime() {
    UUID id = new JobIds(() -> 0x0123_4567_89abL).next();
    assertThat(id.version()).isEqualTo(7);
    assertThat(id.variant()).isEqualTo(2);
    assertThat(id.toString()).startsWith("01234567-89ab-7");
  }
}
