package io.errand.exec;

import io.errand.exec.Spawner.Spawned;
import java.util.ArrayList;
import java.util.List;

/** The pipes of one spawn; closes what was not handed over. */
final class Pipes implements AutoCloseable {
  private final List<Integer> open = new ArrayList<>(6);
  int stdinRead = -1;
  private int stdinWrite = -1;
  private int stdoutRead = -1;
  int stdoutWrite = -1;
  private int stderrRead = -1;
  int stderrWrite = -1;

  /** Makes them; false leaves the reason with the C library. */
  boolean open(boolean withStdin, boolean withOutput) {
    int[] ends = new int[2];
    if (withStdin) {
      if (!pipe(ends, 1)) {
        return false;
      }
      stdinRead = ends[0];
      stdinWrite = ends[1];
    }
    if (!withOutput) {
      return true;
    }
    if (!pipe(ends, 0)) {
      return false;
    }
    stdoutRead = ends[0];
    stdoutWrite = ends[1];
    if (!pipe(ends, 0)) {
      return false;
    }
    stderrRead = ends[0];
    stderrWrite = ends[1];
    return true;
  }

  private boolean pipe(int[] ends, int ours) {
    if (LibC.pipe2(ends, LibC.O_CLOEXEC) != 0) {
      return false;
    }
    open.add(ends[0]);
    open.add(ends[1]);
    // Only our end: the command's own must block as usual.
    LibC.fcntl(ends[ours], LibC.F_SETFL, LibC.O_NONBLOCK);
    return true;
  }

  /** Our ends, which stay open. */
  Spawned handOver(int pid, int pidDescriptor, long started) {
    open.removeAll(List.of(stdinWrite, stdoutRead, stderrRead));
    return new Spawned.Started(pid, pidDescriptor, stdinWrite, stdoutRead, stderrRead, started);
  }

  @Override
  public void close() {
    open.forEach(LibC::close);
  }
}
