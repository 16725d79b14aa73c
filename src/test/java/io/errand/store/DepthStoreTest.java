package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.ProjectNames;
import io.errand.store.queues.DepthStore;
import io.errand.store.queues.DepthStore.Depth;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How deep queues were: one sample for five minutes, of the counts, for a day. */
class DepthStoreTest extends StoreFixture {
  private DepthStore store() {
    return new DepthStore(database.dataSource(), database.projectReads());
  }

  @Test
  void aSampleIsTakenOnceAndSaysWhatWaitsAndRuns() throws SQLException {
    submit();
    submit();
    DepthStore store = store();
    assertThat(store.sample()).isEqualTo(1);
    List<Depth> depths = store.depths(ProjectNames.DEFAULT, "default");
    assertThat(depths).hasSize(1);
    assertThat(depths.get(0).waiting()).isEqualTo(2);
    assertThat(depths.get(0).running()).isZero();
    assertThat(depths.get(0).at().getEpochSecond() % DepthStore.SECONDS).isZero();
    submit();
    store.sample(); // a part of the next five minutes may have begun
    assertThat(store.depths(ProjectNames.DEFAULT, "default").get(0)).isEqualTo(depths.get(0));
    assertThat(store.depths("media", "default")).isEmpty();
  }

  @Test
  void samplesOfMoreThanADayAgoAreRemoved() throws SQLException {
    database.execute(
        "INSERT INTO errand.queue_depths (queue, sampled_at, waiting, running)"
            + " VALUES ('default', now() - interval '25 hours', 7, 1),"
            + " ('default', now() - interval '23 hours', 5, 1)");
    DepthStore store = store();
    store.sample();
    assertThat(store.depths(ProjectNames.DEFAULT, "default"))
        .extracting(Depth::waiting)
        .containsExactly(5L);
    assertThat(database.value("SELECT count(*) FROM errand.queue_depths")).isEqualTo("1");
  }
}
