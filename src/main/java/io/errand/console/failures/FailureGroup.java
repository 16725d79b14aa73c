package io.errand.console.failures;

import io.errand.console.Words;
import io.errand.job.ProjectNames;
import io.errand.store.reads.FailureReads.Failure;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Failures with one fingerprint.
 *
 * @param example the last line of the newest as it was printed, or empty
 * @param jobs their ids, the newest first
 * @param lastHour how many of them ended in the last hour
 * @param trend how many of them ended in each of the last 24 hours, the oldest first
 * @param queues of theirs, at most three, in words
 * @param programs the same of their programs
 */
record FailureGroup(
    Fingerprint fingerprint,
    String example,
    List<String> jobs,
    Instant firstSeen,
    Instant lastSeen,
    long lastHour,
    Trend trend,
    String queues,
    String programs) {
  private static final int SHOWN = 3;
  private static final int LISTED = 10;

  /**
   * The groups of these failures, the one that has grown last first.
   *
   * @param since no job that was created before was looked at, or null
   */
  static List<FailureGroup> of(List<Failure> failures, @Nullable Instant since, Instant now) {
    Map<Fingerprint, List<Failure>> groups = new LinkedHashMap<>();
    for (Failure failure : failures) {
      Fingerprint fingerprint =
          Fingerprint.of(failure.reason(), failure.exitCode(), failure.signal(), failure.tail());
      groups.computeIfAbsent(fingerprint, key -> new ArrayList<>()).add(failure);
    }
    List<FailureGroup> result = new ArrayList<>();
    groups.forEach((fingerprint, members) -> result.add(of(fingerprint, members, since, now)));
    result.sort(Comparator.comparing(FailureGroup::lastSeen).reversed());
    return result;
  }

  private static FailureGroup of(
      Fingerprint fingerprint, List<Failure> members, @Nullable Instant since, Instant now) {
    List<Instant> times = members.stream().map(Failure::finishedAt).sorted().toList();
    Instant hour = now.minus(Duration.ofHours(1));
    return new FailureGroup(
        fingerprint,
        Fingerprint.lastLine(members.get(0).tail()),
        members.stream().map(failure -> failure.id().toString()).toList(),
        times.get(0),
        times.get(times.size() - 1),
        times.stream().filter(time -> time.isAfter(hour)).count(),
        Trend.of(times, since, now),
        some(members.stream().map(one -> ProjectNames.shownQueue(one.queue())).toList()),
        some(members.stream().map(one -> Words.oneLine(one.program())).toList()));
  }

  private static String some(List<String> texts) {
    List<String> distinct = texts.stream().distinct().sorted().toList();
    return distinct.size() <= SHOWN
        ? String.join(", ", distinct)
        : String.join(", ", distinct.subList(0, SHOWN))
            + " and "
            + (distinct.size() - SHOWN)
            + " more";
  }

  /** How many there are. */
  public long count() {
    return jobs.size();
  }

  /** Whether all of them are of one queue, so that a list of jobs can be of these. */
  public boolean isOfOneQueue() {
    return !queues.contains(",") && !queues.contains(" ");
  }

  /** The newest of them. */
  public List<String> newest() {
    return jobs.subList(0, Math.min(LISTED, jobs.size()));
  }
}
