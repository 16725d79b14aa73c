package io.errand.job;

import org.jspecify.annotations.Nullable;

/**
 * What a command may use; null is no limit of the job's own.
 *
 * @param memoryBytes resident memory of its whole tree, at least 1 MiB
 * @param cpuSeconds CPU time of one process, at least 1
 * @param processes how many its user may have, at least 1
 * @param fileSizeBytes how large a file it may write
 * @param openFiles descriptors of one process, at least 16
 * @param diskBytes what its private directory may hold, at least 1
 * @param diskFiles how many files and directories that may hold, at least 1
 * @param nice 0 to 19, higher yields to others
 */
public record Limits(
    @Nullable Long memoryBytes,
    @Nullable Long cpuSeconds,
    @Nullable Long processes,
    @Nullable Long fileSizeBytes,
    @Nullable Long openFiles,
    @Nullable Long diskBytes,
    @Nullable Long diskFiles,
    @Nullable Integer nice) {
  public static final Limits NONE = new Limits(null, null, null, null, null, null, null, null);

  /**
   * The stricter of this and the other, member by member. For the disk and {@code nice} the other
   * has only defaults: a member of this counts where there is one.
   */
  public Limits within(Limits other) {
    return new Limits(
        smaller(memoryBytes, other.memoryBytes),
        smaller(cpuSeconds, other.cpuSeconds),
        smaller(processes, other.processes),
        smaller(fileSizeBytes, other.fileSizeBytes),
        smaller(openFiles, other.openFiles),
        diskBytes == null ? other.diskBytes : diskBytes,
        diskFiles == null ? other.diskFiles : diskFiles,
        nice == null ? other.nice : nice);
  }

  /** The same without a limit of processes. */
  public Limits withoutProcesses() {
    return new Limits(
        memoryBytes, cpuSeconds, null, fileSizeBytes, openFiles, diskBytes, diskFiles, nice);
  }

  /** Which member asks for more than the other allows, in a sentence, or null. */
  public @Nullable String excessOver(Limits other) {
    String excess = excess("memory_bytes", memoryBytes, other.memoryBytes);
    excess = excess != null ? excess : excess("cpu_seconds", cpuSeconds, other.cpuSeconds);
    excess = excess != null ? excess : excess("processes", processes, other.processes);
    excess =
        excess != null ? excess : excess("file_size_bytes", fileSizeBytes, other.fileSizeBytes);
    return excess != null ? excess : excess("open_files", openFiles, other.openFiles);
  }

  private static @Nullable String excess(
      String name, @Nullable Long asked, @Nullable Long allowed) {
    return asked == null || allowed == null || asked <= allowed
        ? null
        : "limits." + name + " is " + asked + ", and this worker allows " + allowed;
  }

  private static @Nullable Long smaller(@Nullable Long one, @Nullable Long other) {
    if (one == null || other == null) {
      return one == null ? other : one;
    }
    return Math.min(one, other);
  }
}
