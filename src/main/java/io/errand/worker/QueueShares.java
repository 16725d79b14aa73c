package io.errand.worker;

import io.errand.store.claim.ClaimStore.Offer;
import io.errand.store.claim.ClaimStore.Share;
import io.errand.store.claim.ClaimStore.Shares;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Shares the slots of a worker between queues, in proportion to their weights. What a queue has had
 * is the time for which it held claims, divided by its weight; the queue that has had the least
 * comes first. This is the virtual run time of Linux' Completely Fair Scheduler, with slots for
 * processors.
 *
 * <p>A queue takes part while it holds claims or has ready jobs. One that joins starts at the least
 * of those that take part: time in which it wanted nothing earns it nothing. So only what takes
 * part is kept, and a claim looks at a bounded number of queues.
 *
 * <p>For one thread. Times are of {@link System#nanoTime}.
 */
final class QueueShares {
  private static final double LEAST_STEP_SECONDS = 0.001;
  private static final double USUAL_STEP_SECONDS = 0.1;
  private static final double NEWEST_PART = 0.2; // of the mean duration of a claim

  /** One queue that takes part. */
  private static final class Part {
    private double had;
    private double weight = 1;
    private double meanSeconds = USUAL_STEP_SECONDS;
    private int held;
    private boolean isReady;

    private double step() {
      return Math.max(LEAST_STEP_SECONDS, meanSeconds) / weight;
    }
  }

  private final Map<String, Part> parts = new HashMap<>();
  private double least;
  private long lastNanos;

  /** A job of this queue was claimed. */
  void began(String queue, long nowNanos) {
    advance(nowNanos);
    part(queue).held++;
  }

  /** A claim of this queue is over, after so many seconds. */
  void ended(String queue, double seconds, long nowNanos) {
    advance(nowNanos);
    Part part = parts.get(queue);
    if (part != null && part.held > 0) {
      part.held--;
      part.meanSeconds += NEWEST_PART * (seconds - part.meanSeconds);
    }
  }

  /** These queues have ready jobs, or had before the last claim; others have none. */
  void offered(List<Offer> offers, long nowNanos) {
    advance(nowNanos);
    parts.values().forEach(part -> part.isReady = false);
    for (Offer offer : offers) {
      Part part = part(offer.queue());
      part.isReady = true;
      part.weight = offer.weight();
    }
    parts.values().removeIf(part -> part.held == 0 && !part.isReady);
  }

  /** What the next claim is to go by. */
  Shares next(long nowNanos) {
    advance(nowNanos);
    if (parts.size() < 2) {
      return Shares.EQUAL;
    }
    List<Share> shares = new ArrayList<>(parts.size());
    double steps = 0;
    for (Map.Entry<String, Part> each : parts.entrySet()) {
      Part part = each.getValue();
      double start = part.had - least + part.held * part.step(); // what it holds will take time
      shares.add(new Share(each.getKey(), start, part.step()));
      steps += part.step();
    }
    return new Shares(shares, steps / parts.size());
  }

  private Part part(String queue) {
    return parts.computeIfAbsent(
        queue,
        name -> {
          Part part = new Part();
          part.had = least;
          return part;
        });
  }

  private void advance(long nowNanos) {
    double seconds = Math.max(0, nowNanos - lastNanos) / 1e9;
    lastNanos = nowNanos;
    double lowest = Double.POSITIVE_INFINITY;
    for (Part part : parts.values()) {
      part.had += part.held * seconds / part.weight;
      lowest = Math.min(lowest, part.had);
    }
    if (lowest < Double.POSITIVE_INFINITY) {
      least = Math.max(least, lowest);
    }
  }
}
