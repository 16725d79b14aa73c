package io.errand.webhooks;

import io.errand.meters.Metric;
import io.errand.store.webhooks.DeliveryState;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.IntSupplier;

/** What a process that delivers counts. */
@ApplicationScoped
public class WebhookMeters {
  private final MeterRegistry registry;
  private final Map<DeliveryState, Counter> tries = new EnumMap<>(DeliveryState.class);

  WebhookMeters(MeterRegistry registry) {
    this.registry = registry;
    for (DeliveryState state : DeliveryState.values()) {
      tries.put(
          state,
          Metric.WEBHOOK_TRIES.counter(
              registry, state == DeliveryState.PENDING ? "retried" : state.wireName()));
    }
  }

  void watch(IntSupplier sending) {
    Metric.WEBHOOK_SENDING.gauge(registry, sending::getAsInt);
  }

  void tried(DeliveryState state) {
    Counter counter = tries.get(state);
    if (counter != null) {
      counter.increment();
    }
  }
}
