package io.errand.exec;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Processes of a command.
 *
 * @param processes parents before children, zombies left out
 * @param more whether it has others, which are left out
 */
public record ProcessListing(List<ProcessInfo> processes, boolean more) {
  static final int MOST_SHOWN = 1_000;
  private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(1);

  /**
   * Reads what is known of processes, for a second at most. Of the rest, and of those that do not
   * let themselves be read, only what the kernel keeps apart from their memory is shown. Not for
   * the thread of a loop.
   *
   * @param pids parents before children
   */
  static ProcessListing of(Collection<Integer> pids) {
    long end = System.nanoTime() + MOST_NANOS;
    List<ProcessInfo> shown = new ArrayList<>();
    for (int pid : pids) {
      if (shown.size() == MOST_SHOWN) {
        return new ProcessListing(shown, true);
      }
      ProcessInfo info = System.nanoTime() - end < 0 ? CookieReader.info(pid) : null;
      ProcessInfo known = info == null ? ProcFs.brief(pid) : info;
      if (known != null) {
        shown.add(known);
      }
    }
    return new ProcessListing(shown, false);
  }
}
