package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.exec.OutputListener;
import io.errand.job.Backoff;
import io.errand.job.Call;
import io.errand.job.Confinement;
import io.errand.job.OnLost;
import io.errand.job.RetryPolicy;
import io.errand.store.claim.ClaimedJob;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.Test;

/** What is buffered for viewers while the database is slow. */
class LiveOutputSenderTest {
  @Test
  @SuppressWarnings("NullAway") // it writes nothing here, so it needs no store
  void theOutputOfManyWatchedJobsIsBoundedInAll() throws InterruptedException {
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    CountDownLatch written = new CountDownLatch(1);
    timer.execute(
        () -> {
          try {
            written.await(); // a statement that takes its time
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    try {
      LiveOutputSender feed = new LiveOutputSender(null, null, timer);
      List<OutputListener> listeners = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        listeners.add(feed.begin(job()));
      }
      int most = 0;
      for (int round = 0; round < 10; round++) {
        for (OutputListener listener : listeners) {
          listener.onOutput(round % 2 == 0, round * 50_000L, new byte[50_000]);
          most = Math.max(most, feed.bufferedBytes());
        }
      }
      assertThat(most)
          .isBetween(
              LiveOutputSender.MOST_BYTES_IN_ALL - 100_000, LiveOutputSender.MOST_BYTES_IN_ALL);
      listeners.get(0).onOutput(true, 0, new byte[5_000_000]); // more than all at once
      assertThat(feed.bufferedBytes()).isLessThanOrEqualTo(LiveOutputSender.MOST_BYTES_IN_ALL);
    } finally {
      timer.shutdownNow();
    }
  }

  private static ClaimedJob job() {
    return new ClaimedJob(
        UUID.randomUUID(),
        UUID.randomUUID(),
        Instant.EPOCH,
        null,
        1,
        1,
        "default",
        Duration.ZERO,
        Instant.EPOCH,
        List.of("true"),
        Map.of(),
        null,
        null,
        null,
        Duration.ofSeconds(1),
        Duration.ofSeconds(1),
        0,
        0,
        new RetryPolicy(1, Backoff.DEFAULT, List.of(), Set.of(0), OnLost.RETRY),
        Confinement.NONE,
        false,
        false,
        Call.NONE,
        0);
  }
}
