package io.errand.exec;

/** Starts commands. */
public interface Launcher extends AutoCloseable {
  /**
   * Starts a command in the background.
   *
   * @param spec what to run
   * @param listener hears what becomes of it
   * @return a handle to end it early
   */
  RunningCommand launch(CommandSpec spec, CommandListener listener);

  /**
   * Says how long this process is known to be alive. If no later time follows, every command is
   * ended when that time comes, also if this process is frozen then.
   *
   * @param deadlineNanos of the host's monotonic clock, {@link System#nanoTime()}
   */
  void aliveUntil(long deadlineNanos);

  /**
   * Whether the kernel has kept this launcher waiting for seconds, so that no command can be
   * started, read or ended now.
   */
  boolean isHeldUp();

  /** Ends what still runs, at once, and frees the launcher. */
  @Override
  void close();
}
