package io.errand.store.schedules;

import java.util.Locale;

/** Why a tick has no job. */
public enum Skipped {
  /** An earlier job of the schedule had not finished. */
  OVERLAP,
  /** Nobody looked in time, and the schedule does not catch up with it. */
  MISSED,
  /** The schedule was paused. */
  PAUSED,
  /** The schedule was changed after the tick and before anybody looked. */
  CHANGED,
  /** The job was not accepted. */
  SUBMIT_REFUSED;

  /** In JSON and SQL. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
