package io.errand.exec;

import io.errand.job.Limits;
import org.jspecify.annotations.Nullable;

/**
 * What is measured of a running command, and ends it where it is too much. With the loop's lock.
 */
final class CommandMeasures {
  private final MemorySamples memory;
  private final DiskWatch.@Nullable Watched disk;

  private CommandMeasures(MemorySamples memory, DiskWatch.@Nullable Watched disk) {
    this.memory = memory;
    this.disk = disk;
  }

  /** Begins for a command that has just started. */
  static CommandMeasures begin(
      LinuxLauncher launcher, LinuxCommand command, ProcessTree tree, long startedNanos) {
    Limits limits = command.spec().confinement().limits();
    MemorySamples memory =
        new MemorySamples(
            launcher,
            tree,
            startedNanos,
            limits.memoryBytes(),
            found -> command.endFor(EndCause.OUT_OF_MEMORY, found));
    boolean disk = limits.diskBytes() != null || limits.diskFiles() != null;
    return new CommandMeasures(
        memory,
        disk
            ? launcher.watchDisk(
                command,
                tree::lastSampled,
                found -> launcher.loop().execute(() -> command.endFor(EndCause.OUT_OF_DISK, found)))
            : null);
  }

  void stop() {
    memory.stop();
    if (disk != null) {
      disk.close();
    }
  }

  @Nullable Long peak(@Nullable ExitStatus status) {
    return memory.peak(status);
  }
}
