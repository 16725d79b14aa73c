package io.errand.worker;

import io.errand.store.claim.ClaimStore.Place;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Where a claim looks that does not scan the whole index of ready jobs: the pairs of a queue and a
 * priority that the last full scan has found, and the 32 that earlier ones have found last. A queue
 * that gets a job now and then has none at the moment of most full scans, and its next job must not
 * wait for the next one. For one thread.
 */
final class KnownPlaces {
  /** Each costs a claim one descent of an index. */
  static final int MOST_EARLIER = 32;

  private final Set<Place> known = new LinkedHashSet<>(); // those found last are at the end

  /** A full scan has found these, 256 at most. */
  void found(List<Place> places) {
    places.forEach(known::remove);
    known.addAll(places);
    Iterator<Place> oldestFirst = known.iterator();
    while (known.size() > places.size() + MOST_EARLIER) {
      oldestFirst.next();
      oldestFirst.remove();
    }
  }

  List<Place> list() {
    return List.copyOf(known);
  }
}
