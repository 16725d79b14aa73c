package io.errand.exec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A server as its guardian or its successor sees it. A server that was killed stays a process as
 * long as one of its threads sleeps in a call that a command has made sleep. All that time its
 * pipes and locks stay open and its children stay its own. So these are ended, also those that
 * cannot be recognized as parts of a command.
 */
public final class DeadServer {
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long PAUSE_MILLIS = 25;
  private static final int MOST_ROUNDS = 200;
  private static final int QUIET_ROUNDS = 2;

  private final int pid;
  private final long started;
  private final Set<Integer> spared;
  private long lookedNanos = System.nanoTime();

  private DeadServer(int pid, long started, Set<Integer> spared) {
    this.pid = pid;
    this.started = started;
    this.spared = spared;
  }

  /**
   * The parent of this process.
   *
   * @param arguments the pids of those of its children that are no commands, from the second on
   */
  static DeadServer ofParent(String... arguments) {
    Set<Integer> spared = new HashSet<>();
    for (int i = 1; i < arguments.length; i++) {
      spared.add(Integer.parseInt(arguments[i]));
    }
    int self = LibC.getpid();
    spared.add(self);
    ProcFs.Stat own = ProcFs.stat(self);
    int parent = own == null ? 0 : own.parent();
    ProcFs.Stat stat = ProcFs.stat(parent);
    return new DeadServer(parent, stat == null ? -1 : stat.started(), spared);
  }

  /**
   * Ends what keeps a killed server from exiting, if its guardian was killed too.
   *
   * @param home whose lock another process has
   * @return whether that process was such a server and has exited
   */
  public static boolean finish(Path home) throws InterruptedException {
    int pid = firstNumber(home.resolve("lock"));
    ProcFs.Stat stat = pid <= 0 ? null : ProcFs.stat(pid);
    if (stat == null || !isDead(stat) || !stat.isAlive()) {
      return false;
    }
    int postmaster = firstNumber(home.resolve("data").resolve("postmaster.pid"));
    DeadServer server = new DeadServer(pid, stat.started(), Set.of(postmaster));
    server.killChildren();
    for (int round = 0; round < MOST_ROUNDS; round++) {
      ProcFs.Stat now = ProcFs.stat(pid);
      if (now == null || now.started() != stat.started() || !now.isAlive()) {
        return true;
      }
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }
    return false;
  }

  private static int firstNumber(Path file) {
    try {
      return Integer.parseInt(Files.readAllLines(file).get(0).trim());
    } catch (IOException | RuntimeException e) {
      return -1; // there is none
    }
  }

  /** Whether it was killed, looked at twice a second. */
  boolean hasEnded() {
    long now = System.nanoTime();
    if (now - lookedNanos < LOOK_NANOS) {
      return false;
    }
    lookedNanos = now;
    ProcFs.Stat stat = ProcFs.stat(pid);
    return stat == null || stat.started() != started || isDead(stat);
  }

  /** Its first thread never ends by itself. */
  private static boolean isDead(ProcFs.Stat stat) {
    return stat.state() == 'Z' || stat.state() == 'X';
  }

  /**
   * Kills the children of a server that has ended, if it still has any, for at most five seconds.
   *
   * @return how many processes were killed
   */
  int killChildren() throws InterruptedException {
    Set<Integer> killed = new HashSet<>();
    int quiet = 0;
    for (int round = 0; round < MOST_ROUNDS && quiet < QUIET_ROUNDS; round++) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat == null || stat.started() != started || !isDead(stat)) {
        return killed.size();
      }
      List<Integer> found = children();
      found.forEach(child -> LibC.kill(child, LibC.SIGSTOP));
      found.forEach(child -> LibC.kill(child, LibC.SIGKILL));
      killed.addAll(found);
      quiet = found.isEmpty() ? quiet + 1 : 0;
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }
    return killed.size();
  }

  private List<Integer> children() {
    List<Integer> children = new ArrayList<>();
    for (int child : ProcFs.all()) {
      ProcFs.Stat stat = ProcFs.stat(child);
      if (stat != null && stat.parent() == pid && stat.isAlive() && !spared.contains(child)) {
        children.add(child);
      }
    }
    return children;
  }
}
