package io.errand.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
  private static final long KIB = 1024;

  private final MemoryBudget budget = new MemoryBudget(24 * KIB);

  @Test
  void aShareIsRefusedBeyondItsCapacityAndOthersAreNot() {
    assertThat(budget.capacity(Share.REQUESTS)).isEqualTo(KIB);
    assertThat(budget.tryReserve(Share.REQUESTS, KIB)).isNotNull();
    assertThat(budget.tryReserve(Share.REQUESTS, 1)).isNull();
    assertThat(budget.tryReserve(Share.ANSWERS, 2 * KIB)).isNotNull();
  }

  @Test
  void aReservationGrowsWithinTheShareAndGivesBackWhatItHeld() {
    Reservation reservation = Objects.requireNonNull(budget.tryReserve(Share.REQUESTS, 1));
    assertThat(reservation.resize(KIB)).isTrue();
    assertThat(reservation.resize(KIB + 1)).isFalse();
    assertThat(budget.used(Share.REQUESTS)).isEqualTo(KIB);
    assertThat(reservation.resize(10)).isTrue();
    assertThat(budget.used(Share.REQUESTS)).isEqualTo(10);
    reservation.close();
    reservation.close();
    assertThat(budget.used(Share.REQUESTS)).isZero();
    assertThat(reservation.resize(1)).isFalse();
  }

  @Test
  void aRequestForMoreThanAnyNumberOfBytesIsRefused() {
    assertThat(budget.tryReserve(Share.COMMANDS, Long.MAX_VALUE)).isNull();
    assertThat(budget.used(Share.COMMANDS)).isZero();
  }

  @Test
  void aPartOfAReservationIsHeldByItself() {
    Reservation whole = Objects.requireNonNull(budget.tryReserve(Share.COMMANDS, 1_000));
    Reservation part = whole.split(300);
    assertThat(whole.bytes()).isEqualTo(700);
    whole.close();
    assertThat(budget.used(Share.COMMANDS)).isEqualTo(300);
    assertThatThrownBy(() -> part.split(301)).isInstanceOf(IllegalArgumentException.class);
    part.close();
    assertThat(budget.used(Share.COMMANDS)).isZero();
  }

  @Test
  void threadsTogetherNeverHoldMoreThanTheShare() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    List<Long> most = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          new Thread(
              () -> {
                long seen = 0;
                for (int j = 0; j < 10_000; j++) {
                  try (Reservation held = budget.tryReserve(Share.REQUESTS, 400)) {
                    seen = held == null ? seen : Math.max(seen, budget.used(Share.REQUESTS));
                  }
                }
                synchronized (most) {
                  most.add(seen);
                }
              }));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(most).hasSize(4).allMatch(bytes -> bytes <= KIB);
    assertThat(budget.used(Share.REQUESTS)).isZero();
  }
}
