package io.errand.cli;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;

/** Keeps the last lines of what is written to it, at most {@value #MOST_BYTES} bytes of them. */
final class TailLines extends OutputStream {
  private static final int MOST_BYTES = 4 << 20;

  private final int most;
  private ByteArrayOutputStream kept = new ByteArrayOutputStream();

  /**
   * A buffer.
   *
   * @param most how many lines are kept, from 0
   */
  TailLines(int most) {
    this.most = most;
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    kept.write(bytes, offset, length);
    if (kept.size() > MOST_BYTES) {
      byte[] tail = tail();
      kept = new ByteArrayOutputStream();
      int from = Math.max(0, tail.length - MOST_BYTES / 2);
      kept.write(tail, from, tail.length - from);
    }
  }

  /** The last lines; what stands behind the last line end is a line, too. */
  private byte[] tail() {
    byte[] all = kept.toByteArray();
    int from = all.length;
    int lines = 0;
    for (int i = all.length - 1; i >= 0 && lines <= most; i--) {
      boolean endsLine = all[i] == '\n' && i < all.length - 1;
      lines += i == all.length - 1 || endsLine ? 1 : 0;
      from = lines <= most ? i : from;
    }
    byte[] tail = new byte[all.length - from];
    System.arraycopy(all, from, tail, 0, tail.length);
    return tail;
  }

  /** Prints them, and keeps none of them. */
  void printTo(PrintStream target) {
    byte[] tail = tail();
    kept = new ByteArrayOutputStream();
    target.write(tail, 0, tail.length);
    target.flush();
  }
}
