package io.errand.text;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Whether all that a command printed has been written. Java's own standard output hides a write
 * that failed. For commands that print by one thread and then end.
 */
public final class Printed {
  private static final int INCOMPLETE = 74;
  private static final int READER_GONE = 128 + 13;

  private static @Nullable IOException fault;

  private Printed() {}

  /** Begins to look, before anything is printed. */
  public static void watch() {
    System.setOut(
        new PrintStream(
            new FilterOutputStream(new FileOutputStream(FileDescriptor.out)) {
              @Override
              public void write(byte[] bytes, int offset, int length) throws IOException {
                try {
                  out.write(bytes, offset, length);
                } catch (IOException e) {
                  fault = fault == null ? e : fault;
                  throw e;
                }
              }
            },
            true,
            StandardCharsets.UTF_8));
  }

  /**
   * Ends the output of a command, and says so if a part of it could not be written.
   *
   * @param exitCode of the command
   * @return the same; 74 or 141 if what it printed is not complete
   */
  public static int exitCode(int exitCode) {
    System.out.flush();
    IOException first = fault;
    if (first == null) {
      return exitCode;
    }
    String reason = FaultText.of(first);
    if (reason.contains("Broken pipe")) {
      return READER_GONE;
    }
    System.err.println("errand: standard output cannot be written: " + reason);
    return INCOMPLETE;
  }
}
