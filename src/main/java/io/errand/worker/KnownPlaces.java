package io.errand.worker;

import io.errand.store.claim.ClaimStore.Place;
import io.errand.store.claim.ClaimStore.PlaceStart;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where a claim looks that does not scan the whole index of ready jobs: the places that the last
 * full scan has found, and the 32 that earlier ones have found last. A queue that gets a job now
 * and then has none at the moment of most full scans, and its next job must not wait for the next
 * one.
 *
 * <p>Each place is read from a little before the first job that was last seen ready there. What is
 * claimed first depends on priorities and shares, so the {@code run_at} of claimed jobs says
 * nothing about other places. For one thread.
 */
final class KnownPlaces {
  /** Each costs a claim one descent of an index. */
  static final int MOST_EARLIER = 32;

  private static final Duration LAG = Duration.ofSeconds(1); // of commits behind their run_at

  /** Those found last are at the end. */
  private final Map<Place, Optional<Instant>> starts = new LinkedHashMap<>();

  /** A full scan has looked at these, 256 at most. */
  void found(List<PlaceStart> seen) {
    for (PlaceStart each : seen) {
      Optional<Instant> earlier = starts.remove(each.place());
      starts.put(each.place(), start(each).or(() -> earlier == null ? Optional.empty() : earlier));
    }
    Iterator<Place> oldestFirst = starts.keySet().iterator();
    while (starts.size() > seen.size() + MOST_EARLIER) {
      oldestFirst.next();
      oldestFirst.remove();
    }
  }

  /** A scan of {@link #list} has looked at these. */
  void movedOn(List<PlaceStart> seen) {
    for (PlaceStart each : seen) {
      start(each).ifPresent(start -> starts.replace(each.place(), Optional.of(start)));
    }
  }

  private static Optional<Instant> start(PlaceStart seen) {
    return Optional.ofNullable(seen.runAt()).map(runAt -> runAt.minus(LAG));
  }

  /** Where to look, and from which {@code run_at} on. */
  List<PlaceStart> list() {
    return starts.entrySet().stream()
        .map(each -> new PlaceStart(each.getKey(), each.getValue().orElse(null)))
        .toList();
  }
}
