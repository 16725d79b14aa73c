package io.errand.exec;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The tables of descriptors of processes. The threads of a process share one, but each can take one
 * of its own ({@code unshare(2)} with {@code CLONE_FILES}). {@code kcmp(2)} tells which those are,
 * at the cost of a system call for a thread, so only a bounded number of threads is looked at,
 * those of a process with more of them from a place that is drawn anew each time.
 */
final class DescriptorTables {
  private static final int MOST_COMPARED = 16;
  private static final int DOTS = 2; // the first names of a directory

  private int threadsLeft;

  /**
   * For one look.
   *
   * @param mostThreads of all processes together
   */
  DescriptorTables(int mostThreads) {
    threadsLeft = mostThreads;
  }

  /** The directories of the tables of a process, that of most of its threads first. */
  List<String> of(int pid) {
    List<String> tables = new ArrayList<>();
    tables.add(ProcFs.shared(pid) + "/fd");
    ProcFs.Stat stat = ProcFs.stat(pid);
    if (stat != null && stat.threads() > 1 && threadsLeft > 0) {
      int most = threadsLeft;
      threadsLeft -= Math.min(most, stat.threads());
      for (int thread : CookieReader.ownTables(pid, () -> own(pid, stat.threads(), most))) {
        tables.add("/proc/" + pid + "/task/" + thread + "/fd");
      }
    }
    return tables;
  }

  /**
   * The threads whose table is neither that of the process nor one of those found before them.
   *
   * @param threads how many there are
   * @param most how many are looked at
   */
  private static List<Integer> own(int pid, int threads, int most) {
    List<Integer> tables = new ArrayList<>();
    String shared = String.valueOf(ProcFs.shared(pid).getFileName());
    tables.add(Integer.parseInt(shared));
    int first = 0;
    int end = threads;
    if (threads > most) { // each thread is as likely to be looked at as any other
      first = ThreadLocalRandom.current().nextInt(1 - most, threads);
      end = first + most;
      first = Math.max(0, first);
    }
    try (OpenDirectory tasks = OpenDirectory.of("/proc/" + pid + "/task")) {
      if (tasks == null) {
        return List.of(); // it went away meanwhile
      }
      if (first > 0) {
        tasks.goTo(DOTS + first);
      }
      for (int left = end - first; left > 0; left--) {
        Pointer name = tasks.next();
        if (name == null) {
          break;
        }
        int thread = Integer.parseInt(name.getString(0));
        if (!sharesOneOf(tables, thread)) {
          tables.add(thread);
        }
      }
    }
    return tables.subList(1, tables.size());
  }

  private static boolean sharesOneOf(List<Integer> tables, int thread) {
    for (int known : tables.subList(0, Math.min(MOST_COMPARED, tables.size()))) {
      long order = LibC.syscall(LibC.SYS_KCMP, known, thread, LibC.KCMP_FILES, 0, 0);
      if (order == 0 || known == thread || order < 0 && isGone(thread)) {
        return true;
      }
    }
    return false;
  }

  /** Where the kernel does not compare, each thread counts as one with a table of its own. */
  private static boolean isGone(int thread) {
    return Native.getLastError() == LibC.ESRCH && ProcFs.stat(thread) == null;
  }
}
