package io.errand.ops;

import io.errand.store.queues.DepthStore;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import org.jboss.logging.Logger;

/** Notes how deep the queues are. Every server looks; the first of each five minutes writes. */
@ApplicationScoped
public class DepthSamples {
  private static final Logger LOG = Logger.getLogger(DepthSamples.class);

  private final DepthStore store;

  DepthSamples(DepthStore store) {
    this.store = store;
  }

  @Scheduled(every = "60s", delayed = "5s", concurrentExecution = ConcurrentExecution.SKIP)
  void run() {
    try {
      store.sample();
    } catch (SQLException e) {
      LOG.debugf("No depth of queues is noted: %s", e.getMessage());
    }
  }
}
