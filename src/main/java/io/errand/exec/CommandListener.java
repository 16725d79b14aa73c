package io.errand.exec;

/** Hears what becomes of a command. Called on threads of the launcher: be quick, never throw. */
public interface CommandListener {
  /** It has ended, or could not be started. Called just once. */
  void onEnd(CommandResult result);

  /**
   * Nothing of its process tree is left. Called just once and never before {@link #onEnd}; much
   * later only where something in the tree cannot be ended, and until then its place must not be
   * reused.
   */
  void onGone();
}
