package io.errand.console.queues;

import io.errand.store.queues.DepthStore;
import io.errand.store.queues.DepthStore.Depth;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * How deep a queue was over the last day, as its chart takes it: numbers with commas between, and
 * nothing where there was no sample.
 *
 * @param times seconds of Unix, every five minutes
 * @param most the most jobs that waited
 */
record DepthView(String times, String waiting, String running, long most) {

  static DepthView of(List<Depth> depths) {
    if (depths.isEmpty()) {
      return new DepthView("", "", "", 0);
    }
    Map<Long, Depth> byTime = new HashMap<>();
    depths.forEach(depth -> byTime.put(depth.at().getEpochSecond(), depth));
    StringJoiner times = new StringJoiner(",");
    StringJoiner waiting = new StringJoiner(",");
    StringJoiner running = new StringJoiner(",");
    long first = depths.get(0).at().getEpochSecond();
    long last = depths.get(depths.size() - 1).at().getEpochSecond();
    for (long at = first; at <= last; at += DepthStore.SECONDS) {
      Depth depth = byTime.get(at);
      times.add(Long.toString(at));
      waiting.add(depth == null ? "" : Long.toString(depth.waiting()));
      running.add(depth == null ? "" : Long.toString(depth.running()));
    }
    return new DepthView(
        times.toString(),
        waiting.toString(),
        running.toString(),
        depths.stream().mapToLong(Depth::waiting).max().orElse(0));
  }

  /** Whether there is no sample. */
  public boolean isEmpty() {
    return times.isEmpty();
  }
}
