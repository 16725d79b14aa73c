package io.errand.job.schedule;

/**
 * What a schedule is to do.
 *
 * @param timing when it ticks
 * @param overlap what a tick does while an earlier job has not finished
 * @param catchUp which ticks of a downtime run
 * @param catchUpLimit how many at most with {@link CatchUp#ALL}, 1 to {@value #MOST_CATCH_UP}
 * @param jitterSeconds the job of a tick may start this much later, drawn at random, 0 to {@value
 *     #MOST_JITTER_SECONDS}
 * @param paused whether its ticks are skipped
 * @param job the body of the submit, as JSON
 */
public record Schedule(
    Timing timing,
    Overlap overlap,
    CatchUp catchUp,
    int catchUpLimit,
    double jitterSeconds,
    boolean paused,
    String job) {
  public static final String NAME_PATTERN = "[a-z0-9][a-z0-9._-]{0,63}";
  public static final int MOST_CATCH_UP = 1_000;
  public static final int DEFAULT_CATCH_UP = 100;
  public static final int MOST_JITTER_SECONDS = 86_400;

  /** The same with another body. */
  public Schedule withJob(String other) {
    return new Schedule(timing, overlap, catchUp, catchUpLimit, jitterSeconds, paused, other);
  }

  /** Whether another schedule has other ticks, or only one of them is paused. */
  public boolean ticksAlike(Schedule other) {
    return timing.equals(other.timing) && paused == other.paused;
  }
}
