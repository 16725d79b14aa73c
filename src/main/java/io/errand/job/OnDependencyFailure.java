package io.errand.job;

import java.util.Locale;

/** What follows for a job when one of the jobs that it waits for fails or is cancelled. */
public enum OnDependencyFailure {
  /** It is cancelled, with the reason {@code dependency_failed}. */
  CANCEL,
  /** It runs once all of them have finished, however they ended. */
  RUN;

  /** The name on the wire and in the database. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
