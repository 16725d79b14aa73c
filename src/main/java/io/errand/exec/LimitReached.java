package io.errand.exec;

import io.errand.job.Limits;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Tells from the end of a command which limit of the kernel's has ended it. */
final class LimitReached {
  private static final int OF_A_SIGNAL = 128;
  private static final int SIGKILL = 9;
  private static final int SIGXCPU = 24;
  private static final int SIGXFSZ = 25;

  private LimitReached() {}

  /**
   * Which limit ended a command, in words, or null.
   *
   * @param cause why we ended it, or null
   * @param excess what was found to be too much
   * @param status of its first process
   * @param tree knows the time that its orphans used
   */
  static @Nullable String detail(
      @Nullable EndCause cause,
      @Nullable String excess,
      @Nullable ExitStatus status,
      ProcessTree tree,
      Limits limits) {
    if (cause == EndCause.OUT_OF_DISK || cause == EndCause.OUT_OF_MEMORY) {
      return excess;
    }
    Duration cpu = tree.orphansCpuUser().plus(tree.orphansCpuSystem());
    return cause == null && status != null ? words(status, cpu, limits) : null;
  }

  /**
   * One line for people, or null if no limit has ended it, as far as can be seen. A shell and the
   * sandbox report a signal as exit code 128 + n.
   *
   * @param status of the first process
   * @param others CPU time of those that it did not wait for
   */
  static @Nullable String words(ExitStatus status, Duration others, Limits limits) {
    Long cpu = limits.cpuSeconds();
    if (cpu != null) {
      Duration used = status.cpuUser().plus(status.cpuSystem()).plus(others);
      Duration limit = Duration.ofSeconds(cpu);
      // The kernel counts in ticks for this limit, so what it says of the use can be less.
      boolean told =
          Signals.name(SIGXCPU).equals(status.signal())
              || endedBy(status, SIGXCPU) && used.multipliedBy(2).compareTo(limit) >= 0;
      if (told || endedBy(status, SIGKILL) && used.compareTo(limit) >= 0) {
        return "the CPU time of limits.cpu_seconds (%d) is used up".formatted(cpu);
      }
    }
    Long fileSize = limits.fileSizeBytes();
    return fileSize != null && endedBy(status, SIGXFSZ)
        ? "a file would have become larger than limits.file_size_bytes (%d)".formatted(fileSize)
        : null;
  }

  static String memoryWords(long bytes, long limit) {
    return "its processes held %d bytes, more than limits.memory_bytes (%d)"
        .formatted(bytes, limit);
  }

  private static boolean endedBy(ExitStatus status, int signal) {
    Integer code = status.exitCode();
    return code == null
        ? Signals.name(signal).equals(status.signal())
        : code == OF_A_SIGNAL + signal;
  }
}
