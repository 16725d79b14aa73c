package io.errand.job.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.schedule.DueTicks.Span;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What becomes of ticks that are due: a downtime neither floods nor hides anything. */
class DueTicksTest {
  private static final Instant FIRST = Instant.parse("2026-01-01T00:00:00Z");

  private static Schedule schedule(String cron, CatchUp catchUp, int limit) {
    return new Schedule(
        new Timing(cron, List.of(), "UTC", null, null),
        Overlap.SKIP,
        catchUp,
        limit,
        0,
        false,
        "{}");
  }

  private static DueTicks due(String cron, CatchUp catchUp, int limit, long seconds) {
    return DueTicks.of(schedule(cron, catchUp, limit), FIRST, FIRST.plusSeconds(seconds));
  }

  private static Span span(long from, long to, long count) {
    return new Span(FIRST.plusSeconds(from), FIRST.plusSeconds(to), count, true);
  }

  @Test
  void noneRunsTheNewestTickIfItIsOnTime() {
    assertThat(due("@every 1m", CatchUp.NONE, 1, 0))
        .isEqualTo(new DueTicks(null, List.of(FIRST), FIRST.plusSeconds(60)));
    assertThat(due("@every 1h", CatchUp.NONE, 1, 60).run()).containsExactly(FIRST);
    assertThat(due("@every 1h", CatchUp.NONE, 1, 61))
        .isEqualTo(new DueTicks(span(0, 0, 1), List.of(), FIRST.plusSeconds(3_600)));
    assertThat(due("@every 1m", CatchUp.NONE, 1, 200))
        .isEqualTo(
            new DueTicks(span(0, 120, 3), List.of(FIRST.plusSeconds(180)), FIRST.plusSeconds(240)));
    assertThat(due("@every 1h", CatchUp.NONE, 1, 7_300).missed()).isEqualTo(span(0, 7_200, 3));
  }

  @Test
  void latestRunsTheNewestHoweverLate() {
    assertThat(due("@every 1h", CatchUp.LATEST, 1, 7_300))
        .isEqualTo(
            new DueTicks(
                span(0, 3_600, 2), List.of(FIRST.plusSeconds(7_200)), FIRST.plusSeconds(10_800)));
  }

  @Test
  void allRunsAsManyAsTheLimitSays() {
    assertThat(due("@every 1h", CatchUp.ALL, 5, 7_300).run()).hasSize(3);
    DueTicks due = due("@every 1m", CatchUp.ALL, 5, 3_600);
    assertThat(due.missed()).isEqualTo(span(0, 55 * 60, 56));
    assertThat(due.run()).hasSize(5).first().isEqualTo(FIRST.plusSeconds(56 * 60));
    assertThat(due.next()).isEqualTo(FIRST.plusSeconds(61 * 60));
  }

  @Test
  void aDowntimeOfYearsIsBounded() {
    long seconds = 5L * 366 * 86_400;
    for (String cron : List.of("@every 1s", "* * * * *")) {
      DueTicks due = due(cron, CatchUp.ALL, 1_000, seconds);
      assertThat(due.run()).hasSize(1_000).last().isEqualTo(FIRST.plusSeconds(seconds));
      Span missed = Objects.requireNonNull(due.missed());
      assertThat(missed.isCounted()).isFalse();
      assertThat(missed.count()).isEqualTo(99_000);
      assertThat(missed.first()).isEqualTo(FIRST);
      assertThat(missed.last()).isBefore(due.run().get(0));
      assertThat(due.next()).isAfter(FIRST.plusSeconds(seconds));
    }
  }

  @Test
  void aScheduleThatEndsHasNoNextTick() {
    Timing timing = new Timing("@hourly", List.of(), "UTC", null, FIRST.plusSeconds(3_600));
    Schedule ending = new Schedule(timing, Overlap.SKIP, CatchUp.LATEST, 1, 0, false, "{}");
    assertThat(DueTicks.of(ending, FIRST, FIRST.plusSeconds(90_000)))
        .isEqualTo(new DueTicks(span(0, 0, 1), List.of(FIRST.plusSeconds(3_600)), null));
    assertThat(DueTicks.span(timing, FIRST, FIRST.plusSeconds(90_000)))
        .isEqualTo(span(0, 3_600, 2));
  }
}
