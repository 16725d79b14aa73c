package io.errand.exec;

import java.time.Duration;

/** A command that has been handed to a {@link Launcher}. */
public interface RunningCommand {
  /**
   * Ends the command and everything that it started: SIGTERM, the grace, SIGKILL, until nothing is
   * left. The first cause stands; a shorter grace than the one that runs cuts that short. Does
   * nothing when the command has ended.
   *
   * @param cause why
   * @param grace between SIGTERM and SIGKILL; zero sends SIGKILL at once
   */
  void end(EndCause cause, Duration grace);

  /** Its processes now, parents before children; empty before it was started and after its end. */
  ProcessListing processes();

  /**
   * Lets somebody hear what it has printed so far, as far as kept, and what it prints from now on.
   * Somebody who hears it already hears the first part once more.
   */
  void addListener(OutputListener listener);

  /** The end of that. */
  void removeListener(OutputListener listener);
}
