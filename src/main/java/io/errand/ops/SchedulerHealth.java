package io.errand.ops;

import io.quarkus.scheduler.Scheduled;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/**
 * Alive: this process answers and its scheduler ticks. Never the database: a restart would not
 * bring that back, and would end every running command.
 */
@Liveness
@ApplicationScoped
public class SchedulerHealth implements HealthCheck {
  private static final long MOST_SILENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private volatile long tickedNanos = System.nanoTime();

  @Scheduled(every = "5s")
  void tick() {
    tickedNanos = System.nanoTime();
  }

  @Override
  public HealthCheckResponse call() {
    long silence = System.nanoTime() - tickedNanos;
    return HealthCheckResponse.named("scheduler")
        .status(silence < MOST_SILENCE_NANOS)
        .withData("seconds_since_tick", TimeUnit.NANOSECONDS.toSeconds(silence))
        .build();
  }
}
