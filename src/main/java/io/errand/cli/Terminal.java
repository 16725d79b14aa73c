package io.errand.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a person reads and types; System.console() says something else in newer versions. */
final class Terminal {
  private static final int STDIN = 0;
  private static final int STDERR = 2;

  private Terminal() {}

  /** Whether a person reads standard error. */
  static boolean isRead() {
    return isTerminal(STDERR);
  }

  /** Whether a person reads standard error and types standard input. */
  static boolean canAsk() {
    return isTerminal(STDIN) && isTerminal(STDERR);
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
