package io.errand.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.meters.QueueLabels;
import io.errand.store.reads.MeterReads.Queue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DatabaseMetersTest {
  private static Queue queue(String name, long queued, double oldest) {
    return new Queue(name, Map.of("queued", queued), oldest, true, "open", 1.0);
  }

  @Test
  void queuesBeyondTheBoundAreShownAsOne() {
    List<Queue> all = new ArrayList<>();
    for (int i = 0; i < QueueLabels.MOST; i++) {
      all.add(queue("q" + i, 1, 0));
    }
    assertThat(DatabaseMeters.bounded(all)).hasSize(QueueLabels.MOST).doesNotContainKey("_other");
    all.add(queue("x", 2, 30));
    all.add(queue("y", 3, 20));
    Map<String, Queue> shown = DatabaseMeters.bounded(all);
    assertThat(shown).hasSize(QueueLabels.MOST + 1);
    assertThat(shown.get("_other"))
        .isEqualTo(new Queue("_other", Map.of("queued", 5L), 30, false, null, null));
  }

  @Test
  void oneQueueBeyondTheBoundIsOtherToo() {
    List<Queue> all = new ArrayList<>();
    for (int i = 0; i <= QueueLabels.MOST; i++) {
      all.add(queue("q" + i, 1, 7));
    }
    assertThat(DatabaseMeters.bounded(all).get("_other"))
        .isEqualTo(new Queue("_other", Map.of("queued", 1L), 7, false, null, null));
  }
}
