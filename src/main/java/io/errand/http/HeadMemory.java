package io.errand.http;

import io.errand.api.problem.Problem;
import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;

/**
 * Accounts for the heads of requests that are passed on: the framework keeps what it has made of
 * one until its connection is free for the next request or closed. Thread-safe.
 */
final class HeadMemory {
  /** What a header line takes beside its characters: an entry of a map, and two strings. */
  private static final int LINE_BYTES = 144;

  /** Such a head may take what is kept for probes. */
  private static final int MOST_PROBE_BYTES = 4 * 1024;

  private static final int KEPT_FOR_PROBES = 32;

  private final MemoryBudget budget;

  HeadMemory(MemoryBudget budget) {
    this.budget = budget;
  }

  /**
   * Reserves what the head that was checked last will take.
   *
   * @param path of its target
   * @param size its bytes
   * @throws Problem 503 where there is no memory for it
   */
  Reservation reserve(RequestHead head, String path, int size) {
    // The target is kept whole and in parts.
    long bytes = size + size / 2 + 2L * head.lineBytes() + (long) LINE_BYTES * head.headers();
    boolean isProbe = bytes <= MOST_PROBE_BYTES && path.startsWith("/q/");
    long capacity = budget.capacity(Share.HEADS);
    long free = capacity - (isProbe ? 0 : capacity / KEPT_FOR_PROBES) - budget.used(Share.HEADS);
    Reservation held = bytes <= free ? budget.tryReserve(Share.HEADS, bytes) : null;
    if (held == null) {
      throw Problem.noMemoryForHead();
    }
    return held;
  }
}
