package io.errand.exec;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of a command.
 *
 * @param cause why it ended
 * @param exitCode 0 to 255, or null
 * @param signal a name such as {@code SIGKILL}, or null; never beside an exit code
 * @param detail one line for people, or null
 * @param usage null where it never started
 * @param signalsSent what we sent to its tree, in order
 * @param treeEmpty whether nothing of it ran any more when this was written
 * @param stdout what is kept of it
 * @param stderr what is kept of it
 */
public record CommandResult(
    EndCause cause,
    @Nullable Integer exitCode,
    @Nullable String signal,
    @Nullable String detail,
    @Nullable Usage usage,
    List<SignalSent> signalsSent,
    boolean treeEmpty,
    CapturedOutput stdout,
    CapturedOutput stderr) {

  /** A command that never started. */
  static CommandResult notStarted(EndCause cause, String detail) {
    return new CommandResult(
        cause, null, null, detail, null, List.of(), true, CapturedOutput.NONE, CapturedOutput.NONE);
  }

  /**
   * A signal that we sent.
   *
   * @param signal its name
   * @param processes how many processes it reached
   */
  public record SignalSent(String signal, int processes) {
    /** Those that were sent to any process. */
    static List<SignalSent> list(int terminated, int killed) {
      List<SignalSent> sent = new ArrayList<>(0);
      if (terminated > 0) {
        sent.add(new SignalSent("SIGTERM", terminated));
      }
      if (killed > 0) {
        sent.add(new SignalSent("SIGKILL", killed));
      }
      return sent;
    }
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
