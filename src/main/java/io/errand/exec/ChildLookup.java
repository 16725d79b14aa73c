package io.errand.exec;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the children of processes during one walk over a tree. The kernel lists them by thread, so
 * a process with 20,000 threads has 20,000 lists to read. After {@value #MOST_THREADS} of them the
 * parents of all processes of this host are read instead, once.
 */
final class ChildLookup {
  private static final int MOST_THREADS = 512;

  private int threadsLeft = MOST_THREADS;
  private @Nullable Map<Integer, List<Integer>> byParent;

  /**
   * The children of a process; some that it makes during the walk may be missing.
   *
   * @param threads how many it has
   */
  List<Integer> of(int pid, int threads) {
    if (byParent == null) {
      if (threads <= threadsLeft) {
        threadsLeft -= threads;
        return ProcFs.children(pid);
      }
      byParent = allByParent();
    }
    return byParent.getOrDefault(pid, List.of());
  }

  private static Map<Integer, List<Integer>> allByParent() {
    Map<Integer, List<Integer>> byParent = new HashMap<>();
    for (int pid : ProcFs.all()) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat != null) {
        byParent.computeIfAbsent(stat.parent(), parent -> new ArrayList<>()).add(pid);
      }
    }
    return byParent;
  }
}
