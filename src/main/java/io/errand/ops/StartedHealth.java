package io.errand.ops;

import io.quarkus.runtime.StartupEvent;
import io.smallrye.health.api.AsyncHealthCheck;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Startup;

/** Started: everything that runs at start has run. */
@Startup
@ApplicationScoped
public class StartedHealth implements AsyncHealthCheck {
  private volatile boolean started;

  void start(@Observes @Priority(Integer.MAX_VALUE) StartupEvent event) {
    started = true;
  }

  @Override
  public Uni<HealthCheckResponse> call() {
    return Uni.createFrom().item(HealthCheckResponse.named("started").status(started).build());
  }
}
