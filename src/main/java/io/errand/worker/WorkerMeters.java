package io.errand.worker;

import io.errand.job.Outcome;
import io.errand.job.TraceContext;
import io.errand.meters.Metric;
import io.errand.meters.QueueLabels;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import io.errand.store.reads.KeptOutput;
import io.errand.traces.MeasuredSpan;
import io.errand.traces.Traces;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What a worker counts. Safe from any thread. */
@ApplicationScoped
public class WorkerMeters {
  private final MeterRegistry registry;
  private final Traces traces;
  private final Counter leasesLost;
  private final Counter claimsLost;
  private final Counter missed;
  private final Counter heartbeatsFailed;
  private final Counter turnsFailed;
  private final Counter completed;
  private final Counter claimed;
  private final Timer start;
  private final Timer turn;
  private final Output stdout;
  private final Output stderr;
  private final QueueLabels labels = new QueueLabels();
  private final Map<String, OfQueue> queues = new ConcurrentHashMap<>(); // as many as labels
  private volatile boolean memoryShort;

  WorkerMeters(MeterRegistry registry, Traces traces) {
    this.registry = registry;
    this.traces = traces;
    leasesLost = Metric.LEASES_LOST.counter(registry);
    claimsLost = Metric.CLAIMS_LOST.counter(registry);
    missed = Metric.NOTIFICATIONS_MISSED.counter(registry);
    heartbeatsFailed = Metric.HEARTBEATS_FAILED.counter(registry);
    turnsFailed = Metric.TURNS_FAILED.counter(registry);
    completed = Metric.TURN_ROWS.counter(registry, "completed");
    claimed = Metric.TURN_ROWS.counter(registry, "claimed");
    start = Metric.ATTEMPT_START.timer(registry);
    turn = Metric.TURN.timer(registry);
    stdout = new Output(registry, "stdout");
    stderr = new Output(registry, "stderr");
  }

  /** What commands print to one stream. */
  private static final class Output {
    private final Counter bytes;
    private final Counter dropped;

    Output(MeterRegistry registry, String stream) {
      bytes = Metric.OUTPUT_BYTES.counter(registry, stream);
      dropped = Metric.OUTPUT_DROPPED_BYTES.counter(registry, stream);
    }

    void add(KeptOutput output) {
      bytes.increment(output.totalBytes());
      dropped.increment(output.droppedBytes());
    }
  }

  /** The meters of one queue; all of them exist from its first claim, so that rates are right. */
  private static final class OfQueue {
    private final Counter claims;
    private final Timer wait;
    private final Timer run;
    private final Map<Outcome, Counter> attempts = new EnumMap<>(Outcome.class);

    OfQueue(MeterRegistry registry, String label) {
      claims = Metric.CLAIMS.counter(registry, label);
      wait = Metric.JOB_WAIT.timer(registry, label);
      run = Metric.ATTEMPT_RUN.timer(registry, label);
      for (Outcome outcome : Outcome.values()) {
        attempts.put(outcome, Metric.ATTEMPTS.counter(registry, outcome.wireName(), label));
      }
    }

    void ended(Outcome outcome, Duration ran) {
      Counter counter = attempts.get(outcome);
      if (counter != null) {
        counter.increment();
      }
      run.record(ran);
    }
  }

  private OfQueue of(String queue) {
    return queues.computeIfAbsent(labels.of(queue), label -> new OfQueue(registry, label));
  }

  /** That of the attempt, which exemplars name. */
  private @Nullable TraceContext span(ClaimedJob job) {
    TraceContext trace = job.call().trace();
    return trace == null || !traces.isOn()
        ? null
        : traces.ofAttempt(trace, job.id(), job.attempt());
  }

  void watchSlots(int slots, IntSupplier busy, IntSupplier waiting) {
    Metric.SLOTS.gauge(registry, () -> slots);
    Metric.SLOTS_BUSY.gauge(registry, busy::getAsInt);
    Metric.CLAIMS_WAITING.gauge(registry, waiting::getAsInt);
    Metric.SHORT_OF_MEMORY.gauge(registry, () -> memoryShort ? 1 : 0);
  }

  /**
   * Shows what keeps this worker's commands.
   *
   * @param leaseNanos until they would be ended
   * @param guardianRestarts how often it was replaced
   */
  void watchLease(LongSupplier leaseNanos, LongSupplier guardianRestarts) {
    Metric.LEASE_REMAINING.gauge(registry, () -> Math.max(0, leaseNanos.getAsLong() / 1e9));
    Metric.GUARDIAN_RESTARTS.counts(registry, guardianRestarts, LongSupplier::getAsLong);
  }

  void claimed(ClaimedJob job) {
    OfQueue meters = of(job.queue());
    meters.claims.increment();
    MeasuredSpan.with(span(job), () -> meters.wait.record(job.waited()));
  }

  /** A claim that came so long ago starts its command. */
  void starts(ClaimedJob job, Duration sinceClaim) {
    MeasuredSpan.with(span(job), () -> start.record(sinceClaim));
  }

  void ended(ClaimedJob job, Completion completion, Duration ran) {
    OfQueue meters = of(job.queue());
    MeasuredSpan.with(span(job), () -> meters.ended(completion.result().outcome(), ran));
    stdout.add(completion.stdout());
    stderr.add(completion.stderr());
  }

  /**
   * One statement of the dispatcher has stored and claimed so many, and took so long.
   *
   * @param polled whether it was made because a poll was due, and not because of a notification
   */
  void turn(long nanos, int stored, int taken, boolean polled) {
    if (polled && taken > 0) {
      missed.increment();
    }
    turn.record(Duration.ofNanos(nanos));
    completed.increment(stored);
    claimed.increment(taken);
  }

  void turnFailed() {
    turnsFailed.increment();
  }

  void heartbeatFailed() {
    heartbeatsFailed.increment();
  }

  /** Whether jobs are ready that this worker has slots for, and no memory. */
  void waitsForMemory(boolean waits) {
    memoryShort = waits;
  }

  void leaseLost() {
    leasesLost.increment();
  }

  void claimLost() {
    claimsLost.increment();
  }
}
