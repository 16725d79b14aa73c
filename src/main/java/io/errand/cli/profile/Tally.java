package io.errand.cli.profile;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sums by name, of which the largest are shown. */
final class Tally {
  /** What has other names is counted together. */
  private static final int MOST_NAMES = 20_000;

  private static final String OTHERS = "(others)";

  private final Map<String, Sum> sums = new HashMap<>();
  private double total;
  private long count;

  /** Of one name. */
  private static final class Sum {
    private double total;
    private double longest;
    private long count;
  }

  /**
   * Of one name.
   *
   * @param longest the largest of what was added
   */
  record Row(String name, double total, double longest, long count) {}

  void add(String name, double value) {
    String known = sums.size() < MOST_NAMES || sums.containsKey(name) ? name : OTHERS;
    Sum sum = sums.computeIfAbsent(known, one -> new Sum());
    sum.total += value;
    sum.longest = Math.max(sum.longest, value);
    sum.count++;
    total += value;
    count++;
  }

  double total() {
    return total;
  }

  long count() {
    return count;
  }

  /** The largest sums. */
  List<Row> top(int most) {
    return sums.entrySet().stream()
        .map(
            one ->
                new Row(
                    one.getKey(),
                    one.getValue().total,
                    one.getValue().longest,
                    one.getValue().count))
        .sorted(Comparator.comparingDouble(Row::total).reversed().thenComparing(Row::name))
        .limit(most)
        .toList();
  }
}
