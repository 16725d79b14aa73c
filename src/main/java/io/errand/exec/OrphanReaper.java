package io.errand.exec;

import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Looks once a second at the orphans that this process has become the parent of, and deals with
 * those that no command claims: a dead one is reaped, one that outlived its command is ended.
 *
 * <p>It never waits for any child, only for a pid that was a zombie at two looks in a row: a child
 * that the JDK started is reaped by the JDK long before.
 */
final class OrphanReaper {
  private static final int MOST_ROUNDS = 1_000;
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final EventLoop loop;
  private final Orphans orphans;
  private final Supplier<Set<LinuxCommand>> commands;
  private final Map<Integer, Set<LinuxCommand>> suspects = new HashMap<>();
  private Set<Integer> zombies = new HashSet<>();
  private boolean scheduled;

  OrphanReaper(EventLoop loop, Orphans orphans, Supplier<Set<LinuxCommand>> commands) {
    this.loop = loop;
    this.orphans = orphans;
    this.commands = commands;
  }

  /**
   * Whether a process has outlived its command. One that hides its cookie, or carries another's,
   * and left its session could be of any command that ran when it was first seen, so it may stay
   * until the last of these has ended.
   */
  private boolean outlived(
      int pid,
      ProcFs.Stat stat,
      Set<LinuxCommand> running,
      Set<Integer> leaders,
      Map<String, LinuxCommand> byCookie) {
    String cookie = CookieReader.cookie(pid);
    if (cookie != null) {
      LinuxCommand command = byCookie.get(cookie);
      if (command == null) {
        return true;
      }
      if (command.isMarked(pid, cookie)) {
        return false;
      }
    }
    if (leaders.contains(stat.session()) || leaders.contains(stat.group())) {
      return false;
    }
    Set<LinuxCommand> possible = suspects.computeIfAbsent(pid, key -> new HashSet<>(running));
    return Collections.disjoint(possible, running);
  }

  /** There may be orphans: look from now on, until there is nothing left to look at. */
  void arm() {
    if (!scheduled) {
      scheduled = true;
      loop.after(INTERVAL_NANOS, this::sweep);
    }
  }

  /** No command runs any more: whatever this process is still the parent of goes. */
  void endAll() {
    for (int round = 0; round < MOST_ROUNDS; round++) {
      List<Integer> left = orphans.all();
      if (left.isEmpty()) {
        return;
      }
      for (int pid : left) {
        LibC.kill(pid, LibC.SIGKILL);
        LibC.wait4(pid, null, LibC.WNOHANG, null);
      }
      Thread.yield();
    }
  }

  private void sweep() {
    scheduled = false;
    Set<LinuxCommand> running = commands.get();
    Set<Integer> leaders = new HashSet<>();
    Map<String, LinuxCommand> byCookie = new HashMap<>();
    for (LinuxCommand command : running) {
      leaders.add(command.pid());
      byCookie.put(command.spec().cookie(), command);
    }
    List<Integer> found = orphans.all();
    Set<Integer> nowZombies = new HashSet<>();
    for (int pid : found) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat == null || leaders.contains(pid)) {
        continue;
      }
      if (stat.isAlive()) {
        if (outlived(pid, stat, running, leaders, byCookie)) {
          LibC.kill(pid, LibC.SIGKILL);
        }
      } else if (zombies.contains(pid)) {
        LibC.wait4(pid, null, LibC.WNOHANG, null);
      } else {
        nowZombies.add(pid);
      }
    }
    zombies = nowZombies;
    suspects.keySet().retainAll(found);
    boolean held = orphans.reapHeld();
    if (!running.isEmpty() || !found.isEmpty() || held) {
      arm();
    }
  }
}
