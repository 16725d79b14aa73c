package io.errand.exec;

import org.jspecify.annotations.Nullable;

/**
 * A command whose start sleeps: it looks at files that another command, or a file system, keeps.
 * Who ends such a command has it reported although the start goes on. Guarded by the lock of the
 * event loop.
 */
final class StartWait {
  private final CommandListener listener;
  private @Nullable Runnable abort;
  private volatile boolean answered;

  StartWait(CommandListener listener) {
    this.listener = listener;
  }

  /** Whether the command was reported without having started. From any thread. */
  boolean isAnswered() {
    return answered;
  }

  /**
   * It sleeps.
   *
   * @param ending ends the child that is just being started, if there is one
   */
  void sleeps(Runnable ending) {
    abort = ending;
  }

  /** Reports that it has not started, once, if its start sleeps; returns whether that is so now. */
  boolean answer(EndCause cause) {
    Runnable ending = abort;
    if (ending == null || answered) {
      return answered;
    }
    answered = true;
    ending.run();
    listener.onEnd(
        CommandResult.notStarted(
            cause,
            "it has not started: its program, or a directory on the way to it, is kept locked by"
                + " another process or by a file system that does not answer"));
    return true;
  }
}
