package io.errand.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.ops.RepeatedLines.Decision;
import java.util.concurrent.atomic.AtomicLong;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.Level;
import org.junit.jupiter.api.Test;

class RepeatedLinesTest {
  private final AtomicLong clock = new AtomicLong();
  private final RepeatedLines lines = new RepeatedLines(clock::get);

  @Test
  void theNextLineThatIsLoggedSaysHowManyWereLeftOut() {
    long before = RepeatedLines.leftOut();
    for (int i = 0; i < RepeatedLines.MOST_LINES; i++) {
      assertThat(lines.count("a", "It failed: %s")).isEqualTo(new Decision(true, 0));
    }
    for (int i = 0; i < 7; i++) {
      assertThat(lines.count("a", "It failed: %s").isLogged()).isFalse();
    }
    assertThat(RepeatedLines.leftOut() - before).isEqualTo(7);
    assertThat(lines.count("a", "Another")).isEqualTo(new Decision(true, 0));
    assertThat(lines.count("b", "It failed: %s")).isEqualTo(new Decision(true, 0));
    clock.addAndGet(RepeatedLines.WINDOW_NANOS);
    assertThat(lines.count("a", "It failed: %s")).isEqualTo(new Decision(true, 7));
    assertThat(lines.count("a", "It failed: %s")).isEqualTo(new Decision(true, 0));
  }

  @Test
  void theNumberOfDifferentLinesHasABound() {
    for (int i = 0; i < RepeatedLines.MOST_KEYS; i++) {
      lines.count("a", "line " + i);
    }
    for (int i = 0; i < 2 * RepeatedLines.MOST_LINES; i++) {
      assertThat(lines.count("a", "one more").isLogged()).isTrue();
    }
    clock.addAndGet(RepeatedLines.WINDOW_NANOS);
    for (int i = 0; i < RepeatedLines.MOST_LINES; i++) {
      assertThat(lines.count("a", "one more").isLogged()).isTrue();
    }
    assertThat(lines.count("a", "one more").isLogged()).isFalse();
  }

  @Test
  void theLogLeavesOutWarningsAndNoOtherLines() {
    VisibleLog log = new VisibleLog();
    for (int i = 0; i < RepeatedLines.MOST_LINES; i++) {
      assertThat(log.isLoggable(line(Level.WARN, i))).isTrue();
    }
    assertThat(log.isLoggable(line(Level.WARN, 99))).isFalse();
    assertThat(log.isLoggable(line(Level.ERROR, 99))).isFalse();
    for (int i = 0; i < 3 * RepeatedLines.MOST_LINES; i++) {
      assertThat(log.isLoggable(line(Level.INFO, i))).isTrue();
    }
  }

  private static ExtLogRecord line(Level level, int number) {
    ExtLogRecord line =
        new ExtLogRecord(level, "Number %d failed", ExtLogRecord.FormatStyle.PRINTF, "test");
    line.setLoggerName("io.errand.test");
    line.setParameters(new Object[] {number});
    return line;
  }
}
