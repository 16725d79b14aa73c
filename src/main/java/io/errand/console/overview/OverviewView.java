package io.errand.console.overview;

import io.errand.console.Words;
import io.errand.store.reads.OverviewReads;
import io.errand.store.reads.OverviewReads.Reason;
import io.errand.store.reads.OverviewReads.Slot;
import io.errand.store.reads.OverviewReads.Summary;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The first page.
 *
 * @param needs what needs a person, the most pressing first
 * @param tiles numbers of jobs by state
 * @param range the length of time of the chart: 1h, 24h or 7d
 */
record OverviewView(
    List<Need> needs,
    List<Tile> tiles,
    String range,
    List<Slot> slots,
    Summary summary,
    List<Reason> reasons,
    List<Queue> queues,
    boolean moreQueues,
    List<Worker> workers,
    boolean moreWorkers) {

  /**
   * Something that needs a person.
   *
   * @param tone a class of the style sheet
   * @param link the path behind {@code /console}, or empty
   */
  record Need(String tone, String what, String why, String link) {}

  /** A number of jobs. */
  record Tile(String state, long count) {}

  /**
   * A queue at a glance.
   *
   * @param oldest how long its oldest ready job waits, or empty
   * @param note paused, or what its circuit does; or empty
   */
  record Queue(
      String name,
      long waiting,
      long running,
      long held,
      long failed,
      String oldest,
      String note) {}

  /** A worker at a glance. */
  record Worker(String name, int busy, int slots, Instant heartbeatAt, String note) {}

  /** The times of the slots, in seconds since the epoch. */
  public String times() {
    return slots.stream()
        .map(slot -> Long.toString(slot.from().getEpochSecond()))
        .collect(Collectors.joining(","));
  }

  /** How many jobs of each slot have succeeded. */
  public String succeeded() {
    return slots.stream()
        .map(slot -> Long.toString(slot.succeeded()))
        .collect(Collectors.joining(","));
  }

  /** How many have failed. */
  public String failed() {
    return slots.stream()
        .map(slot -> Long.toString(slot.failed()))
        .collect(Collectors.joining(","));
  }

  /** How many there are. */
  public String created() {
    return slots.stream().map(slot -> Long.toString(slot.jobs())).collect(Collectors.joining(","));
  }

  /** A length of time, or a dash. */
  private static String span(@Nullable Double seconds) {
    return seconds == null ? "–" : Words.span(seconds);
  }

  /** The lengths of time that can be chosen. */
  public List<String> ranges() {
    return List.of("1h", "24h", "7d");
  }

  /** Whether there are more jobs than were looked at. */
  public boolean isBounded() {
    return summary.jobs() >= OverviewReads.MOST_JOBS;
  }

  public String wait50() {
    return span(summary.wait50());
  }

  public String wait95() {
    return span(summary.wait95());
  }

  public String run50() {
    return span(summary.run50());
  }

  public String run95() {
    return span(summary.run95());
  }
}
