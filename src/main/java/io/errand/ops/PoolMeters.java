package io.errand.ops;

import io.agroal.api.AgroalDataSource;
import io.agroal.api.AgroalDataSourceMetrics;
import io.errand.meters.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.agroal.DataSource;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/** Shows how many database connections there are, and who waits for one. */
@ApplicationScoped
public class PoolMeters {
  void register(
      @Observes StartupEvent event,
      AgroalDataSource reads,
      @DataSource("queue") AgroalDataSource queue,
      MeterRegistry registry) {
    register("reads", reads, registry);
    register("queue", queue, registry);
  }

  private static void register(String name, AgroalDataSource pool, MeterRegistry registry) {
    AgroalDataSourceMetrics counts = pool.getMetrics();
    int most = pool.getConfiguration().connectionPoolConfiguration().maxSize();
    Metric.POOL_CONNECTIONS.gauge(registry, counts::activeCount, name, "active");
    Metric.POOL_CONNECTIONS.gauge(registry, counts::availableCount, name, "idle");
    Metric.POOL_WAITING.gauge(registry, counts::awaitingCount, name);
    Metric.POOL_MAX.gauge(registry, () -> most, name);
  }
}
