package io.errand.job.schedule;

import java.util.Locale;

/** Which ticks run that could not be looked at in time, such as those of a downtime. */
public enum CatchUp {
  /** None: only the newest due tick, if it is no more than a minute late. */
  NONE,
  /** The newest due tick, however late. */
  LATEST,
  /** All due ticks, the oldest first; of more than the limit the newest. */
  ALL;

  /** In JSON and SQL. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The value with this name in JSON and SQL.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static CatchUp ofWireName(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }
}
