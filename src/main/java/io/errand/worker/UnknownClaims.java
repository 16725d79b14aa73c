package io.errand.worker;

import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimedJob;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.BiConsumer;

/**
 * Claims that the database has under this incarnation and that none of its slots holds. There may
 * be some after an answer that did not come. There may also be some although no statement failed: a
 * failover to a standby that lagged, or a restored backup, does not have the ends that were written
 * last. The lease goes on then, so no other worker would ever run these jobs; that is why the
 * claims are also compared at regular intervals.
 *
 * <p>For the dispatcher's thread only.
 */
final class UnknownClaims {
  private static final Duration BETWEEN_COMPARISONS = Duration.ofSeconds(10);

  private final ClaimStore claims;
  private final CommandMemory memory;
  private boolean expected;
  private long nextComparisonNanos = System.nanoTime();

  UnknownClaims(ClaimStore claims, CommandMemory memory) {
    this.claims = claims;
    this.memory = memory;
  }

  /** A statement has failed: there may be some. */
  void expect() {
    expected = true;
  }

  /** Whether there may be some that are not begun. Nothing else is to be claimed meanwhile. */
  boolean areExpected() {
    return expected;
  }

  /**
   * Hands over each of them with the memory that it may hold, if they are expected or a comparison
   * is due. Those for which there is no memory now stay expected.
   */
  void begin(Slots held, UUID holder, BiConsumer<ClaimedJob, Reservation> begin)
      throws SQLException {
    long now = System.nanoTime();
    if (!expected && now - nextComparisonNanos < 0) {
      return;
    }
    nextComparisonNanos = now + BETWEEN_COMPARISONS.toNanos();
    boolean someLeft = false;
    Map<UUID, Reservation> unknown = new HashMap<>();
    try {
      for (ClaimStore.Held claim : claims.heldBy(holder)) {
        if (!held.holds(claim.token())) {
          Reservation reserved = memory.forOne(claim.memoryBytes());
          if (reserved == null) {
            someLeft = true;
          } else {
            unknown.put(claim.token(), reserved);
          }
        }
      }
      if (!unknown.isEmpty()) {
        for (ClaimedJob job : claims.held(holder, unknown.keySet())) {
          Reservation reserved = unknown.remove(job.token());
          if (reserved != null) {
            begin.accept(job, reserved);
          }
        }
      }
    } finally {
      unknown.values().forEach(Reservation::close);
    }
    expected = someLeft;
  }
}
