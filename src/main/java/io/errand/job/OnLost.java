package io.errand.job;

import java.util.Locale;

/** What follows when a job's worker died or fell silent. */
public enum OnLost {
  /** Try again, if a try is left. */
  RETRY,
  /** Never run it twice. */
  FAIL,
  /** Let a person decide. */
  HOLD;

  /** The name on the wire and in the database. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
