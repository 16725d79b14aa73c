package io.errand.ops;

import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Share;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/** Shows what of the memory budget is in use, share by share, in every role. */
@ApplicationScoped
public class MemoryMeters {
  void register(@Observes StartupEvent event, MemoryBudget budget, MeterRegistry registry) {
    for (Share share : Share.values()) {
      Gauge.builder("errand.memory.budget.used", () -> budget.used(share))
          .description("Bytes of the heap that are reserved, by what they are for")
          .baseUnit("bytes")
          .tag("share", share.label())
          .register(registry);
      Gauge.builder("errand.memory.budget.capacity", () -> budget.capacity(share))
          .description("Bytes of the heap that may be reserved, by what they are for")
          .baseUnit("bytes")
          .tag("share", share.label())
          .register(registry);
    }
  }
}
