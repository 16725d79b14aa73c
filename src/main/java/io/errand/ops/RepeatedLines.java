package io.errand.ops;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Counts lines of the log that a fault repeats: of lines that say the same, but for what is filled
 * in, {@value #MOST_LINES} are logged in ten seconds. How many others there were is told with the
 * next line that is logged after that. Safe from any thread.
 */
final class RepeatedLines {
  static final int MOST_LINES = 20;
  static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Of how many different lines it is counted; what is more is logged. */
  static final int MOST_KEYS = 1_000;

  private static final LongAdder LEFT_OUT = new LongAdder();

  private final LongSupplier clock;
  private final Map<String, Window> windows = new HashMap<>(); // guarded by this
  private long sweptNanos; // guarded by this

  RepeatedLines(LongSupplier clock) {
    this.clock = clock;
    this.sweptNanos = clock.getAsLong();
  }

  private static final class Window {
    private long begunNanos;
    private int logged;
    private int leftOut;
  }

  /**
   * Whether a line is logged.
   *
   * @param isLogged false where it is left out
   * @param leftOut how many like it were left out since the last one that was logged
   */
  record Decision(boolean isLogged, int leftOut) {}

  /** How many lines this process has left out. */
  static long leftOut() {
    return LEFT_OUT.sum();
  }

  /**
   * Counts a line.
   *
   * @param text what all lines of its kind have in common, or null
   */
  synchronized Decision count(String category, @Nullable String text) {
    long now = clock.getAsLong();
    sweep(now);
    String key = category + '\n' + text;
    Window window = windows.get(key);
    if (window == null) {
      if (windows.size() >= MOST_KEYS) {
        return new Decision(true, 0);
      }
      window = new Window();
      window.begunNanos = now;
      windows.put(key, window);
    }
    int earlier = 0;
    if (now - window.begunNanos >= WINDOW_NANOS) {
      earlier = window.leftOut;
      window.begunNanos = now;
      window.logged = 0;
      window.leftOut = 0;
    }
    if (window.logged < MOST_LINES) {
      window.logged++;
      return new Decision(true, earlier);
    }
    window.leftOut++;
    LEFT_OUT.increment();
    return new Decision(false, 0);
  }

  /** Forgets what has not come for a while and owes no count. */
  private void sweep(long now) {
    if (now - sweptNanos < WINDOW_NANOS) {
      return;
    }
    sweptNanos = now;
    windows
        .values()
        .removeIf(
            window -> now - window.begunNanos >= WINDOW_NANOS * (window.leftOut == 0 ? 1 : 360));
  }
}
