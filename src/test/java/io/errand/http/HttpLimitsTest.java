package io.errand.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Share;
import io.smallrye.config.WithDefault;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What connections may hold beside the budget leaves room in the heap. */
class HttpLimitsTest {
  private static final long HEAP = 371L << 20; // what the JVM says of -Xmx384m

  @Test
  void theBudgetAndTheBytesOfConnectionsLeaveAFifthOfTheHeap() throws NoSuchMethodException {
    MemoryBudget budget = new MemoryBudget(HEAP);
    long shares = Arrays.stream(Share.values()).mapToLong(budget::capacity).sum();
    long held =
        Long.parseLong(
            HttpLimits.class
                .getDeclaredMethod("heldBytes")
                .getAnnotation(WithDefault.class)
                .value());
    assertThat(shares + held).isLessThan(HEAP / 5 * 4);
  }
}
