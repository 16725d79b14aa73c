package io.errand.job;

import java.util.ArrayList;
import java.util.List;

/**
 * When the attempts of a job can start if each of them fails in a way that is retried. It counts
 * what the job itself decides: its time limit and its backoff. What it waits for a slot, a limit or
 * a queue comes on top.
 *
 * @param attempts the first {@value #MOST_FIRST}, and the last
 * @param givesUpAfterSeconds when the last attempt has ended at the latest, from when the job may
 *     first run
 */
public record RetrySchedule(List<Window> attempts, double givesUpAfterSeconds) {
  private static final int MOST_FIRST = 20;

  /**
   * Between when an attempt can start, in seconds from when the job may first run.
   *
   * @param attempt its number
   * @param earliest each attempt before it failed at once, and each delay was the shortest
   * @param latest each attempt before it took all its time, and each delay was the longest
   */
  public record Window(int attempt, double earliest, double latest) {}

  /** The schedule of a job. */
  public static RetrySchedule of(JobSpec spec) {
    RetryPolicy policy = spec.policy();
    double longestAttempt = spec.timeoutSeconds() + spec.killGraceSeconds();
    List<Window> windows = new ArrayList<>();
    double earliest = 0;
    double latest = 0;
    for (int attempt = 1; attempt <= policy.maxAttempts(); attempt++) {
      if (attempt > 1) {
        earliest += policy.backoff().shortestAfter(attempt - 1);
        latest += longestAttempt + policy.backoff().longestAfter(attempt - 1);
      }
      if (attempt <= MOST_FIRST || attempt == policy.maxAttempts()) {
        windows.add(new Window(attempt, earliest, latest));
      }
    }
    return new RetrySchedule(List.copyOf(windows), latest + longestAttempt);
  }
}
