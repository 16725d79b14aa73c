package io.errand.job.schedule;

import java.time.Instant;
import java.util.Collection;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Ticks at given times. */
final class ListedTicks implements Ticks {
  private final NavigableSet<Instant> times;

  ListedTicks(Collection<Instant> times) {
    this.times = new TreeSet<>(times);
  }

  @Override
  public @Nullable Instant next(Instant after) {
    return times.higher(after);
  }
}
