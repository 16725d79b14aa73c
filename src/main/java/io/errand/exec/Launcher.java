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

  /** Ends what still runs, at once, and frees the launcher. */
  @Override
  void close();
}
