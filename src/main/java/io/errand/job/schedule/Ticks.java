package io.errand.job.schedule;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The moments at which a schedule submits its job. */
public interface Ticks {
  /** The first tick after a moment, or null if there is none, at the latest in 9999. */
  @Nullable Instant next(Instant after);

  /**
   * The ticks from one on.
   *
   * @param first a tick, or null for none
   * @param most how many at most
   */
  default List<Instant> from(@Nullable Instant first, int most) {
    List<Instant> ticks = new ArrayList<>();
    for (Instant tick = first; tick != null && ticks.size() < most; tick = next(tick)) {
      ticks.add(tick);
    }
    return ticks;
  }
}
