package io.errand.ops;

import io.errand.job.JobState;
import io.errand.meters.Metric;
import io.errand.store.LoginRights;
import io.errand.store.audit.AuditStore;
import io.errand.store.control.Housekeeping;
import io.errand.store.operations.OperationStore;
import io.errand.store.queues.QueueStore;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.interceptor.Interceptor;
import java.sql.SQLException;
import java.time.Duration;
import org.jboss.logging.Logger;

/**
 * Removes finished jobs and events of queues once they are old enough, in small transactions, so
 * that no other statement waits for it long. Several servers may do so at once; they share the
 * work.
 */
@ApplicationScoped
public class Retention {
  private static final Logger LOG = Logger.getLogger(Retention.class);
  private static final int BATCH = 1_000;
  private static final int MOST_BATCHES = 200; // a run; the rest is for the next one
  private static final double MILLIS_A_DAY = 86_400_000.0;

  private static final int DAYS_OF_QUEUE_EVENTS = 30;

  private final Housekeeping housekeeping;
  private final QueueStore queues;
  private final OperationStore operations;
  private final AuditStore audit;
  private final RetentionConfig config;
  private final LoginRights rights;
  private final MeterRegistry registry;
  private final Counter failed;

  Retention(
      Housekeeping housekeeping,
      QueueStore queues,
      OperationStore operations,
      AuditStore audit,
      RetentionConfig config,
      LoginRights rights,
      MeterRegistry registry) {
    this.rights = rights;
    this.registry = registry;
    this.failed = Metric.RETENTION_FAILED.counter(registry);
    for (JobState state : JobState.values()) {
      if (state.isFinal()) {
        Metric.RETENTION_REMOVED.counter(registry, state.wireName());
      }
    }
    this.housekeeping = housekeeping;
    this.queues = queues;
    this.operations = operations;
    this.audit = audit;
    this.config = config;
  }

  /** Before the scheduler starts, which is what has {@code PLATFORM_BEFORE}. */
  void check(@Observes @Priority(Interceptor.Priority.PLATFORM_BEFORE - 1) StartupEvent event) {
    config.check();
  }

  @Scheduled(every = "{errand.retention-interval}", concurrentExecution = ConcurrentExecution.SKIP)
  void run() {
    try {
      for (JobState state : JobState.values()) {
        if (state.isFinal() && config.daysOf(state) > 0) {
          removeAll(state, config.daysOf(state));
        }
      }
      Duration keys = days(config.retentionKeyDays());
      int last = BATCH;
      for (int i = 0; i < MOST_BATCHES && last == BATCH; i++) {
        last = housekeeping.forgetRemoved(keys, BATCH);
      }
      last = BATCH;
      for (int i = 0; i < MOST_BATCHES && last == BATCH; i++) {
        last = queues.forgetEvents(DAYS_OF_QUEUE_EVENTS, BATCH);
      }
      Duration ended = days(config.retentionOperationDays());
      last = BATCH;
      for (int i = 0; i < MOST_BATCHES && last == BATCH; i++) {
        last = operations.forgetFinished(ended, BATCH);
      }
      forgetAudit();
    } catch (SQLException e) {
      failed.increment();
      LOG.debugf("Old jobs stay for another while: %s", e.getMessage());
    }
  }

  private void forgetAudit() throws SQLException {
    if (config.retentionAuditDays() == 0 || !rights.now().mayForgetAudit()) {
      return;
    }
    Duration kept = days(config.retentionAuditDays());
    long last = BATCH;
    for (int i = 0; i < MOST_BATCHES && last == BATCH; i++) {
      last = audit.forget(kept, BATCH);
    }
  }

  private void removeAll(JobState state, double age) throws SQLException {
    int removed = 0;
    int last = BATCH;
    // A batch may be smaller where jobs have many dependencies.
    for (int i = 0; i < MOST_BATCHES && last > 0; i++) {
      last = housekeeping.removeFinished(state.wireName(), days(age), BATCH);
      removed += last;
    }
    if (removed > 0) {
      Metric.RETENTION_REMOVED.counter(registry, state.wireName()).increment(removed);
      LOG.infof("Removed %d %s jobs older than %s days", removed, state.wireName(), age);
    }
  }

  private static Duration days(double days) {
    return Duration.ofMillis((long) (days * MILLIS_A_DAY));
  }
}
