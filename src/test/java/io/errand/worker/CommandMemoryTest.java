package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
import io.errand.store.claim.ClaimStore;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class CommandMemoryTest {
  private static final long MEBIBYTE = 1 << 20;
  private static final long SERVED = 371 * MEBIBYTE; // what the JVM makes of -Xmx384m

  private final MemoryBudget budget = new MemoryBudget(SERVED);

  @Test
  void theHeapOfAPlainStartHasMemoryForTheSlotsOfSixtyFourCores() {
    assertThat(CommandMemory.slots(budget, OptionalInt.of(256), 8)).isEqualTo(256);
    assertThat(CommandMemory.slots(budget, OptionalInt.empty(), 256)).isEqualTo(256);
  }

  @Test
  void slotsThatNobodyAskedForAreAsManyAsThereIsMemoryFor() {
    int slots = CommandMemory.slots(budget, OptionalInt.empty(), 2_000);
    assertThat(slots).isBetween(256, 400);
    assertThat(CommandMemory.slots(budget, OptionalInt.of(slots), 8)).isEqualTo(slots);
  }

  @Test
  void slotsThatDoNotFitAreRefusedWithAHeapThatIsEnough() {
    assertThatThrownBy(() -> CommandMemory.slots(budget, OptionalInt.of(1_000), 8))
        .hasMessageContaining("ERRAND_WORKER_SLOTS is 1000")
        .hasMessageContaining("ERRAND_JAVA_OPTIONS=-Xmx1040m");
    MemoryBudget enough = new MemoryBudget((long) (1_040 * MEBIBYTE * 371.25 / 384));
    assertThat(CommandMemory.slots(enough, OptionalInt.of(1_000), 8)).isEqualTo(1_000);
  }

  @Test
  void aHeapThatIsTooSmallForOneLargeCommandIsRefused() {
    MemoryBudget small = new MemoryBudget(100 * MEBIBYTE);
    assertThatThrownBy(() -> CommandMemory.slots(small, OptionalInt.of(1), 8))
        .hasMessageContaining("too small for a worker")
        .hasMessageContaining("ERRAND_JAVA_OPTIONS=-Xmx");
  }

  @Test
  void aClaimIsMadeWithWhatIsFreeAndLeavesTheRest() {
    CommandMemory memory = new CommandMemory(budget);
    long own = budget.used(Share.COMMANDS);
    try (Reservation one = memory.forClaim(1)) {
      assertThat(one.bytes()).isEqualTo(ClaimStore.MOST_MEMORY);
      try (Reservation rest = memory.forClaim(1_000);
          Reservation none = memory.forClaim(1)) {
        assertThat(rest.bytes() + one.bytes() + own).isEqualTo(budget.capacity(Share.COMMANDS));
        assertThat(none.bytes()).isZero();
        assertThat(memory.forOne(1)).isNull();
      }
    }
    assertThat(budget.used(Share.COMMANDS)).isEqualTo(own);
  }
}
