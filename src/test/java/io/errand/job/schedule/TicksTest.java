package io.errand.job.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When ticks are, on the days when clocks change and on all others. */
class TicksTest {
  /** Expressions that are no intervals, each with what it says in other words. */
  private static final Map<String, Predicate<LocalDateTime>> FIXED =
      Map.of(
          "30 2 * * *", t -> t.getHour() == 2 && t.getMinute() == 30,
          "15 2,3 * * *", t -> (t.getHour() == 2 || t.getHour() == 3) && t.getMinute() == 15,
          "@daily", t -> t.getHour() == 0 && t.getMinute() == 0,
          "0-50/10 0-3 * * SUN",
              t ->
                  t.getMinute() % 10 == 0
                      && t.getHour() <= 3
                      && t.getDayOfWeek() == DayOfWeek.SUNDAY,
          "45 23 * * 6",
              t ->
                  t.getHour() == 23
                      && t.getMinute() == 45
                      && t.getDayOfWeek() == DayOfWeek.SATURDAY,
          "0 12 13 * FRI",
              t ->
                  t.getHour() == 12
                      && t.getMinute() == 0
                      && (t.getDayOfMonth() == 13 || t.getDayOfWeek() == DayOfWeek.FRIDAY),
          "5 1 31 JAN-DEC/2 *",
              t ->
                  t.getHour() == 1
                      && t.getMinute() == 5
                      && t.getDayOfMonth() == 31
                      && t.getMonthValue() % 2 == 1);

  private static final Map<String, Predicate<LocalDateTime>> INTERVALS =
      Map.of(
          "*/5 * * * *", t -> t.getMinute() % 5 == 0,
          "@hourly", t -> t.getMinute() == 0,
          "15,45 * * * *", t -> t.getMinute() == 15 || t.getMinute() == 45,
          "*/20 2 * * *", t -> t.getHour() == 2 && t.getMinute() % 20 == 0,
          "40 */2 * * *", t -> t.getHour() % 2 == 0 && t.getMinute() == 40,
          "7 * */2 * MON-WED",
              t ->
                  t.getMinute() == 7
                      && t.getDayOfMonth() % 2 == 1
                      && t.getDayOfWeek().getValue() <= 3);

  private static Ticks cron(String text, String zone) {
    return new Timing(text, List.of(), zone, null, null).ticks();
  }

