package io.errand.cli;

import io.errand.text.Visible;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The last lines of what is written, made visible: at most {@value #MOST_LINES} of at most {@value
 * #MOST_BYTES} bytes each. Of what a carriage return writes over, the last is kept.
 */
final class LastLines extends OutputStream {
  private static final int MOST_LINES = 500;
  private static final int MOST_BYTES = 4_096;

  private final Deque<String> lines = new ArrayDeque<>(); // guarded by this
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(); // guarded by this
  private boolean isOver; // the next byte begins the line anew

  @Override
  public synchronized void write(int b) {
    if (b == '\n') {
      lines.addLast(text());
      line.reset();
      isOver = false;
      if (lines.size() > MOST_LINES) {
        lines.removeFirst();
      }
    } else if (b == '\r') {
      isOver = true;
    } else {
      if (isOver) {
        line.reset();
        isOver = false;
      }
      if (line.size() < MOST_BYTES) {
        line.write(b);
      }
    }
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      write(bytes[i]);
    }
  }

  private String text() {
    return Visible.line(line.toString(StandardCharsets.UTF_8).replace("\t", "    "));
  }

  /** The last of them, the oldest first. */
  synchronized List<String> last(int most) {
    List<String> all = new ArrayList<>(lines);
    if (line.size() > 0) {
      all.add(text());
    }
    return List.copyOf(all.subList(Math.max(0, all.size() - most), all.size()));
  }
}
