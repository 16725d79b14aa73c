package io.errand.job.schedule;

import java.util.Locale;

/** What a tick does while an earlier job of the schedule has not finished. */
public enum Overlap {
  /** The tick is skipped. */
  SKIP,
  /** Its job waits until the earlier ones have ended. */
  QUEUE,
  /** The earlier jobs are cancelled, and its job runs once they have ended. */
  REPLACE;

  /** In JSON and SQL. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The value with this name in JSON and SQL.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Overlap ofWireName(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }
}
