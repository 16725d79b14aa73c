package io.errand.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.http.Connections.Admission;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who makes room for whom. */
class ConnectionsTest {
  private static final int MOST = 10;
  private static final int KEPT = 2;

  private final Connections connections = new Connections(MOST);
  private final List<Integer> evicted = new ArrayList<>();

  private final class Numbered extends Connections.Member {
    private final int number;

    Numbered(int number) {
      this.number = number;
    }

    @Override
    void evict() {
      evicted.add(number);
    }
  }

  private List<Numbered> fill(int count) {
    List<Numbered> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(new Numbered(i));
      assertThat(connections.admit(all.get(i))).isEqualTo(Admission.ADMITTED);
    }
    return all;
  }

  @Test
  void whoHasWaitedLongestMakesRoom() {
    List<Numbered> all = fill(MOST - KEPT);
    connections.works(all.get(0));
    connections.waits(all.get(1));
    assertThat(connections.admit(new Numbered(100))).isEqualTo(Admission.ADMITTED);
    assertThat(connections.admit(new Numbered(101))).isEqualTo(Admission.ADMITTED);
    assertThat(evicted).containsExactly(2, 3);
    assertThat(connections.open()).isEqualTo(MOST - KEPT);
  }

  @Test
  void whoTakesThePlaceOfAProbeMayProbeOnly() {
    fill(MOST - KEPT).forEach(connections::works);
    assertThat(connections.admit(new Numbered(100))).isEqualTo(Admission.PROBES_ONLY);
    assertThat(connections.admit(new Numbered(101))).isEqualTo(Admission.PROBES_ONLY);
    assertThat(evicted).containsExactly(100);
  }

  @Test
  void whereAllWorkTheKeptPlacesAreForProbesAndThenThereIsNone() {
    fill(MOST - KEPT).forEach(connections::works);
    for (int i = 0; i < KEPT; i++) {
      Numbered probe = new Numbered(100 + i);
      assertThat(connections.admit(probe)).isEqualTo(Admission.PROBES_ONLY);
      assertThat(connections.isFull()).isTrue();
      connections.works(probe);
    }
    assertThat(connections.admit(new Numbered(200))).isEqualTo(Admission.REFUSED);
    assertThat(evicted).isEmpty();
  }

  @Test
  void whatIsClosedGivesItsPlaceBackOnce() {
    List<Numbered> all = fill(MOST - KEPT);
    connections.closed(all.get(3));
    connections.closed(all.get(3));
    connections.waits(all.get(3));
    assertThat(connections.open()).isEqualTo(MOST - KEPT - 1);
    assertThat(connections.admit(new Numbered(100))).isEqualTo(Admission.ADMITTED);
    assertThat(evicted).isEmpty();
  }

  @Test
  void whoWasChosenWhenItsRequestCameStays() {
    List<Numbered> all = fill(MOST - KEPT);
    connections.admit(new Numbered(100));
    assertThat(evicted).containsExactly(0);
    connections.stays(all.get(0));
    connections.stays(all.get(0));
    assertThat(connections.open()).isEqualTo(MOST - KEPT + 1);
    connections.closed(all.get(0));
    assertThat(connections.open()).isEqualTo(MOST - KEPT);
  }
}
