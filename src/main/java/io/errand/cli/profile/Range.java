package io.errand.cli.profile;

/** The least, the most and the last of some values. */
final class Range {
  private double least = Double.POSITIVE_INFINITY;
  private double most = Double.NEGATIVE_INFINITY;
  private double last;
  private double total;
  private long count;

  void add(double value) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    last = value;
    total += value;
    count++;
  }

  boolean isEmpty() {
    return count == 0;
  }

  double least() {
    return least;
  }

  double most() {
    return most;
  }

  double last() {
    return last;
  }

  double total() {
    return total;
  }

  double mean() {
    return total / count;
  }

  long count() {
    return count;
  }
}
