package io.errand.api.request;

import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The memory of bodies, and which of them have not arrived whole. Where a share is used up, the
 * bodies that began longest ago and have not arrived make room: a small one at once, because it
 * comes in a moment, a large one after {@value #LARGE_SECONDS} s. So clients that never complete
 * their bodies keep no memory from those that do. Thread-safe.
 */
final class ArrivingBodies {
  /** How long a large body keeps what it has: else two that arrive would end each other. */
  private static final int LARGE_SECONDS = 5;

  private static final long LARGE_NANOS = TimeUnit.SECONDS.toNanos(LARGE_SECONDS);

  private final MemoryBudget budget;
  private final LongSupplier nanoTime;

  /** Those that hold memory of a share and have not arrived, the first to begin in front. */
  private final Map<Share, Set<Memory>> arriving = new EnumMap<>(Share.class);

  ArrivingBodies(MemoryBudget budget, LongSupplier nanoTime) {
    this.budget = budget;
    this.nanoTime = nanoTime;
  }

  /**
   * The memory of a body that will arrive: none yet.
   *
   * @param givenUp called once, by any thread, where the body must let go of what it has
   */
  Memory begin(Runnable givenUp) {
    Reservation none = budget.tryReserve(Share.REQUESTS, 0);
    if (none == null) {
      throw new IllegalStateException("Nothing can always be reserved");
    }
    return new Memory(none, givenUp);
  }

  /** What one body holds, with what is made of it. */
  final class Memory {
    private final Runnable givenUp;
    private Reservation held;
    private boolean arrives = true;
    private boolean ended;
    private long since;

    private Memory(Reservation held, Runnable givenUp) {
      this.held = held;
      this.givenUp = givenUp;
    }

    /** Sees to it that it holds at least so many bytes, of the share that it has. */
    boolean hold(long bytes) {
      synchronized (ArrivingBodies.this) {
        return holdIn(held.share(), bytes);
      }
    }

    /**
     * The same, with all bytes of a share that may be another than before.
     *
     * @return false where there are not so many, or where it had to make room for others
     */
    boolean holdIn(Share share, long bytes) {
      synchronized (ArrivingBodies.this) {
        if (ended || !(share == held.share() ? grow(bytes) : change(share, bytes))) {
          return false;
        }
        if (arrives && held.bytes() > 0 && listOf(share).add(this)) {
          since = nanoTime.getAsLong();
        }
        return true;
      }
    }

    private boolean grow(long bytes) {
      long more = bytes - held.bytes();
      return more <= 0
          || held.resize(bytes)
          || (makeRoom(held.share(), more, this) && held.resize(bytes));
    }

    private boolean change(Share share, long bytes) {
      Reservation other = budget.tryReserve(share, bytes);
      if (other == null && makeRoom(share, bytes, this)) {
        other = budget.tryReserve(share, bytes);
      }
      if (other == null) {
        return false;
      }
      listOf(held.share()).remove(this);
      held.close();
      held = other;
      return true;
    }

    /** Gives back what it holds; false where it has made room for others. */
    boolean holdNothing() {
      synchronized (ArrivingBodies.this) {
        listOf(held.share()).remove(this);
        return held.resize(0);
      }
    }

    /** It has arrived whole, and makes room for nobody from now on. */
    void arrived() {
      synchronized (ArrivingBodies.this) {
        arrives = false;
        listOf(held.share()).remove(this);
      }
    }

    /** It holds nothing any more. */
    void end() {
      synchronized (ArrivingBodies.this) {
        ended = true;
        listOf(held.share()).remove(this);
        held.close();
      }
    }
  }

  private Set<Memory> listOf(Share share) {
    return arriving.computeIfAbsent(share, any -> new LinkedHashSet<>());
  }

  /** Has others let go of so many bytes, or of none where they do not have so many. */
  private boolean makeRoom(Share share, long bytes, Memory asking) {
    long now = nanoTime.getAsLong();
    long left = bytes - (budget.capacity(share) - budget.used(share));
    List<Memory> chosen = new ArrayList<>();
    for (Memory one : listOf(share)) {
      if (left <= 0 || (share == Share.LARGE_REQUESTS && now - one.since < LARGE_NANOS)) {
        break;
      }
      if (one != asking) {
        chosen.add(one);
        left -= one.held.bytes();
      }
    }
    if (left > 0) {
      return false;
    }
    for (Memory one : chosen) {
      one.end();
      one.givenUp.run();
    }
    return true;
  }
}
