package io.errand.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Whether a person reads and types; System.console() says something else in newer versions. */
final class Terminal {
  private static final int STDIN = 0;
  private static final int STDOUT = 1;
  private static final int STDERR = 2;
  private static final int USUAL_COLUMNS = 80;
  private static final int USUAL_LINES = 24;
  private static final int LEAST_COLUMNS = 20;

  private Terminal() {}

  /** Whether a person reads standard error. */
  static boolean isRead() {
    return isTerminal(STDERR);
  }

  /** Whether a person reads standard error and types standard input. */
  static boolean canAsk() {
    return isTerminal(STDIN) && isTerminal(STDERR);
  }

  /** Whether a person reads standard output. */
  static boolean showsOutput() {
    return isTerminal(STDOUT);
  }

  /** Whether standard input and standard output are of a terminal that can be drawn on. */
  static boolean canDraw() {
    return isTerminal(STDIN) && isTerminal(STDOUT) && !isDumb();
  }

  /** Whether standard output may have colours: see no-color.org. */
  static boolean isColored() {
    return isTerminal(STDOUT) && !isDumb() && ClientSettings.of("NO_COLOR") == null;
  }

  /**
   * How many cells a line of standard output has; the launch script asks the terminal for it.
   *
   * @return {@link Integer#MAX_VALUE} where it is no terminal
   */
  static int columns() {
    return isTerminal(STDOUT)
        ? Math.max(LEAST_COLUMNS, number(System.getenv("COLUMNS"), USUAL_COLUMNS))
        : Integer.MAX_VALUE;
  }

  /** How many lines the terminal had when the client was started. */
  static int lines() {
    return number(System.getenv("LINES"), USUAL_LINES);
  }

  private static int number(@Nullable String text, int otherwise) {
    return text != null && text.matches("[1-9][0-9]{0,3}") ? Integer.parseInt(text) : otherwise;
  }

  private static boolean isDumb() {
    return "dumb".equals(System.getenv("TERM"));
  }

  private static boolean isTerminal(int descriptor) {
    try {
      String target =
          Files.readSymbolicLink(Path.of("/proc/self/fd", Integer.toString(descriptor))).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.equals("/dev/console");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }
}
