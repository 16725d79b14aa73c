package io.errand.queue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How fast jobs of a queue finish, from counts of finished jobs over the last minute. A count that
 * falls, because old jobs were removed, is taken for no progress. It never changes.
 */
public final class DrainRate {
  /** Of nothing that was counted. */
  static final DrainRate UNKNOWN = new DrainRate(List.of());

  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final int MOST_SAMPLES = 70;
  private static final double LEAST_SECONDS = 0.5;

  private final List<Sample> samples;

  private record Sample(long nanos, long finished) {}

  private DrainRate(List<Sample> samples) {
    this.samples = samples;
  }

  /**
   * The same with one more count.
   *
   * @param nanos when, by a monotonic clock
   * @param finished how many jobs had finished
   */
  DrainRate with(long nanos, long finished) {
    List<Sample> kept = new ArrayList<>();
    for (int i = 0; i < samples.size(); i++) {
      // One from before the window stays, so that the window has a beginning.
      boolean isLastBefore =
          i + 1 == samples.size() || nanos - samples.get(i + 1).nanos() <= WINDOW_NANOS;
      if (isLastBefore || nanos - samples.get(i).nanos() <= WINDOW_NANOS) {
        kept.add(samples.get(i));
      }
    }
    kept.add(new Sample(nanos, finished));
    return new DrainRate(
        List.copyOf(kept.subList(Math.max(0, kept.size() - MOST_SAMPLES), kept.size())));
  }

  /** Finished jobs per second; 0 where nothing has been counted for long enough. */
  double perSecond() {
    if (samples.size() < 2) {
      return 0;
    }
    long finished = 0;
    for (int i = 1; i < samples.size(); i++) {
      finished += Math.max(0, samples.get(i).finished() - samples.get(i - 1).finished());
    }
    double seconds = (samples.get(samples.size() - 1).nanos() - samples.get(0).nanos()) / 1e9;
    return finished / Math.max(LEAST_SECONDS, seconds);
  }
}
