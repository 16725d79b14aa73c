package io.errand.webhooks;

import io.errand.store.webhooks.DeliveryState;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
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
          Counter.builder("errand.webhook.tries")
              .description("Tries of webhooks that this process has made, by what followed")
              .tag("outcome", state == DeliveryState.PENDING ? "retried" : state.wireName())
              .register(registry));
    }
  }

  void watch(IntSupplier sending) {
    Gauge.builder("errand.webhook.sending", sending::getAsInt)
        .description("Webhooks that this process sends now")
        .register(registry);
  }

  void tried(DeliveryState state) {
    Counter counter = tries.get(state);
    if (counter != null) {
      counter.increment();
    }
  }
}
