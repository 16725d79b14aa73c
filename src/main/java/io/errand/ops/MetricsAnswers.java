package io.errand.ops;

import io.micrometer.prometheus.PrometheusMeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Answers scrapes on a thread of their own, so that they do not wait behind requests. The gate
 * bounds how many there are.
 */
@ApplicationScoped
public class MetricsAnswers {
  private static final int BEFORE_THE_FRAMEWORK = -1;
  private static final String OPEN_METRICS =
      "application/openmetrics-text; version=1.0.0; charset=utf-8";
  private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";

  private final PrometheusMeterRegistry registry;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread made = new Thread(task, "errand-metrics");
            made.setDaemon(true);
            return made;
          });

  MetricsAnswers(PrometheusMeterRegistry registry) {
    this.registry = registry;
  }

  void install(@Observes Router router) {
    router
        .route("/q/metrics")
        .order(BEFORE_THE_FRAMEWORK)
        .handler(context -> thread.execute(() -> answer(context)));
  }

  void stop(@Observes ShutdownEvent event) {
    thread.shutdownNow();
  }

  private void answer(RoutingContext context) {
    if (context.response().closed()) {
      return;
    }
    try {
      String type = type(context.request().getHeader(HttpHeaders.ACCEPT));
      Buffer text = Buffer.buffer(registry.scrape(type));
      context.response().putHeader(HttpHeaders.CONTENT_TYPE, type).end(text);
    } catch (RuntimeException | Error e) {
      context.fail(e);
    }
  }

  /** As the framework chooses it: text where it is asked for. */
  private static String type(@Nullable String accepted) {
    return accepted != null && (accepted.contains("text/plain") || accepted.contains("text/html"))
        ? TEXT
        : OPEN_METRICS;
  }
}
