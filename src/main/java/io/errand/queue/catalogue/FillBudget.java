package io.errand.queue.catalogue;

/**
 * How much a request may ask for of the matching of patterns: instructions of the program times
 * characters of the value, summed over its values.
 */
public final class FillBudget {
  /** Of one job: some tenths of a second. */
  static final long OF_JOB = 5_000_000;

  private static final long OF_BATCH = 4 * OF_JOB;

  private final long most;
  private long left;

  private FillBudget(long most) {
    this.most = most;
    this.left = most;
  }

  /** That of one job. */
  public static FillBudget ofJob() {
    return new FillBudget(OF_JOB);
  }

  /** That of all jobs of a batch together. */
  public static FillBudget ofBatch() {
    return new FillBudget(OF_BATCH);
  }

  /** Takes some steps. Once there are too few left, there are none left. */
  boolean take(long steps) {
    left = steps > left ? 0 : left - steps;
    return left > 0;
  }

  long most() {
    return most;
  }
}
