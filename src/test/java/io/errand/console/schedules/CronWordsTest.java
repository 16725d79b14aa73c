package io.errand.console.schedules;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said of cron expressions. */
class CronWordsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          * * * * *          | every minute
          */5 * * * *        | every 5 minutes
          */1 * * * *        | every minute
          0 * * * *          | every hour, on the hour
          @hourly            | every hour, on the hour
          17 * * * *         | at minute 17 of every hour
          0,30 * * * *       | at the minutes 0, 30
          30 3 * * *         | at 03:30
          @daily             | at 00:00
          0 9,17 * * *       | at 09:00 and 17:00
          0 */6 * * *        | every 6 hours
          */10 8-17 * * 1-5  | every 10 minutes, from 08:00 to 17:59, Monday to Friday
          30 3 * * 1-5       | at 03:30, Monday to Friday
          0 8 * * mon,wed    | at 08:00, on Monday and Wednesday
          0 8 * * 7          | at 08:00, on Sunday
          @weekly            | at 00:00, on Sunday
          0 0 1 * *          | at 00:00, on day 1 of the month
          0 0 1,15 * *       | at 00:00, on day 1 and day 15 of the month
          0 0 13 * 5         | at 00:00, on day 13 of the month or on Friday
          @yearly            | at 00:00, on day 1 of the month, in January
          0 6 * jun,12 *     | at 06:00, in June and December
          @every 1s          | every second
          @every 90s         | every 90 seconds
          @every 1h30m       | every 1 hour 30 minutes
          @every 1d          | every day
          """)
  void anExpressionIsSaidInWords(String expression, String words) {
    assertThat(CronWords.of(expression)).isEqualTo(words);
  }
}
