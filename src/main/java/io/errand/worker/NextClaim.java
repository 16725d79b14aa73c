package io.errand.worker;

import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.Claims;
import java.time.Instant;
import java.util.Collection;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a worker knows from its last claims that its next claim goes by. For one thread. */
final class NextClaim {
  private final String workerName;
  private final Collection<String> queues;
  private final ScanStart scanStart = new ScanStart();
  private final QueueShares shares = new QueueShares();
  private @Nullable Instant from;
  private String firstQueue = "";
  private final KnownPlaces places = new KnownPlaces();
  private boolean someForLater;
  private long begunNanos;

  NextClaim(String workerName, Collection<String> queues) {
    this.workerName = workerName;
    this.queues = queues;
  }

  /** Who claims now, and where; {@link #claimed} must follow unless the claim fails. */
  Claimer claimer(UUID holder) {
    begunNanos = System.nanoTime();
    from = scanStart.next(begunNanos);
    return new Claimer(
        holder, workerName, queues, from, firstQueue, places.list(), shares.next(begunNanos));
  }

  /**
   * The claim was made.
   *
   * @param limit how many jobs it was to find at most
   * @return whether another one may find more at once
   */
  boolean claimed(Claims claims, int limit) {
    long now = System.nanoTime();
    int found = claims.someLeft() || claims.someForLater() ? 0 : limit;
    scanStart.scanned(from, now, now - begunNanos, claims.jobs(), found);
    shares.offered(claims.offers(), now);
    if (from == null) {
      places.found(claims.places());
    }
    firstQueue = Objects.requireNonNullElse(claims.nextQueue(), "");
    someForLater = claims.someForLater();
    return claims.jobs().size() == limit
        || claims.nextQueue() != null
        || someForLater
        || claims.someSetAside()
        || claims.someUnread();
  }

  /** Whether the job that is ready next must not be claimed before it can start. */
  boolean someForLater() {
    return someForLater;
  }

  /** A job of this queue is held from now on. */
  void began(String queue) {
    shares.began(queue, System.nanoTime());
  }

  /**
   * A job is held no longer.
   *
   * @param letsOthersGo whether others may have become ready by that, also old ones
   */
  void ended(String queue, double seconds, boolean letsOthersGo) {
    shares.ended(queue, seconds, System.nanoTime());
    if (letsOthersGo) {
      scanStart.jobsLetGo();
    }
  }
}
