package io.errand.ops;

import io.quarkus.scheduler.Scheduled;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.health.api.AsyncHealthCheck;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/**
 * Alive: this process answers and its scheduler ticks. Never the database: a restart would not
 * bring that back, and would end every running command.
 */
@Liveness
@ApplicationScoped
public class SchedulerHealth implements AsyncHealthCheck {
  private static final long MOST_SILENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private volatile long tickedNanos = System.nanoTime();

  /** On an event loop: requests may keep all other threads busy. */
  @Scheduled(every = "5s")
  @NonBlocking
  void tick() {
    tickedNanos = System.nanoTime();
  }

  @Override
  public Uni<HealthCheckResponse> call() {
    long silence = System.nanoTime() - tickedNanos;
    return Uni.createFrom()
        .item(
            HealthCheckResponse.named("scheduler")
                .status(silence < MOST_SILENCE_NANOS)
                .withData("seconds_since_tick", TimeUnit.NANOSECONDS.toSeconds(silence))
                .build());
  }
}
