package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.SettingsCheck;
import io.errand.memory.MemoryBudget;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** The check of the settings says of the memory what the start of a worker says. */
class SettingsCheckTest {
  @Test
  void theCheckAndTheWorkerAgreeAboutTheMemoryForSlots() {
    for (long mebibytes : new long[] {16, 64, 174, 175, 192, 371, 1_024}) {
      MemoryBudget budget = new MemoryBudget(mebibytes << 20);
      compare(budget, OptionalInt.empty());
      for (int slots : new int[] {1, 10, 100, 311, 312, 313, 324, 325, 1_000, 10_000}) {
        compare(budget, OptionalInt.of(slots));
      }
    }
  }

  private static void compare(MemoryBudget budget, OptionalInt slots) {
    assertThat(verdict(() -> SettingsCheck.checkMemory(budget, slots)))
        .isEqualTo(verdict(() -> CommandMemory.slots(budget, slots, 8)));
  }

  private static String verdict(Runnable check) {
    try {
      check.run();
      return "fine";
    } catch (IllegalArgumentException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
