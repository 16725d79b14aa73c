package io.errand.api.request;

import io.vertx.core.http.HttpServerRequest;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Set;

/**
 * Where probes and scrapers are answered: on the port of the API, or on one of their own, where
 * nothing else is served.
 */
@ApplicationScoped
public class Management {
  private static final String METRICS = "/q/metrics";
  private static final Set<String> PATHS =
      Set.of("/q/health", "/q/health/live", "/q/health/ready", "/q/health/started", METRICS);

  private final boolean hasOwnPort;
  private final boolean showsMetrics;
  private volatile int port = -1;

  Management(ApiConfig config) {
    hasOwnPort = config.managementPort().isPresent();
    showsMetrics = !config.metrics().equals("closed");
  }

  /** Whether probes and scrapers have a port of their own. */
  public boolean hasOwnPort() {
    return hasOwnPort;
  }

  /** That port, once it is listened on. */
  public void listensOn(int actualPort) {
    port = actualPort;
  }

  /** Whether a request has come in by that port. */
  boolean isOf(HttpServerRequest request) {
    return hasOwnPort && request.localAddress().port() == port;
  }

  /**
   * Whether a path that needs no token is served to a request.
   *
   * @param path one of those
   */
  boolean serves(String path, HttpServerRequest request) {
    if (path.equals(METRICS) && !showsMetrics) {
      return false;
    }
    return !hasOwnPort || PATHS.contains(path) == isOf(request);
  }
}
