package io.errand.cli;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Prints whole lines, each behind the name of the job that it is of, so that several jobs can print
 * at once. A line of more than {@value #MOST_BYTES} bytes becomes several.
 */
final class PrefixedLines extends OutputStream {
  private static final int MOST_BYTES = 1 << 16;

  private final byte[] prefix;
  private final PrintStream target;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();

  /**
   * A stream.
   *
   * @param prefix before each line
   * @param target that others write to, too; it is locked for the time of a line
   */
  PrefixedLines(String prefix, PrintStream target) {
    this.prefix = prefix.getBytes(StandardCharsets.UTF_8);
    this.target = target;
  }

  /** Where a job prints: a print stream that keeps incomplete lines until they are complete. */
  PrintStream stream() {
    return new PrintStream(this, false, StandardCharsets.UTF_8) {
      @Override
      public void flush() {
        // The lines are flushed as they end.
      }

      @Override
      public void write(byte[] bytes, int offset, int length) {
        PrefixedLines.this.write(bytes, offset, length);
      }

      @Override
      public void close() {
        PrefixedLines.this.close();
      }
    };
  }

  @Override
  public void write(int b) {
    line.write(b);
    if (b == '\n') {
      print();
    } else if (line.size() >= MOST_BYTES) {
      line.write('\n');
      print();
    }
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      write(bytes[i]);
    }
  }

  private void print() {
    byte[] bytes = line.toByteArray();
    line.reset();
    synchronized (target) {
      target.write(prefix, 0, prefix.length);
      target.write(bytes, 0, bytes.length);
      target.flush();
    }
  }

  /** Prints what has no line end, with one. */
  @Override
  public void close() {
    if (line.size() > 0) {
      write('\n');
    }
  }
}
