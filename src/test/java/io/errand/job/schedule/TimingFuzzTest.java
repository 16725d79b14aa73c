package io.errand.job.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.text.FuzzedText;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** An expression is refused with a sentence, or its ticks go forward in time, in every zone. */
@Tag("fuzz")
class TimingFuzzTest {
  private static final List<String> ZONES =
      List.of(
          "UTC",
          "Europe/Berlin",
          "America/Sao_Paulo",
          "Pacific/Apia",
          "Africa/Casablanca",
          "Australia/Lord_Howe",
          "America/Havana",
          "Antarctica/Troll");

  private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");
  private static final int TICKS = 5;

  /** A byte for the zone, four for the second from 1970 on, then the expression. */
  @FuzzTest
  @Timeout(60)
  void ticksGoForward(byte[] bytes) {
    if (bytes.length < 5) {
      return;
    }
    String text = FuzzedText.behind(bytes, 5);
    if (text.length() > Timing.MOST_CRON_CHARACTERS) {
      return;
    }
    List<String> faults = Timing.faultsOf(text);
    assertThat(faults).allMatch(fault -> fault.length() < 500);
    if (!faults.isEmpty()) {
      return;
    }
    String zone = ZONES.get((bytes[0] & 0xff) % ZONES.size());
    long second = 0;
    for (int i = 1; i <= 4; i++) {
      second = second << 8 | bytes[i] & 0xff;
    }
    checkTicks(new Timing(text, List.of(), zone, null, null), Instant.ofEpochSecond(second));
  }

  private static void checkTicks(Timing timing, Instant after) {
    Ticks ticks = timing.ticks();
    Instant before = after;
    for (int i = 0; i < TICKS; i++) {
      Instant tick = ticks.next(before);
      if (tick == null) {
        break;
      }
      assertThat(tick).isAfter(before).isBeforeOrEqualTo(LAST);
      assertThat(ticks.next(tick.minusNanos(1))).isEqualTo(tick);
      assertThat(ticks.next(before.plus(Duration.between(before, tick).dividedBy(2))))
          .isEqualTo(tick);
      before = tick;
    }
    for (CatchUp catchUp : CatchUp.values()) {
      checkDue(new Schedule(timing, Overlap.SKIP, catchUp, 3, 0, false, "{}"), after);
    }
  }

  private static void checkDue(Schedule schedule, Instant after) {
    Instant first = schedule.timing().ticks().next(after);
    if (first == null) {
      return;
    }
    Instant now = first.plus(Duration.ofHours(3));
    DueTicks due = DueTicks.of(schedule, first, now);
    assertThat(due.run()).isSorted().hasSizeLessThanOrEqualTo(3);
    assertThat(due.run()).allMatch(tick -> !tick.isAfter(now) && !tick.isBefore(first));
    DueTicks.Span missed = due.missed();
    if (missed != null) {
      assertThat(missed.first()).isEqualTo(first);
      assertThat(missed.last()).isBeforeOrEqualTo(now);
      assertThat(missed.count()).isPositive();
    }
    if (due.next() != null) {
      assertThat(due.next()).isAfter(now);
    }
  }
}
