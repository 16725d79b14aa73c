package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.store.claim.ClaimStore.Offer;
import io.errand.store.claim.ClaimStore.Share;
import io.errand.store.claim.ClaimStore.Shares;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How the slots of a worker are shared between queues; time is simulated. */
class QueueSharesTest {
  private static final long SECOND = 1_000_000_000L;

  private final QueueShares shares = new QueueShares();
  private long now = SECOND;

  /** A claim that runs until some time. */
  private record Running(String queue, long beganNanos, long endNanos) {}

  private final List<Running> running = new ArrayList<>();
  private final Map<String, Double> had = new HashMap<>();

  /** Keeps these slots in use for so many seconds, with jobs of all queues always ready. */
  private void work(int slots, double seconds, Map<String, Double> durations, List<Offer> offers) {
    long until = now + (long) (seconds * SECOND);
    while (now < until) {
      shares.offered(offers, now);
      while (running.size() < slots) {
        String queue = first(shares.next(now), offers);
        shares.began(queue, now);
        running.add(
            new Running(queue, now, now + (long) (durations.getOrDefault(queue, 1.0) * SECOND)));
      }
      Running next =
          running.stream().min((a, b) -> Long.compare(a.endNanos(), b.endNanos())).orElseThrow();
      now = Math.max(now, next.endNanos());
      running.remove(next);
      double took = (next.endNanos() - next.beganNanos()) / 1e9;
      had.merge(next.queue(), took, Double::sum);
      shares.ended(next.queue(), took, now);
    }
  }

  /** As the statement decides. */
  private static String first(Shares shares, List<Offer> offers) {
    Map<String, Share> known = new HashMap<>();
    shares.shares().forEach(share -> known.put(share.queue(), share));
    String best = "";
    double least = Double.POSITIVE_INFINITY;
    for (Offer offer : offers) {
      Share share = known.getOrDefault(offer.queue(), new Share("", 0, shares.usualStep()));
      if (share.start() + share.step() < least) {
        least = share.start() + share.step();
        best = offer.queue();
      }
    }
    return best;
  }

  @Test
  void queuesOfOneWeightGetEqualTimeWhateverTheirJobsTake() {
    work(
        8,
        600,
        Map.of("long", 20.0, "short", 0.1),
        List.of(new Offer("long", 1), new Offer("short", 1)));
    assertThat(had.getOrDefault("short", 0.0) / had.getOrDefault("long", 0.0)).isBetween(0.8, 1.25);
  }

  @Test
  void weightsDecideAlsoWithOneSlot() {
    work(1, 2_000, Map.of("a", 10.0, "b", 10.0), List.of(new Offer("a", 3), new Offer("b", 1)));
    assertThat(had.getOrDefault("a", 0.0) / had.getOrDefault("b", 0.0)).isBetween(2.7, 3.3);
  }

  @Test
  void aQueueThatWantedNothingHasEarnedNothing() {
    work(4, 1_000, Map.of("old", 1.0), List.of(new Offer("old", 1)));
    had.clear();
    work(4, 20, Map.of("old", 1.0, "new", 1.0), List.of(new Offer("old", 1), new Offer("new", 1)));
    assertThat(had.getOrDefault("old", 0.0)).isGreaterThan(30); // of 80
  }

  @Test
  void oneQueueAloneCostsNothingAndOthersAreForgotten() {
    shares.began("a", now);
    shares.offered(List.of(new Offer("a", 1)), now);
    assertThat(shares.next(now)).isSameAs(Shares.EQUAL);
    shares.began("b", now);
    assertThat(shares.next(now).shares()).hasSize(2);
    shares.ended("b", 1, now);
    shares.offered(List.of(new Offer("a", 1)), now);
    assertThat(shares.next(now)).isSameAs(Shares.EQUAL);
  }
}
