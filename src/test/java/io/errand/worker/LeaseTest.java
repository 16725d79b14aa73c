package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.store.Database;
import io.errand.store.workers.WorkerStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class LeaseTest {
  private static final double LEASE_SECONDS = 2;

  private final List<UUID> granted = new ArrayList<>();
  private int lost;

  /** F2: the guardian has acted by the deadline that it knew, whatever the answer says. */
  @Test
  void aHeartbeatWhoseAnswerIsReadAfterTheDeadlineDoesNotSaveTheLease() throws SQLException {
    WorkerStore store = Database.emptied().workers();
    Lease lease = lease(store);
    try (Connection connection = store.dedicatedConnection("test", 10)) {
      lease.beatOnce(connection);
      UUID first = granted.get(0);
      assertThat(lease.holder()).isEqualTo(first);
      lease.beatOnce(connection);
      assertThat(lost).isEqualTo(1);
      assertThat(granted).hasSize(2).doesNotHaveDuplicates();
    }
  }

  /** Its second beat takes as long as if this process had been frozen meanwhile. */
  private Lease lease(WorkerStore store) {
    Lease.Listener listener =
        new Lease.Listener() {
          @Override
          public void onGranted(UUID workerId) {
            granted.add(workerId);
          }

          @Override
          public void onRenewed(long deadlineNanos) {}

          @Override
          public void onFailure() {}

          @Override
          public void onLost() {
            lost++;
          }
        };
    return new Lease(
        store,
        LEASE_SECONDS,
        id ->
            new WorkerStore.Incarnation(
                id, "w", 1, List.of("*"), LEASE_SECONDS, "test", 1, "none", List.of()),
        () -> {
          long since = System.nanoTime();
          await().until(() -> System.nanoTime() - since > LEASE_SECONDS * 1e9);
          return new WorkerStore.Load(0, 0, null);
        },
        listener);
  }
}
