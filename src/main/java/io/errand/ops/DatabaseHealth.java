package io.errand.ops;

import io.errand.disk.FreeSpace;
import io.errand.store.DatabaseCheck;
import io.errand.store.SchemaReads;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.health.api.AsyncHealthCheck;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;
import org.jspecify.annotations.Nullable;

/**
 * Ready: the database answers, takes writes, and holds the schema that this build knows. A thread
 * of its own asks the database, at most once a second and for all probes together, so that no probe
 * waits behind requests. A probe waits for the answer for a second, and then gets the last one, as
 * long as that is not too old.
 */
@Readiness
@ApplicationScoped
public class DatabaseHealth implements AsyncHealthCheck {
  private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long MOST_AGE_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long PATIENCE_MILLIS = 1_000;

  private final SchemaReads schema;
  private final FreeSpace space;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread made = new Thread(task, "errand-health");
            made.setDaemon(true);
            return made;
          });
  private volatile @Nullable Answer last;
  private @Nullable CompletableFuture<Void> asking;

  DatabaseHealth(SchemaReads schema, FreeSpace space) {
    this.space = space;
    this.schema = schema;
  }

  /** What the database said: a version, or why there is none. */
  private record Answer(@Nullable String version, @Nullable String reason, long nanos) {
    long age() {
      return System.nanoTime() - nanos;
    }
  }

  void start(@Observes StartupEvent event) {
    ask();
  }

  void stop(@Observes ShutdownEvent event) {
    thread.shutdownNow();
  }

  @Override
  public Uni<HealthCheckResponse> call() {
    Answer known = last;
    if (known != null && known.age() < FRESH_NANOS) {
      return Uni.createFrom().item(response(known));
    }
    CompletableFuture<HealthCheckResponse> answer =
        asked()
            .copy()
            .completeOnTimeout(null, PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
            .thenApply(asked -> response(last));
    return Uni.createFrom().completionStage(answer);
  }

  /** Completes when the database has answered the one who asks now, or has asked already. */
  private synchronized CompletableFuture<Void> asked() {
    CompletableFuture<Void> running = asking;
    if (running == null || running.isDone()) {
      running = CompletableFuture.runAsync(this::ask, thread);
      asking = running;
    }
    return running;
  }

  private void ask() {
    long begun = System.nanoTime();
    try {
      last = new Answer(schema.version(), null, begun);
    } catch (SQLException e) {
      last = new Answer(null, DatabaseCheck.reason(e), begun);
    }
  }

  private HealthCheckResponse response(@Nullable Answer known) {
    if (known == null || known.age() > MOST_AGE_NANOS) {
      return HealthCheckResponse.named("database")
          .down()
          .withData("reason", "the database has not answered for a while")
          .build();
    }
    String version = known.version();
    return version == null
        ? HealthCheckResponse.named("database")
            .down()
            .withData("reason", String.valueOf(known.reason()))
            .build()
        : HealthCheckResponse.named("database")
            .up()
            .withData("schema_version", version)
            .withData("accepts_jobs", !space.isShort())
            .build();
  }
}
