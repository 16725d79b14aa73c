package io.errand.exec;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The processes that this process has become the parent of without having started them. The kernel
 * puts those that lose their parent to the children of the first thread, as this process is a child
 * subreaper. What a command starts with {@code CLONE_PARENT} ({@code clone(2)}) is put to the
 * children of the thread that started the command. Safe from any thread.
 */
final class Orphans {
  private final Set<Integer> spawningThreads = ConcurrentHashMap.newKeySet();
  private final Set<Integer> started = ConcurrentHashMap.newKeySet();
  private final Set<Integer> held = ConcurrentHashMap.newKeySet();
  private final SampleTurns turns = new SampleTurns();

  /** What the trees of all commands share; for the loop's thread. */
  SampleTurns turns() {
    return turns;
  }

  /** The calling thread is going to start commands; it is not to start anything else. */
  void addSpawningThread() {
    spawningThreads.add((int) LibC.syscall(LibC.SYS_GETTID, 0, 0));
  }

  /** A command's first process or the guardian, which is no orphan. */
  void started(int pid) {
    started.add(pid);
  }

  /** The number of such a process is free again. */
  void reaped(int pid) {
    started.remove(pid);
  }

  /** A command's first process is a zombie that cannot be reaped as long as somebody traces it. */
  void held(int pid) {
    held.add(pid);
  }

  /** Reaps those that their tracers have let go; returns whether there are others. */
  boolean reapHeld() {
    for (int pid : held) {
      if (LibC.wait4(pid, null, LibC.WNOHANG, null) != 0) {
        held.remove(pid);
        reaped(pid);
      }
    }
    return !held.isEmpty();
  }

  /**
   * Those of the first thread: all but what was started with {@code CLONE_PARENT}. For a command
   * that has just ended; whatever else it left is found by {@link OrphanReaper} within a second.
   */
  List<Integer> ofFirstThread() {
    return ProcFs.childrenOfThread(LibC.getpid());
  }

  /**
   * All of them, zombies among them. Between a start and {@link #started} a first process is one.
   */
  List<Integer> all() {
    List<Integer> orphans = new ArrayList<>(ofFirstThread());
    for (int thread : spawningThreads) {
      orphans.addAll(ProcFs.childrenOfThread(thread));
    }
    orphans.removeAll(started);
    return orphans;
  }
}
