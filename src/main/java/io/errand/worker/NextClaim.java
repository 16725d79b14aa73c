package io.errand.worker;

import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.PlaceStart;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.LongSupplier;

/** What a worker knows from its last claims that its next claim goes by. For one thread. */
final class NextClaim {
  private final String workerName;
  private final Collection<String> queues;
  private final LongSupplier nanoTime;
  private final FullScans fullScans = new FullScans();
  private final QueueShares shares = new QueueShares();
  private String firstQueue = "";
  private final KnownPlaces places = new KnownPlaces();
  private boolean isFull;
  private boolean someForLater;
  private long begunNanos;

  /**
   * @param nanoTime as {@link System#nanoTime}
   */
  NextClaim(String workerName, Collection<String> queues, LongSupplier nanoTime) {
    this.workerName = workerName;
    this.queues = queues;
    this.nanoTime = nanoTime;
  }

  /** Who claims now, and where; {@link #claimed} must follow unless the claim fails. */
  Claimer claimer(UUID holder) {
    begunNanos = nanoTime.getAsLong();
    List<PlaceStart> known = fullScans.isNext(begunNanos) ? List.of() : places.list();
    isFull = known.isEmpty();
    return new Claimer(holder, workerName, queues, firstQueue, known, shares.next(begunNanos));
  }

  /**
   * The claim was made.
   *
   * @param limit how many jobs it was to find at most
   * @return whether another one may find more at once
   */
  boolean claimed(Claims claims, int limit) {
    long now = nanoTime.getAsLong();
    shares.offered(claims.offers(), now);
    if (isFull) {
      fullScans.full(now, now - begunNanos);
      places.found(claims.places());
    } else {
      fullScans.partial(now - begunNanos);
      places.movedOn(claims.places());
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
    shares.began(queue, nanoTime.getAsLong());
  }

  /**
   * A job is held no longer.
   *
   * @param letsOthersGo whether others may have become ready by that, also old ones
   */
  void ended(String queue, double seconds, boolean letsOthersGo) {
    shares.ended(queue, seconds, nanoTime.getAsLong());
    if (letsOthersGo) {
      fullScans.jobsLetGo();
    }
  }
}
