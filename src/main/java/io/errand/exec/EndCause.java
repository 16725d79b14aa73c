package io.errand.exec;

/** Why a command ended. */
public enum EndCause {
  /** By itself: it exited, or a signal that is not ours ended it. */
  ITSELF,
  /** We ended it, its time was up. */
  TIMEOUT,
  /** We ended it, it used more memory than it may. */
  OUT_OF_MEMORY,
  /** We ended it, its private directory held more than it may. */
  OUT_OF_DISK,
  /** We ended it, somebody asked for that. */
  CANCELLED,
  /** We ended it, this worker stops. */
  RELEASED,
  /** We ended it, this worker is no longer believed to be alive. */
  LEASE_LOST,
  /** It could not be started, and would not elsewhere. */
  NOT_STARTABLE,
  /** It could not be started for want of something here. */
  NO_RESOURCES
}
