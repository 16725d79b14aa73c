package io.errand.worker;

import io.errand.store.DatabaseCheck;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import io.errand.store.control.CircuitStore;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jboss.logging.Logger;

/**
 * Reports stored completions to the circuit breakers of their queues. What cannot be reported is
 * dropped: circuits go by shares of many attempts, and a probe without a result is followed by
 * another one. For one thread.
 */
final class CircuitRecords {
  private static final Logger LOG = Logger.getLogger(CircuitRecords.class);

  private final CircuitStore store;
  private final Map<String, Attempts> byQueue = new HashMap<>();

  /** Attempts of one queue. */
  private record Attempts(List<UUID> jobs, List<String> outcomes) {}

  CircuitRecords(CircuitStore store) {
    this.store = store;
  }

  /** A completion of this job is stored. */
  void add(ClaimedJob job, Completion completion) {
    if (job.hasCircuit()) {
      Attempts attempts =
          byQueue.computeIfAbsent(
              job.queue(), name -> new Attempts(new ArrayList<>(), new ArrayList<>()));
      attempts.jobs().add(job.id());
      attempts.outcomes().add(completion.result().outcome().wireName());
    }
  }

  /**
   * Reports what was added.
   *
   * @return whether a circuit has changed its state
   */
  boolean report() {
    boolean changed = false;
    for (Map.Entry<String, Attempts> each : byQueue.entrySet()) {
      try {
        Attempts attempts = each.getValue();
        if (store.record(each.getKey(), attempts.jobs(), attempts.outcomes())) {
          changed = true;
          LOG.warnf("The circuit of queue %s has changed its state", each.getKey());
        }
      } catch (SQLException e) {
        LOG.debugf(
            "Attempts of queue %s do not count for its circuit: %s",
            each.getKey(), DatabaseCheck.description(e));
      }
    }
    byQueue.clear();
    return changed;
  }
}
