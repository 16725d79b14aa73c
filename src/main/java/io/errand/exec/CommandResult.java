package io.errand.exec;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What became of a command.
 *
 * @param cause why it ended
 * @param exitCode 0 to 255, or null
 * @param signal a name such as {@code SIGKILL}, or null; never beside an exit code
 * @param detail one line for people, or null
 * @param usage null where it never started
 * @param stdout what is kept of it
 * @param stderr what is kept of it
 */
public record CommandResult(
    EndCause cause,
    @Nullable Integer exitCode,
    @Nullable String signal,
    @Nullable String detail,
    @Nullable Usage usage,
    CapturedOutput stdout,
    CapturedOutput stderr) {

  /** A command that never started. */
  static CommandResult notStarted(EndCause cause, String detail) {
    return new CommandResult(
        cause, null, null, detail, null, CapturedOutput.NONE, CapturedOutput.NONE);
  }

  /** Whether it ever ran. */
  public boolean started() {
    return usage != null;
  }

  /**
   * What a command used.
   *
   * @param wall from its start to its end, by a monotonic clock
   * @param cpuUser of the command and the children that it waited for
   * @param cpuSystem of the command and the children that it waited for
   * @param memoryPeakBytes peak resident memory of one process of it, or null where it ended before
   *     that could be read
   */
  public record Usage(
      Duration wall, Duration cpuUser, Duration cpuSystem, @Nullable Long memoryPeakBytes) {}
}