  private static List<String> between(String cron, String zone, String from, String to) {
    Instant end = Instant.parse(to);
    List<String> found = new ArrayList<>();
    Ticks ticks = cron(cron, zone);
    for (Instant tick = ticks.next(Instant.parse(from).minusNanos(1));
        tick != null && tick.isBefore(end);
        tick = ticks.next(tick)) {
      found.add(ZonedDateTime.ofInstant(tick, ZoneId.of(zone)).toOffsetDateTime().toString());
    }
    return found;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Santiago",
        "Asia/Kathmandu",
        "Africa/Casablanca"
      })
  void theyAreThoseThatASearchMinuteByMinuteFinds(String name) {
    FIXED.forEach((text, matches) -> assertSame(text, matches, false, name));
    INTERVALS.forEach((text, matches) -> assertSame(text, matches, true, name));
  }

  private static void assertSame(
      String text, Predicate<LocalDateTime> matches, boolean isInterval, String name) {
    Instant from = Instant.parse("2025-01-01T00:00:00Z");
    Instant to = Instant.parse("2027-01-01T00:00:00Z");
    List<Instant> expected = search(matches, isInterval, ZoneId.of(name), from, to);
    List<Instant> found = new ArrayList<>();
    Ticks ticks = cron(text, name);
    for (Instant tick = ticks.next(from.minusNanos(1));
        tick != null && tick.isBefore(to);
        tick = ticks.next(tick)) {
      found.add(tick);
    }
    assertThat(expected).hasSizeGreaterThan(5);
    assertThat(found).as(text + " in " + name).isEqualTo(expected);
  }

  /** Looks at the clock on the wall each minute; knows nothing of rules and changes. */
  private static List<Instant> search(
      Predicate<LocalDateTime> matches, boolean isInterval, ZoneId zone, Instant from, Instant to) {
    List<Instant> found = new ArrayList<>();
    LocalDateTime last = LocalDateTime.ofInstant(from.minusSeconds(60), zone);
    LocalDateTime latest = last;
    for (Instant now = from; now.isBefore(to); now = now.plusSeconds(60)) {
      LocalDateTime clock = LocalDateTime.ofInstant(now, zone);
      boolean ticks = matches.test(clock) && (isInterval || clock.isAfter(latest));
      for (LocalDateTime left = last.plusMinutes(1);
          left.isBefore(clock);
          left = left.plusMinutes(1)) {
        ticks |= matches.test(left) && left.isAfter(latest);
      }
      if (ticks) {
        found.add(now);
      }
      last = clock;
      latest = clock.isAfter(latest) ? clock : latest;
    }
    return found;
  }

  @Test
  void aTickInTheSpringGapIsAtTheFirstMomentAfterIt() {
    assertThat(
            between("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z"))
        .containsExactly(
            "2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00");
    assertThat(
            between(
                "10,20 2 * * *",
                "Australia/Lord_Howe",
                "2026-10-03T00:00:00Z",
                "2026-10-04T12:00:00Z"))
        .as("both are in the same gap of half an hour")
        .containsExactly("2026-10-04T02:30+11:00");
    assertThat(
            between(
                "0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-07T12:00:00Z"))
        .as("the day begins at one o'clock")
        .containsExactly("2026-09-06T01:00-03:00", "2026-09-07T00:00-03:00");
  }

  @Test
  void aRepeatedHourRunsFixedTimesOnceAndIntervalsEachTime() {
    String from = "2026-10-24T23:00:00Z"; // 01:00 in Berlin; at 03:00 it is 02:00 again
    String to = "2026-10-25T02:00:00Z";
    assertThat(between("30 2 * * *", "Europe/Berlin", from, to))
        .containsExactly("2026-10-25T02:30+02:00");
    assertThat(between("*/30 2 * * *", "Europe/Berlin", from, to))
        .containsExactly(
            "2026-10-25T02:00+02:00",
            "2026-10-25T02:30+02:00",
            "2026-10-25T02:00+01:00",
            "2026-10-25T02:30+01:00");
    assertThat(between("45 * * * *", "Europe/Berlin", from, to))
        .containsExactly(
            "2026-10-25T01:45+02:00", "2026-10-25T02:45+02:00", "2026-10-25T02:45+01:00");
    assertThat(
            between(
                "45 1 * * *",
                "Australia/Lord_Howe",
                "2026-04-04T12:00:00Z",
                "2026-04-04T20:00:00Z"))
        .as("half an hour comes twice")
        .containsExactly("2026-04-05T01:45+11:00");
  }

  @Test
  void everyIsAlignedToTheEpochAndKnowsNoZone() {
    for (String zone : List.of("UTC", "Europe/Berlin")) {
      Ticks ticks = cron("@every 1h30m", zone);
      assertThat(ticks.from(ticks.next(Instant.parse("2026-10-24T22:31:00Z")), 3))
          .containsExactly(
              Instant.parse("2026-10-25T00:00:00Z"),
              Instant.parse("2026-10-25T01:30:00Z"),
              Instant.parse("2026-10-25T03:00:00Z"));
    }
    assertThat(cron("@every 7s", "UTC").next(Instant.EPOCH)).isEqualTo(Instant.ofEpochSecond(7));
  }

  @Test
  void leapDaysAndTheEndOfTimeAreReached() {
    assertThat(cron("0 0 29 2 *", "UTC").next(Instant.parse("2096-03-01T00:00:00Z")))
        .isEqualTo(Instant.parse("2104-02-29T00:00:00Z"));
    assertThat(cron("0 0 1 1 *", "UTC").next(Instant.parse("9999-01-01T00:00:00Z"))).isNull();
    assertThat(cron("@every 1d", "UTC").next(Instant.parse("9999-12-31T00:00:00Z"))).isNull();
  }

  @Test
  void aWindowAndAListOfTimesBoundThem() {
    Instant start = Instant.parse("2026-01-01T00:00:00Z");
    Timing hourly = new Timing("@hourly", List.of(), "UTC", start, start.plusSeconds(7_200));
    Ticks ticks = hourly.ticks();
    assertThat(ticks.from(ticks.next(Instant.EPOCH), 9))
        .containsExactly(start, start.plusSeconds(3_600), start.plusSeconds(7_200));
    Ticks listed =
        new Timing(null, List.of(start.plusSeconds(5), start), "UTC", null, null).ticks();
    assertThat(listed.from(listed.next(start.minusSeconds(1)), 9))
        .containsExactly(start, start.plusSeconds(5));
    assertThat(listed.next(start.plusSeconds(5))).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "* * * * *",
        "0 0 1,15 * 1-5",
        "5 4 * * sun",
        "0 22 * * FRI-SUN",
        "0 0 * * 0,7",
        "0 0 29 FEB *",
        " 0  0 * * * ",
        "59 23 31 12 7",
        "@Weekly",
        "@every 1s",
        "@every 366d"
      })
  void whatIsRightIsTaken(String text) {
    assertThat(Timing.faultsOf(text)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "61 * * * * | minute (field 1): \"61\" is not within 0 to 59",
        "* 24 * * * | hour (field 2): \"24\" is not within 0 to 23",
        "* * 0 * * | day of the month (field 3): \"0\" is not within 1 to 31",
        "* * * 13 * | month (field 4): \"13\" is not within 1 to 12 or JAN to DEC",
        "* * * FOO * | month (field 4): \"FOO\" is not within",
        "* * * * 8 | day of the week (field 5): \"8\" is not within 0 to 7 or SUN to SAT",
        "1,,2 * * * * | minute (field 1): \"\" is no number",
        "1,2,x * * * * | minute (field 1): \"x\" is not within",
        "5-1 * * * * | minute (field 1): \"5-1\" is a range that ends before it begins",
        "*/0 * * * * | minute (field 1): \"*/0\" has a step that is not within 1 to 59",
        "5/10 * * * * | minute (field 1): \"5/10\" has a step, which needs * or a range",
        "* * L * * | day of the month (field 3): \"L\" is not within",
        "* * ? * * | day of the month (field 3): \"?\" is no number",
        "0 0 1#2 * * | day of the month (field 3): \"1#2\" is no number",
        "0 0 30 2 * | never fires",
        "0 0 31 4,6,9,11 * | never fires",
        "* * * * | has 4 fields and must have 5",
        "0 * * * * * | has 6 fields and must have 5",
        "'' | has 0 fields and must have 5",
        "@reboot | \"@reboot\" is not one of",
        "@every | must be @every and a duration",
        "@every 0s | must have a duration of 1 second to 366 days",
        "@every 500ms | must be @every and a duration",
        "@every 367d | must have a duration of 1 second to 366 days",
        "99999999999 * * * * | minute (field 1): \"99999999999\" is no number"
      })
  void whatIsWrongIsNamedWithItsPlace(String text, String fault) {
    assertThat(Timing.faultsOf(text)).hasSize(1).first().asString().startsWith(fault);
  }

  @Test
  void everyWrongFieldIsNamed() {
    assertThat(Timing.faultsOf("60 24 32 13 8")).hasSize(5);
  }
}
