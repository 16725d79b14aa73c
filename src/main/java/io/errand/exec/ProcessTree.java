package io.errand.exec;

import com.sun.jna.Memory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The processes that a command has started, wherever they hid.
 *
 * <p>This process is a child subreaper ({@code prctl(2)}), so whoever loses its parent becomes our
 * child, in the list of our first thread. From there and from the command's first process the tree
 * is walked downwards. An orphan belongs to a command if it is in its session or group, or carries
 * its cookie.
 */
final class ProcessTree {
  private static final int MOST_SHOWN = 1_000;
  private static final String SANDBOX = "bwrap";

  private final int leader;
  private final String cookie;
  private final Map<Integer, Long> known = new HashMap<>(); // members ever seen, with their start
  private final boolean sandboxed;
  private final Memory scratch;
  private Duration cpuUser = Duration.ZERO;
  private Duration cpuSystem = Duration.ZERO;
  private boolean leaderReaped;
  private volatile List<Integer> lastSampled = List.of(); // read by the disk watch

  /**
   * A tree.
   *
   * @param leader the command's first process, which leads its session and group
   * @param cookie marks the environment of every process in it
   * @param sandboxed whether its first processes are those of a sandbox
   * @param scratch memory of the loop's thread
   */
  ProcessTree(int leader, String cookie, boolean sandboxed, Memory scratch) {
    this.leader = leader;
    this.cookie = cookie;
    this.sandboxed = sandboxed;
    this.scratch = scratch;
  }

  /** The leader's exit has been read; its pid may soon be another's. */
  void leaderReaped() {
    leaderReaped = true;
  }

  /** Whether nothing of it runs any more. Dead orphans are reaped on the way. */
  boolean isEmpty() {
    // Two calls to the kernel for the usual case, a command that left nothing behind. The orphans
    // first: those that are dead are reaped there, and until then the group still exists.
    return leaderReaped && orphans().isEmpty() && !groupExists();
  }

  /** Its processes that run, parents before children. Who is seen here once is known for good. */
  Set<Integer> members() {
    Set<Integer> members = new LinkedHashSet<>();
    Set<Integer> seen = new HashSet<>();
    Deque<Integer> open = new ArrayDeque<>(orphans());
    if (!leaderReaped) {
      open.addFirst(leader);
    }
    while (!open.isEmpty()) {
      int pid = open.removeFirst();
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat != null && seen.add(pid)) {
        open.addAll(ProcFs.children(pid));
        if (stat.isAlive()) {
          members.add(pid);
          known.put(pid, stat.started());
        }
      }
    }
    return members;
  }

  /**
   * Sends a signal to all of it.
   *
   * @return the processes that it was sent to
   */
  Set<Integer> signal(int signal) {
    Set<Integer> members = members();
    if (sandboxed && signal != LibC.SIGKILL) {
      // The sandbox's own processes would take the command with them, and no grace were left.
      members.removeIf(pid -> SANDBOX.equals(ProcFs.name(pid)));
      members.forEach(pid -> LibC.kill(pid, signal));
      return members;
    }
    // The group first and at once, so that none of it can fork between two of our calls.
    if (!leaderReaped || groupExists()) {
      LibC.kill(-leader, signal);
    }
    for (int pid : members) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat != null && stat.group() != leader && stat.isAlive()) {
        LibC.kill(pid, signal);
      }
    }
    return members;
  }

  /** User CPU of the orphans that were reaped. */
  Duration orphansCpuUser() {
    return cpuUser;
  }

  /** System CPU of the orphans that were reaped. */
  Duration orphansCpuSystem() {
    return cpuSystem;
  }

  /** The largest resident size of one of its processes, or of all together now, in bytes. */
  long memoryBytes() {
    long largest = 0;
    long sum = 0;
    Set<Integer> members = members();
    lastSampled = List.copyOf(members);
    for (int pid : members) {
      largest = Math.max(largest, ProcFs.statusBytes(pid, "VmHWM"));
      sum += ProcFs.statusBytes(pid, "VmRSS");
    }
    return Math.max(largest, sum);
  }

  /** Who was in it when its memory was last added up. From any thread. */
  List<Integer> lastSampled() {
    return lastSampled;
  }

  /** What is known of each member, the zombies among them left out. */
  List<ProcessInfo> processes() {
    List<ProcessInfo> processes = new ArrayList<>();
    for (int pid : members()) {
      ProcessInfo info = ProcFs.info(pid);
      if (info != null && processes.size() < MOST_SHOWN) {
        processes.add(info);
      }
    }
    return processes;
  }

  private boolean groupExists() {
    return LibC.kill(-leader, 0) == 0;
  }

  private List<Integer> orphans() {
    List<Integer> ours = new ArrayList<>();
    for (int pid : ProcFs.childrenOfFirstThread(LibC.getpid())) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat == null || pid == leader) {
        continue;
      }
      boolean inside =
          stat.group() == leader
              || stat.session() == leader
              || Long.valueOf(stat.started()).equals(known.get(pid));
      if (!stat.isAlive()) {
        if (inside) {
          reap(pid);
        }
      } else if (inside || cookie.equals(ProcFs.variable(pid, CommandSpec.COOKIE_VARIABLE))) {
        ours.add(pid);
        known.put(pid, stat.started());
      }
    }
    return ours;
  }

  private void reap(int pid) {
    ExitStatus status = ExitStatus.reap(pid, scratch);
    if (status != null) {
      cpuUser = cpuUser.plus(status.cpuUser());
      cpuSystem = cpuSystem.plus(status.cpuSystem());
    }
  }
}
