package io.errand.job;

import java.time.Duration;
import java.util.Locale;
import java.util.function.DoubleSupplier;

/**
 * Capped exponential backoff with jitter, after Brooker, "Exponential Backoff And Jitter" (AWS
 * Architecture Blog, 2015).
 *
 * @param baseSeconds delay before the second try, 0 to {@value #MAX_SECONDS}
 * @param factor growth from try to try, 1 to 100
 * @param maxSeconds the cap, {@code baseSeconds} to {@value #MAX_SECONDS}
 * @param jitter how the delay is spread
 */
public record Backoff(double baseSeconds, double factor, double maxSeconds, Jitter jitter) {

  /** Thirty days: the longest delay that can be asked for. */
  public static final double MAX_SECONDS = 2_592_000;

  /** What a job gets that asks for nothing. */
  public static final Backoff DEFAULT = new Backoff(1, 2, 3600, Jitter.FULL);

  /** How a delay is spread, so that failures that came together do not come back together. */
  public enum Jitter {
    /** Uniform between zero and the delay. */
    FULL,
    /** Half the delay plus a uniform half. */
    EQUAL,
    /** The delay as it is. */
    NONE;

    /** The name on the wire. */
    public String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Refuses values that are not in the bounds of the parameters. */
  public Backoff {
    if (!(baseSeconds >= 0 && baseSeconds <= MAX_SECONDS)) {
      throw new IllegalArgumentException("base_seconds must be between 0 and 2592000");
    }
    if (!(factor >= 1 && factor <= 100)) {
      throw new IllegalArgumentException("factor must be between 1 and 100");
    }
    if (!(maxSeconds >= baseSeconds && maxSeconds <= MAX_SECONDS)) {
      throw new IllegalArgumentException("max_seconds must be between base_seconds and 2592000");
    }
  }

  /**
   * The delay before the next try.
   *
   * @param charged how many tries have been charged so far, at least 1
   * @param random uniform in [0, 1)
   * @return between zero and {@code maxSeconds}, in whole microseconds
   */
  public Duration delayAfter(int charged, DoubleSupplier random) {
    double capped = longestAfter(charged);
    double spread =
        switch (jitter) {
          case FULL -> capped * random.getAsDouble();
          case EQUAL -> capped / 2 + capped / 2 * random.getAsDouble();
          case NONE -> capped;
        };
    return Duration.ofNanos(Math.round(spread * 1e6) * 1_000);
  }

  /** The longest delay after so many charged tries, in seconds. */
  public double longestAfter(int charged) {
    // The power becomes infinite for a large exponent, never negative, and zero times infinity is
    // not a number: hence the question about the base.
    double uncapped = baseSeconds == 0 ? 0 : baseSeconds * Math.pow(factor, charged - 1.0);
    return Math.min(maxSeconds, uncapped);
  }

  /** The shortest delay after so many charged tries, in seconds. */
  public double shortestAfter(int charged) {
    return switch (jitter) {
      case FULL -> 0;
      case EQUAL -> longestAfter(charged) / 2;
      case NONE -> longestAfter(charged);
    };
  }
}
