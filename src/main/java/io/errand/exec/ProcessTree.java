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
import org.jspecify.annotations.Nullable;

/**
 * The processes that a command has started, wherever they hid.
 *
 * <p>This process is a child subreaper ({@code prctl(2)}), so whoever loses its parent becomes our
 * child, in the list of our first thread. From there and from the command's first process the tree
 * is walked downwards. An orphan belongs to a command if it is in its session or group, or carries
 * its cookie and runs as its account or as root: others may have copied the cookie. In a sandbox
 * the private directory tells instead, see {@link SandboxMounts}.
 */
final class ProcessTree {
  private static final int MOST_ROUNDS = 20;
  private static final String SANDBOX = "bwrap";

  private final int leader;
  private final String cookie;
  private final Map<Integer, Long> known = new HashMap<>(); // members ever seen, with their start
  private final boolean sandboxed;
  private final SandboxMounts mounts;
  private final int uid;
  private final Orphans orphans;
  private final Memory scratch;
  private Duration cpuUser = Duration.ZERO;
  private Duration cpuSystem = Duration.ZERO;
  private boolean leaderEnded;
  private boolean leaderReaped;
  private boolean leaderHeld; // nothing else is left of it, but a tracer keeps it from being reaped
  private boolean gone;
  private boolean freshZombies;
  private long sampledBytes;
  private long nextSampleNanos = System.nanoTime();
  private final Set<Integer> zombies = new HashSet<>(0);
  private volatile List<Integer> lastSampled = List.of(); // read by the disk watch

  /**
   * A tree.
   *
   * @param leader the command's first process, which leads its session and group
   * @param cookie marks the environment of every process in it
   * @param sandboxed whether its first processes are those of a sandbox
   * @param uid of the account that it runs as
   * @param orphans of this process
   * @param scratch memory that the loop's lock guards
   */
  ProcessTree(
      int leader, String cookie, boolean sandboxed, int uid, Orphans orphans, Memory scratch) {
    this.leader = leader;
    this.cookie = cookie;
    this.sandboxed = sandboxed;
    this.mounts = SandboxMounts.of(cookie);
    this.uid = uid;
    this.orphans = orphans;
    this.scratch = scratch;
  }

  /**
   * The leader has ended. It stays a zombie until nothing else of the tree is found, so that its
   * number, which is also that of its group, cannot become another's meanwhile.
   */
  void leaderEnded() {
    leaderEnded = true;
  }

  /** Whether nothing of it runs any more. Dead orphans are reaped on the way. */
  boolean isEmpty() {
    // Two calls to the kernel for the usual case, a command that left nothing behind. The orphans
    // first: those that are dead are reaped there, and until then the group still exists.
    if (gone || !leaderEnded || !orphansTwice().isEmpty()) {
      return gone;
    }
    if (!leaderReaped && LibC.wait4(leader, null, LibC.WNOHANG, null) != 0) {
      leaderReaped = true;
      orphans.reaped(leader);
    }
    leaderHeld = !leaderReaped;
    // From here on its number may be another's, and is not asked about again.
    gone = !groupExists() || onlyZombiesInGroup();
    if (gone && leaderHeld) {
      orphans.held(leader);
    }
    return gone;
  }

  /**
   * Whether nobody of the group runs: what is left are zombies that a tracer, or a parent that
   * hides itself, has not waited for. Looked at twice, as a look may miss who is just being
   * started.
   */
  private boolean onlyZombiesInGroup() {
    return orphansTwice().isEmpty() && leftOfGroup().isEmpty() && leftOfGroup().isEmpty();
  }

  /**
   * Kills all of it that is found. First everybody stands still, in rounds without a pause until a
   * round finds nobody new: a parent that is killed before its children are seen hides them.
   *
   * @return the processes that were killed
   */
  Set<Integer> kill() {
    zombies.clear();
    Set<Integer> found = new LinkedHashSet<>();
    if (!leaderReaped) {
      LibC.kill(-leader, LibC.SIGSTOP);
    }
    boolean fresh = true;
    for (int round = 0; round < MOST_ROUNDS && (fresh || freshZombies); round++) {
      fresh = false;
      for (int pid : members(true)) {
        if (found.add(pid)) {
          fresh = true;
          LibC.kill(pid, LibC.SIGSTOP);
        }
      }
    }
    if (!leaderReaped) {
      LibC.kill(-leader, LibC.SIGKILL);
    }
    found.forEach(pid -> LibC.kill(pid, LibC.SIGKILL));
    return found;
  }

  /**
   * Kills what of its account keeps killed processes of it from ending, by tracing them: the kernel
   * stops them once more at their end if the tracer has asked for that ({@code
   * PTRACE_O_TRACEEXIT}).
   */
  void killTracers() {
    for (int pid : members()) {
      for (int tracer : ProcFs.tracers(pid)) {
        if (ProcFs.realUid(tracer) == uid) {
          LibC.kill(tracer, LibC.SIGKILL);
        }
      }
    }
  }

  /** Its processes that run, parents before children. Who is seen here once is known for good. */
  Set<Integer> members() {
    return members(false);
  }

