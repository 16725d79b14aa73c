package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.api.request.ArrivingBodies.Memory;
import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Bodies that are never completed keep no memory from those that are. */
class ArrivingBodiesTest {
  private static final long SMALL = 100;

  private final MemoryBudget budget = new MemoryBudget(24 * 10 * SMALL);
  private final List<Integer> givenUp = new ArrayList<>();
  private long now;
  private final ArrivingBodies bodies = new ArrivingBodies(budget, () -> now);

  private Memory begin(int name, Share share, long bytes) {
    Memory memory = bodies.begin(() -> givenUp.add(name));
    assertThat(memory.holdIn(share, bytes)).as("body %s", name).isTrue();
    return memory;
  }

  @Test
  void theSmallBodiesThatBeganFirstMakeRoom() {
    List<Memory> stalled = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      stalled.add(begin(i, Share.REQUESTS, SMALL));
    }
    assertThat(givenUp).isEmpty();
    Memory other = begin(10, Share.REQUESTS, SMALL / 2);
    assertThat(givenUp).containsExactly(0);
    other.arrived();
    assertThat(other.hold(3 * SMALL)).isTrue();
    assertThat(givenUp).containsExactly(0, 1, 2);
    assertThat(stalled.get(1).hold(1)).isFalse();
    assertThat(stalled.get(1).holdNothing()).isFalse();
    assertThat(stalled.get(4).hold(SMALL)).isTrue();
    assertThat(budget.used(Share.REQUESTS)).isEqualTo(10 * SMALL);
    other.end();
    stalled.forEach(Memory::end);
    assertThat(budget.used(Share.REQUESTS)).isZero();
  }

  @Test
  void whatHasArrivedMakesRoomForNobodyNorDoesAnyWhereItWouldNotHelp() {
    for (int i = 0; i < 8; i++) {
      begin(i, Share.REQUESTS, SMALL).arrived();
    }
    begin(8, Share.REQUESTS, SMALL);
    Memory other = begin(9, Share.REQUESTS, SMALL);
    assertThat(other.hold(3 * SMALL)).isFalse();
    assertThat(givenUp).isEmpty();
    assertThat(other.hold(2 * SMALL)).isTrue();
    assertThat(givenUp).containsExactly(8);
  }

  @Test
  void aLargeBodyKeepsWhatItHasForAWhile() {
    long all = budget.capacity(Share.LARGE_REQUESTS);
    begin(0, Share.LARGE_REQUESTS, all);
    Memory other = bodies.begin(() -> givenUp.add(1));
    assertThat(other.hold(SMALL)).isTrue();
    assertThat(other.holdIn(Share.LARGE_REQUESTS, 2 * SMALL)).isFalse();
    now += TimeUnit.SECONDS.toNanos(5);
    assertThat(other.holdIn(Share.LARGE_REQUESTS, 2 * SMALL)).isTrue();
    assertThat(givenUp).containsExactly(0);
    assertThat(budget.used(Share.LARGE_REQUESTS)).isEqualTo(2 * SMALL);
    assertThat(budget.used(Share.REQUESTS)).isZero();
  }

  @Test
  void whatHoldsNothingCannotMakeRoom() {
    Memory empty = begin(0, Share.REQUESTS, SMALL);
    assertThat(empty.holdNothing()).isTrue();
    for (int i = 1; i < 12; i++) {
      begin(i, Share.REQUESTS, SMALL);
    }
    assertThat(givenUp).containsExactly(1);
  }
}
