package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.store.claim.ClaimStore.Place;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Where a worker looks for jobs without scanning the whole index. */
class KnownPlacesTest {
  private static final Place FLOODED = new Place("flooded", 0);
  private static final Place SINGLE = new Place("single", 5);

  private final KnownPlaces places = new KnownPlaces();

  @Test
  void aQueueThatHadNothingAtTheLastFullScanIsStillLookedAt() {
    places.found(List.of(FLOODED, SINGLE));
    places.found(List.of(FLOODED));
    assertThat(places.list()).containsExactlyInAnyOrder(FLOODED, SINGLE);
  }

  @Test
  void ofEarlierScansTheLastAreKept() {
    places.found(List.of(SINGLE));
    List<Place> later = new ArrayList<>();
    for (int i = 0; i < KnownPlaces.MOST_EARLIER; i++) {
      later.add(new Place("queue " + i, 0));
      places.found(List.of(later.get(i)));
    }
    assertThat(places.list()).contains(SINGLE).containsAll(later);
    places.found(List.of(FLOODED));
    assertThat(places.list()).contains(FLOODED).containsAll(later).doesNotContain(SINGLE);
  }

  @Test
  void allThatAFullScanHasFoundAreLookedAt() {
    List<Place> many = new ArrayList<>();
    for (int i = 0; i < 256; i++) {
      many.add(new Place("queue " + i, 0));
    }
    places.found(List.of(SINGLE));
    places.found(many);
    assertThat(places.list()).hasSize(257).containsAll(many).contains(SINGLE);
  }
}