  private Set<Integer> members(boolean stopping) {
    Set<Integer> members = new LinkedHashSet<>();
    Set<Integer> seen = new HashSet<>();
    ChildLookup children = new ChildLookup();
    Deque<Integer> open = new ArrayDeque<>(orphans(orphans.all(), stopping));
    open.addAll(leftOfGroup());
    if (!leaderEnded) {
      open.addFirst(leader);
    }
    while (!open.isEmpty()) {
      int pid = open.removeFirst();
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat != null && seen.add(pid)) {
        open.addAll(children.of(pid, stat.threads()));
        if (stat.isAlive()) {
          members.add(pid);
          known.put(pid, stat.started());
        }
      }
    }
    return members;
  }

  /**
   * Sends a signal that asks it to end to all of it.
   *
   * @return the processes that it was sent to
   */
  Set<Integer> signal(int signal) {
    Set<Integer> members = members();
    if (sandboxed) {
      // The sandbox's own processes would take the command with them, and no grace were left.
      members.removeIf(pid -> SANDBOX.equals(ProcFs.name(pid)));
      members.forEach(pid -> LibC.kill(pid, signal));
      return members;
    }
    // The group first and at once, so that none of it can fork between two of our calls.
    if (!leaderReaped) {
      LibC.kill(-leader, signal);
    }
    for (int pid : members) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat != null && (leaderReaped || stat.group() != leader) && stat.isAlive()) {
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

  /**
   * The largest resident size of one of its processes, or what all take now, in bytes. Where a look
   * takes long, what the last one found.
   */
  long memoryBytes() {
    long begun = System.nanoTime();
    if (begun - nextSampleNanos < 0) {
      return sampledBytes;
    }
    long largest = 0;
    long sum = 0;
    Set<Integer> members = members();
    lastSampled = List.copyOf(members);
    for (int pid : members) {
      ProcFs.MemoryUse use = ProcFs.memoryUse(pid);
      largest = Math.max(largest, use.residentPeak());
      sum += use.now();
    }
    sampledBytes = Math.max(largest, sum);
    nextSampleNanos = orphans.turns().after(begun, System.nanoTime());
    return sampledBytes;
  }

  /** Who was in it when its memory was last added up. From any thread. */
  List<Integer> lastSampled() {
    return lastSampled;
  }

  private boolean groupExists() {
    return LibC.kill(-leader, 0) == 0;
  }

  /** Who died during a look may have left a child behind that the look did not see. */
  private List<Integer> orphansTwice() {
    zombies.clear();
    List<Integer> ours = orphans(orphans.ofFirstThread(), false);
    for (int round = 0; round < MOST_ROUNDS && freshZombies && ours.isEmpty(); round++) {
      ours = orphans(orphans.ofFirstThread(), false);
    }
    return ours;
  }

  /**
   * Who is left of the group of a leader that had to be reaped before, or that a tracer keeps:
   * hidden by a parent that hides itself. After a reaped one, a process that has the leader's
   * number means that the number is another's.
   */
  private List<Integer> leftOfGroup() {
    List<Integer> left = new ArrayList<>();
    boolean isOurs = leaderHeld || leaderReaped && ProcFs.stat(leader) == null;
    if (isOurs && !gone && groupExists()) {
      for (int pid : ProcFs.all()) {
        ProcFs.Stat stat = ProcFs.stat(pid);
        if (stat != null && stat.isAlive() && stat.group() == leader) {
          left.add(pid);
        }
      }
    }
    return left;
  }

  /**
   * The orphans of this tree.
   *
   * @param candidates orphans of any
   * @param stopping whether they are stopped as they are found, so that none leaves a successor
   */
  private List<Integer> orphans(List<Integer> candidates, boolean stopping) {
    List<Integer> ours = new ArrayList<>();
    freshZombies = false;
    for (int pid : candidates) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat == null || pid == leader) {
        continue;
      }
      boolean inside =
          stat.group() == leader
              || stat.session() == leader
              || Long.valueOf(stat.started()).equals(known.get(pid));
      if (!stat.isAlive()) {
        freshZombies |= zombies.add(pid);
        if (inside) {
          reap(pid);
        }
      } else if (inside || isMarked(pid, CookieReader.cookie(pid))) {
        ours.add(pid);
        known.put(pid, stat.started());
        if (stopping) {
          LibC.kill(pid, LibC.SIGSTOP);
        }
      }
    }
    return ours;
  }

  /**
   * Whether a process carries the cookie of this tree by right, or is in its sandbox.
   *
   * @param found the cookie that it carries, or null; in a sandbox it counts for nothing
   */
  boolean isMarked(int pid, @Nullable String found) {
    if (sandboxed) {
      return mounts.has(pid);
    }
    if (!cookie.equals(found)) {
      return false;
    }
    int owner = ProcFs.realUid(pid);
    return owner == uid || owner == 0;
  }

  private void reap(int pid) {
    ExitStatus status = ExitStatus.reap(pid, scratch);
    if (status != null) {
      cpuUser = cpuUser.plus(status.cpuUser());
      cpuSystem = cpuSystem.plus(status.cpuSystem());
    }
  }
}
