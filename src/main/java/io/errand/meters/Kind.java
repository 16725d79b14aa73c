package io.errand.meters;

import java.time.Duration;
import java.util.Locale;

/** What a meter is for Prometheus. */
enum Kind {
  /** Grows from zero with the process. */
  COUNTER,
  /** A value that goes up and down. */
  GAUGE,
  /** A count and a sum of seconds. */
  SUMMARY,
  /** The same by buckets. */
  HISTOGRAM;

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Of all histograms. */
  static Duration[] buckets() {
    return new Duration[] {
      Duration.ofMillis(5),
      Duration.ofMillis(25),
      Duration.ofMillis(100),
      Duration.ofMillis(500),
      Duration.ofSeconds(2),
      Duration.ofSeconds(10),
      Duration.ofMinutes(1),
      Duration.ofMinutes(10),
      Duration.ofHours(1)
    };
  }
}
