package io.errand.exec;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Finds and ends the processes of commands whose server is dead or frozen, by what {@code /proc}
 * says of every process on the host: its session or group is that of a command, its environment
 * carries a command's cookie, or it is in a sandbox with the private directory of a command.
 *
 * <p>It is used by the guardian and by the start of a server, both of which are nobody's parent.
 */
final class StrayProcesses {
  private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int MOST_LOOKS = 20;
  private static final int QUIET_ROUNDS = 2;
  private static final long PAUSE_MILLIS = 25;

  private StrayProcesses() {}

  /** The cookies of the commands that have a private temporary directory here. */
  static Set<String> cookiesIn(Path temporaryRoot) {
    Set<String> cookies = new HashSet<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(temporaryRoot)) {
      for (Path folder : folders) {
        cookies.add(String.valueOf(folder.getFileName()));
      }
    } catch (IOException | DirectoryIteratorException e) {
      return cookies; // there is none yet
    }
    return cookies;
  }

  /**
   * Kills until a look finds nothing any more, for at most five seconds and the rest of a look.
   *
   * @param sandboxes tells those of the commands
   * @param cookies of the commands
   * @param leaders pids of their first processes, as far as known
   * @return how many processes were killed
   */
  static int killAll(SandboxMounts sandboxes, Set<String> cookies, Set<Integer> leaders)
      throws InterruptedException {
    return killAll(sandboxes, cookies, leaders, System.nanoTime() + MOST_NANOS);
  }

  /** The same until this time. */
  static int killAll(
      SandboxMounts sandboxes, Set<String> cookies, Set<Integer> leaders, long endNanos)
      throws InterruptedException {
    if (cookies.isEmpty() && leaders.isEmpty()) {
      return 0;
    }
    return killUntil(endNanos, () -> find(sandboxes, cookies, leaders), true);
  }

  /** The same for their sessions, groups and descendants only, so that no process is waited for. */
  static int killSessions(Set<Integer> leaders, long endNanos) throws InterruptedException {
    return leaders.isEmpty() ? 0 : killUntil(endNanos, () -> findSessions(leaders), false);
  }

  private static int killUntil(long end, Supplier<List<Integer>> look, boolean readsCookies)
      throws InterruptedException {
    Set<Integer> killed = new HashSet<>();
    int quiet = 0;
    while (System.nanoTime() - end < 0) {
      // Nobody may fork and vanish between the look and the kill: all stand still first.
      Set<Integer> found = new LinkedHashSet<>();
      for (int round = 0;
          round < MOST_LOOKS && System.nanoTime() - end < 0 && found.addAll(look.get());
          round++) {
        found.forEach(pid -> LibC.kill(pid, LibC.SIGSTOP));
      }
      if (found.isEmpty()) {
        boolean mayFindMore = readsCookies && CookieReader.isReading();
        if (!mayFindMore && ++quiet == QUIET_ROUNDS) {
          return killed.size();
        }
        if (mayFindMore) {
          TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        }
        continue;
      }
      quiet = 0;
      found.forEach(pid -> LibC.kill(pid, LibC.SIGKILL));
      if (!killed.addAll(found)) {
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS); // they are about to end
      }
    }
    return killed.size();
  }

  private static List<Integer> findSessions(Set<Integer> leaders) {
    Map<Integer, ProcFs.Stat> alive = new HashMap<>();
    for (int pid : ProcFs.all()) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat != null && stat.isAlive()) {
        alive.put(pid, stat);
      }
    }
    Set<Integer> found = new LinkedHashSet<>();
    addSessions(found, alive, leaders);
    addDescendants(found, alive);
    return new ArrayList<>(found);
  }

  private static List<Integer> find(
      SandboxMounts sandboxes, Set<String> cookies, Set<Integer> leaders) {
    Map<Integer, ProcFs.Stat> alive = new HashMap<>();
    Set<Integer> sessions = new HashSet<>(leaders);
    Set<Integer> found = new LinkedHashSet<>();
    for (int pid : ProcFs.all()) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat == null || !stat.isAlive()) {
        continue;
      }
      alive.put(pid, stat);
      String cookie = CookieReader.cookie(pid);
      if (cookie != null && cookies.contains(cookie)) {
        LibC.kill(pid, LibC.SIGSTOP); // before it can leave a successor and end
        found.add(pid);
        sessions.add(stat.session()); // a command's own: it was started as the leader of one
      } else if (sandboxes.has(pid)) { // a process in it can clear all else that tells
        LibC.kill(pid, LibC.SIGSTOP);
        found.add(pid);
      }
    }
    // Who scrubbed its environment but stayed in the session is found by that.
    addSessions(found, alive, sessions);
    addDescendants(found, alive);
    return new ArrayList<>(found);
  }

  private static void addSessions(
      Set<Integer> found, Map<Integer, ProcFs.Stat> alive, Set<Integer> sessions) {
    alive.forEach(
        (pid, stat) -> {
          if (sessions.contains(stat.session()) || sessions.contains(stat.group())) {
            found.add(pid);
          }
        });
  }

  /**
   * Whoever scrubbed its environment and left the session still has a parent, before that is
   * killed.
   */
  private static void addDescendants(Set<Integer> found, Map<Integer, ProcFs.Stat> alive) {
    boolean grown = true;
    while (grown) {
      grown = false;
      for (Map.Entry<Integer, ProcFs.Stat> entry : alive.entrySet()) {
        if (found.contains(entry.getValue().parent())) {
          grown |= found.add(entry.getKey());
        }
      }
    }
  }
}
