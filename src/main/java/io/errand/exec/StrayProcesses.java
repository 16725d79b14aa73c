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

/**
 * Finds and ends the processes of commands whose server is dead or frozen, by what {@code /proc}
 * says of every process on the host: its session or group is that of a command, its environment
 * carries a command's cookie, or it is in a sandbox with the private directory of a command.
 *
 * <p>It is used by the guardian and by the start of a server, both of which are nobody's parent.
 */
final class StrayProcesses {
  private static final int MOST_ROUNDS = 200;
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
   * Kills until a look finds nothing any more, for at most five seconds.
   *
   * @param temporaryRoot where the private directories of all commands are; every sandbox that
   *     shows one of them is that of a command
   * @param cookies of the commands
   * @param leaders pids of their first processes, as far as known
   * @return how many processes were killed
   */
  static int killAll(Path temporaryRoot, Set<String> cookies, Set<Integer> leaders)
      throws InterruptedException {
    SandboxMounts sandboxes = SandboxMounts.below(temporaryRoot);
    Set<Integer> killed = new HashSet<>();
    if (cookies.isEmpty() && leaders.isEmpty()) {
      return 0;
    }
    int quiet = 0;
    for (int round = 0; round < MOST_ROUNDS; round++) {
      // Nobody may fork and vanish between the look and the kill: all stand still first.
      Set<Integer> found = new LinkedHashSet<>();
      for (int look = 0;
          look < MOST_LOOKS && found.addAll(find(sandboxes, cookies, leaders));
          look++) {
        found.forEach(pid -> LibC.kill(pid, LibC.SIGSTOP));
      }
      if (found.isEmpty()) {
        if (++quiet == QUIET_ROUNDS) {
          return killed.size();
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
    alive.forEach(
        (pid, stat) -> {
          if (sessions.contains(stat.session()) || sessions.contains(stat.group())) {
            found.add(pid);
          }
        });
    addDescendants(found, alive);
    return new ArrayList<>(found);
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
