package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.store.claim.ClaimStore.Place;
import io.errand.store.claim.ClaimStore.PlaceStart;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Where a worker looks for jobs without scanning the whole index. */
class KnownPlacesTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final PlaceStart FLOODED = none("flooded");
  private static final PlaceStart SINGLE = none("single");

  private final KnownPlaces places = new KnownPlaces();

  private static PlaceStart none(String queue) {
    return new PlaceStart(new Place(queue, 0), null);
  }

  private static PlaceStart at(String queue, Instant runAt) {
    return new PlaceStart(new Place(queue, 0), runAt);
  }

  @Test
  void aQueueThatHadNothingAtTheLastFullScanIsStillLookedAt() {
    places.found(List.of(FLOODED, SINGLE));
    places.found(List.of(FLOODED));
    assertThat(places.list()).containsExactlyInAnyOrder(FLOODED, SINGLE);
  }

  @Test
  void ofEarlierScansTheLastAreKept() {
    places.found(List.of(SINGLE));
    List<PlaceStart> later = new ArrayList<>();
    for (int i = 0; i < KnownPlaces.MOST_EARLIER; i++) {
      later.add(none("queue " + i));
      places.found(List.of(later.get(i)));
    }
    assertThat(places.list()).contains(SINGLE).containsAll(later);
    places.found(List.of(FLOODED));
    assertThat(places.list()).contains(FLOODED).containsAll(later).doesNotContain(SINGLE);
  }

  @Test
  void allThatAFullScanHasFoundAreLookedAt() {
    List<PlaceStart> many = new ArrayList<>();
    for (int i = 0; i < 256; i++) {
      many.add(none("queue " + i));
    }
    places.found(List.of(SINGLE));
    places.found(many);
    assertThat(places.list()).hasSize(257).containsAll(many).contains(SINGLE);
  }

  @Test
  void eachIsReadFromALittleBeforeTheFirstJobThatWasReadyThere() {
    places.found(List.of(at("a", NOON), at("b", NOON.minusSeconds(60)), none("c")));
    assertThat(places.list())
        .containsExactly(at("a", NOON.minusSeconds(1)), at("b", NOON.minusSeconds(61)), none("c"));
    places.movedOn(List.of(at("a", NOON.plusSeconds(5)), none("b"), at("c", NOON)));
    assertThat(places.list())
        .containsExactly(
            at("a", NOON.plusSeconds(4)),
            at("b", NOON.minusSeconds(61)),
            at("c", NOON.minusSeconds(1)));
  }

  @Test
  void aFullScanStartsEarlierWhereOlderJobsHaveBecomeReady() {
    places.found(List.of(at("a", NOON), at("b", NOON)));
    places.found(List.of(at("a", NOON.minusSeconds(600)), none("b")));
    assertThat(places.list())
        .containsExactly(at("a", NOON.minusSeconds(601)), at("b", NOON.minusSeconds(1)));
  }
}
