package io.errand.job;

import java.util.Locale;

/**
 * How one attempt ended. The names are the {@code outcome} of an attempt and, often, the job's
 * reason.
 */
public enum Outcome {
  /** An exit code that the job counts as success. */
  SUCCESS,
  /** Any other exit code. */
  EXIT_CODE,
  /** Ended by a signal that Errand did not send. */
  SIGNAL,
  /** Ended by Errand after {@code timeout_seconds}. */
  TIMEOUT,
  /** Killed by its memory limit. */
  OUT_OF_MEMORY,
  /** Killed because its private directory passed a limit. */
  OUT_OF_DISK,
  /** Could not be started, and another worker could not either. */
  SPAWN_FAILED,
  /** Could not be started for want of something on the worker's side; costs no try. */
  WORKER_UNAVAILABLE,
  /** Its worker died or fell silent. */
  LOST,
  /** Its worker drained before it finished; costs no try. */
  RELEASED,
  /** Ended because a cancel was asked for. */
  CANCELLED;

  /** The name on the wire and in the database. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The outcome with this wire name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Outcome ofWireName(String name) {
    for (Outcome outcome : values()) {
      if (outcome.wireName().equals(name)) {
        return outcome;
      }
    }
    throw new IllegalArgumentException("No such outcome: " + name);
  }
}
