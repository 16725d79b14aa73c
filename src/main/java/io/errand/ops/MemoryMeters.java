package io.errand.ops;

import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Share;
import io.errand.meters.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/** Shows what of the memory budget is in use, share by share, in every role. */
@ApplicationScoped
public class MemoryMeters {
  void register(@Observes StartupEvent event, MemoryBudget budget, MeterRegistry registry) {
    for (Share share : Share.values()) {
      Metric.MEMORY_USED.gauge(registry, () -> budget.used(share), share.label());
      Metric.MEMORY_CAPACITY.gauge(registry, () -> budget.capacity(share), share.label());
    }
  }
}
