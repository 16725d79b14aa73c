package io.errand.ops;

import io.errand.exec.OwnChildren;
import io.errand.meters.Metric;
import io.errand.meters.QueueLabels;
import io.errand.store.reads.MeterReads;
import io.errand.store.reads.MeterReads.Queue;
import io.errand.store.reads.MeterReads.Whole;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Timer;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Meters of what stands in the database and in {@code /proc}. A thread of its own reads both from
 * time to time; a scrape shows what was read the last time and asks nothing. While the database
 * does not answer, the meters of its contents have no value.
 */
@ApplicationScoped
public class DatabaseMeters {
  private static final Logger LOG = Logger.getLogger(DatabaseMeters.class);
  private static final List<String> CIRCUIT_STATES = List.of("closed", "open", "half_open");
  private static final Queue NONE = new Queue(QueueLabels.OTHER, Map.of(), 0, false, null, null);
  private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(15);

  private final MeterReads reads;
  private final MeterRegistry registry;
  private final MetricsConfig config;
  private final Timer duration;
  private final MultiGauge jobs;
  private final MultiGauge ages;
  private final MultiGauge paused;
  private final MultiGauge tokens;
  private final MultiGauge circuits;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread made = new Thread(task, "errand-meters");
            made.setDaemon(true);
            return made;
          });
  private volatile Map<String, Queue> queues = Map.of();
  private volatile @Nullable Whole whole;
  private volatile long readNanos;
  private volatile OwnChildren children = new OwnChildren(0, 0);

  DatabaseMeters(MeterReads reads, MeterRegistry registry, MetricsConfig config) {
    this.reads = reads;
    this.registry = registry;
    this.config = config;
    duration = Metric.DATABASE_READ.timer(registry);
    jobs = Metric.JOBS.gauges(registry);
    ages = Metric.READY_OLDEST_AGE.gauges(registry);
    paused = Metric.QUEUE_PAUSED.gauges(registry);
    tokens = Metric.QUEUE_TOKENS.gauges(registry);
    circuits = Metric.QUEUE_CIRCUIT.gauges(registry);
  }

  void start(@Observes StartupEvent event) {
    Metric.LOG_LINES_LEFT_OUT.counts(registry, this, meters -> RepeatedLines.leftOut());
    Metric.DATABASE_UP.gauge(registry, this::isUp);
    show(Metric.WORKERS_LIVE, Whole::liveWorkers);
    show(Metric.WORKERS_STALLED, Whole::stalledWorkers);
    show(Metric.SCHEDULES_LATE, Whole::lateSchedules);
    show(Metric.WEBHOOKS_PENDING, Whole::pendingWebhooks);
    show(Metric.OLDEST_TRANSACTION, Whole::oldestTransactionSeconds);
    show(Metric.DEAD_ROWS, Whole::deadRows);
    show(Metric.DATABASE_CONNECTIONS, Whole::connections);
    show(Metric.DATABASE_CONNECTIONS_MAX, Whole::maxConnections);
    Metric.CHILDREN.gauge(registry, () -> children.running(), "running");
    Metric.CHILDREN.gauge(registry, () -> children.zombies(), "zombie");
    thread.scheduleWithFixedDelay(this::look, 0, config.metricsSeconds(), TimeUnit.SECONDS);
  }

  void stop(@Observes ShutdownEvent event) {
    thread.shutdownNow();
  }

  private void show(Metric metric, ToDoubleFunction<Whole> value) {
    metric.gauge(
        registry,
        () -> {
          Whole read = whole;
          return read == null ? Double.NaN : value.applyAsDouble(read);
        });
  }

  /** A reading that hangs is none. */
  private int isUp() {
    long age = System.nanoTime() - readNanos;
    long most = TimeUnit.SECONDS.toNanos(2L * config.metricsSeconds()) + LATE_NANOS;
    return whole != null && age < most ? 1 : 0;
  }

  private void look() {
    try {
      children = OwnChildren.now();
      read();
    } catch (RuntimeException | Error e) {
      LOG.errorf(e, "The meters go on after a fault of their own");
    }
  }

  private void read() {
    long begun = System.nanoTime();
    try {
      MeterReads.Reading reading = reads.read();
      duration.record(System.nanoTime() - begun, TimeUnit.NANOSECONDS);
      queues = bounded(reading.queues());
      whole = reading.whole();
      readNanos = System.nanoTime();
    } catch (SQLException e) {
      LOG.debugf("The meters have no values of the database: %s", e.getMessage());
      queues = Map.of();
      whole = null;
    }
    showQueues();
  }

  /** The first queues by their names, and all others as one. */
  static Map<String, Queue> bounded(List<Queue> all) {
    Map<String, Queue> shown = new LinkedHashMap<>();
    Queue others = null;
    for (Queue queue : all) {
      if (shown.size() < QueueLabels.MOST) {
        shown.put(queue.name(), queue);
      } else {
        others = together(others == null ? NONE : others, queue);
      }
    }
    if (others != null) {
      shown.put(others.name(), others);
    }
    return shown;
  }

  private static Queue together(Queue one, Queue other) {
    Map<String, Long> jobs = new LinkedHashMap<>(one.jobs());
    other.jobs().forEach((state, count) -> jobs.merge(state, count, Long::sum));
    double oldest = Math.max(one.oldestReadySeconds(), other.oldestReadySeconds());
    return new Queue(QueueLabels.OTHER, jobs, oldest, false, null, null);
  }

  /** The rows stay as long as their queue is read; each shows what was read the last time. */
  private void showQueues() {
    List<MultiGauge.Row<?>> ofJobs = new ArrayList<>();
    List<MultiGauge.Row<?>> ofAges = new ArrayList<>();
    List<MultiGauge.Row<?>> ofPaused = new ArrayList<>();
    List<MultiGauge.Row<?>> ofTokens = new ArrayList<>();
    List<MultiGauge.Row<?>> ofCircuits = new ArrayList<>();
    queues.forEach(
        (name, queue) -> {
          for (String state : queue.jobs().keySet()) {
            ofJobs.add(Metric.JOBS.row(() -> value(name, q -> jobsOf(q, state)), name, state));
          }
          ofAges.add(
              Metric.READY_OLDEST_AGE.row(() -> value(name, Queue::oldestReadySeconds), name));
          ofPaused.add(Metric.QUEUE_PAUSED.row(() -> value(name, q -> q.paused() ? 1 : 0), name));
          if (queue.tokens() != null) {
            ofTokens.add(
                Metric.QUEUE_TOKENS.row(() -> value(name, DatabaseMeters::tokensOf), name));
          }
          if (queue.circuit() != null) {
            for (String state : CIRCUIT_STATES) {
              ofCircuits.add(
                  Metric.QUEUE_CIRCUIT.row(
                      () -> value(name, q -> state.equals(q.circuit()) ? 1 : 0), name, state));
            }
          }
        });
    jobs.register(ofJobs);
    ages.register(ofAges);
    paused.register(ofPaused);
    tokens.register(ofTokens);
    circuits.register(ofCircuits);
  }

  private static double jobsOf(Queue queue, String state) {
    Long count = queue.jobs().get(state);
    return count == null ? 0 : count;
  }

  private static double tokensOf(Queue queue) {
    Double tokens = queue.tokens();
    return tokens == null ? Double.NaN : tokens;
  }

  private double value(String name, ToDoubleFunction<Queue> value) {
    Queue queue = queues.get(name);
    return queue == null ? Double.NaN : value.applyAsDouble(queue);
  }
}
