package io.errand.exec;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Processes of a command.
 *
 * @param processes parents before children, zombies left out
 * @param more whether it has others, which are left out
 */
public record ProcessListing(List<ProcessInfo> processes, boolean more) {
  static final int MOST_SHOWN = 1_000;
  static final int MOST_CHARACTERS = 1_000; // of a command line
  private static final int MOST_NAME_BYTES = 15; // the kernel cuts off the rest
  private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(1);

  /**
   * Reads what is known of processes, for a second at most. Of the rest, and of those that do not
   * let themselves be read, only what the kernel keeps apart from their memory is shown. Not for
   * the thread of a loop.
   *
   * @param pids parents before children
   * @param mask hides secrets in what they were called with, or null
   */
  static ProcessListing of(Collection<Integer> pids, @Nullable OutputMask mask) {
    long end = System.nanoTime() + MOST_NANOS;
    List<ProcessInfo> shown = new ArrayList<>();
    for (int pid : pids) {
      if (shown.size() == MOST_SHOWN) {
        return new ProcessListing(shown, true);
      }
      ProcessInfo info = System.nanoTime() - end < 0 ? CookieReader.info(pid) : null;
      ProcessInfo known = info == null ? ProcFs.brief(pid) : info;
      if (known != null) {
        shown.add(known.withCommand(shown(known.command(), mask)));
      }
    }
    return new ProcessListing(shown, false);
  }

  /** The beginning of a command line, or a name in brackets, without secrets. */
  static String shown(String command, @Nullable OutputMask mask) {
    boolean isName = command.startsWith("[") && command.endsWith("]");
    String text = isName ? command.substring(1, command.length() - 1) : command;
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (mask != null) {
      OutputMask.Stream stream = mask.stream();
      byte[] settled = stream.take(ByteBuffer.wrap(bytes));
      byte[] rest = stream.rest();
      boolean isCut = isName ? bytes.length >= MOST_NAME_BYTES : text.length() > MOST_CHARACTERS;
      if (isCut) {
        Arrays.fill(rest, (byte) '*'); // it may be the beginning of a secret
      }
      bytes = Arrays.copyOf(settled, settled.length + rest.length);
      System.arraycopy(rest, 0, bytes, settled.length, rest.length);
    }
    String masked = new String(bytes, StandardCharsets.UTF_8);
    return isName
        ? "[" + masked + "]"
        : masked.substring(0, Math.min(masked.length(), MOST_CHARACTERS));
  }
}
