package io.errand.worker;

import io.errand.job.Outcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.IntSupplier;

/** What a worker counts. Names follow Prometheus: base units, counters end in {@code _total}. */
@ApplicationScoped
public class WorkerMeters {
  private static final Duration[] BUCKETS = {
    Duration.ofMillis(5),
    Duration.ofMillis(25),
    Duration.ofMillis(100),
    Duration.ofMillis(500),
    Duration.ofSeconds(2),
    Duration.ofSeconds(10),
    Duration.ofMinutes(1),
    Duration.ofMinutes(10),
    Duration.ofHours(1)
  };

  private final MeterRegistry registry;
  private final Counter claims;
  private final Counter leasesLost;
  private final Counter claimsLost;
  private final Timer wait;
  private final Timer run;
  private volatile boolean memoryShort;
  private final Map<Outcome, Counter> attempts = new EnumMap<>(Outcome.class);

  WorkerMeters(MeterRegistry registry) {
    this.registry = registry;
    claims = counter("errand.claims", "Jobs claimed by this worker");
    leasesLost = counter("errand.leases.lost", "Times that this worker lost its lease");
    claimsLost = counter("errand.claims.lost", "Results dropped because the claim was another's");
    wait =
        Timer.builder("errand.job.wait")
            .description("From when a job could run until it was claimed")
            .serviceLevelObjectives(BUCKETS)
            .register(registry);
    run =
        Timer.builder("errand.attempt.run")
            .description("From start to end of a command")
            .serviceLevelObjectives(BUCKETS)
            .register(registry);
    for (Outcome outcome : Outcome.values()) {
      attempts.put(
          outcome,
          Counter.builder("errand.attempts")
              .description("Attempts that ended on this worker, by outcome")
              .tag("outcome", outcome.wireName())
              .register(registry));
    }
  }

  private Counter counter(String name, String description) {
    return Counter.builder(name).description(description).register(registry);
  }

  void watchSlots(int slots, IntSupplier busy, IntSupplier waiting) {
    Gauge.builder("errand.slots", () -> slots)
        .description("Commands that this worker can run at once")
        .register(registry);
    Gauge.builder("errand.slots.busy", busy::getAsInt)
        .description("Slots that have a command")
        .register(registry);
    Gauge.builder("errand.claims.waiting", waiting::getAsInt)
        .description("Claims of this worker that wait for a slot")
        .register(registry);
    Gauge.builder("errand.slots.short.of.memory", () -> memoryShort ? 1 : 0)
        .description("1 while jobs are ready and slots free, and there is no memory for them")
        .register(registry);
  }

  void claimed(Duration waited) {
    claims.increment();
    wait.record(waited);
  }

  void ended(Outcome outcome, Duration ran) {
    Counter counter = attempts.get(outcome);
    if (counter != null) {
      counter.increment();
    }
    run.record(ran);
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
