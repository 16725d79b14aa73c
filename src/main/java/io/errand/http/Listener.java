package io.errand.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.problem.Problem;
import io.errand.api.request.ApiConfig;
import io.errand.api.request.HeldRequests;
import io.errand.api.request.Management;
import io.errand.api.request.RequestMeters;
import io.errand.memory.MemoryBudget;
import io.errand.meters.Metric;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import io.quarkus.vertx.http.runtime.VertxHttpRecorder;
import io.vertx.core.AbstractVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.impl.ConnectionBase;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.BindException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Listens for HTTP/1 and gives what is good to the framework's routes. The framework's own listener
 * is off: its parser is lenient, and its connections have no order in which they could be ended
 * (ADR 18).
 */
@ApplicationScoped
public class Listener {
  private static final Logger LOG = Logger.getLogger(Listener.class);

  /** For Vert.x: one free port for all event loops; another number is another port. */
  private static final int ANY_PORT = -1;

  private static final int ANY_OTHER_PORT = -2;

  private static final int SWEEP_MILLIS = 250;
  private static final int STOP_SECONDS = 10;
  private static final int ACCEPT_BACKLOG = 4096;

  /** The kernel doubles it. A reader of 4 KB a second makes visible progress in half a minute. */
  private static final int SEND_BUFFER_BYTES = 128 * 1024;

  private final Vertx vertx;
  private final HttpLimits limits;
  private final Tls tls;
  private final ApiConfig api;
  private final RequestMeters meters;
  private final Refusals refusals;
  private final HeadMemory headMemory;
  private final Connections connections;
  private final Counter evictions;
  private final Counter rejections;
  private final Management management;
  private final List<String> deployments = new CopyOnWriteArrayList<>();
  private volatile boolean stopping;

  Listener(
      Vertx vertx,
      HttpLimits limits,
      Tls tls,
      ApiConfig api,
      RequestMeters meters,
      MeterRegistry registry,
      MemoryBudget budget,
      HeldRequests held,
      Management management,
      ObjectMapper mapper) {
    this.management = management;
    this.vertx = vertx;
    this.limits = limits;
    this.tls = tls;
    this.api = api;
    this.meters = meters;
    this.refusals = new Refusals(mapper, tls.isOn());
    this.headMemory = new HeadMemory(budget);
    int most =
        tls.isOn()
            ? limits.mostEncrypted(Runtime.getRuntime().maxMemory())
            : limits.mostConnections();
    this.connections = new Connections(most);
    held.bound(limits.mostHeldRequests(most));
    this.evictions = Metric.CONNECTIONS_EVICTED.counter(registry);
    this.rejections = Metric.CONNECTIONS_REFUSED.counter(registry);
    Metric.CONNECTIONS.gauge(registry, connections::open);
  }

  /**
   * Begins to listen.
   *
   * @param wantedPort 0 for a free one
   * @return the port
   * @throws IllegalStateException where that address cannot be listened on
   */
  public int start(String host, int wantedPort) {
    tls.start();
    return listen(
        host, wantedPort == 0 ? ANY_PORT : wantedPort, "set ERRAND_HTTP_HOST and ERRAND_HTTP_PORT");
  }

  /**
   * The same for health checks and metrics, after {@link #start}.
   *
   * @param wantedPort 0 for a free one
   * @return the port
   * @throws IllegalStateException where that address cannot be listened on
   */
  public int startManagement(String host, int wantedPort) {
    int chosen =
        listen(
            host,
            wantedPort == 0 ? ANY_OTHER_PORT : wantedPort,
            "set ERRAND_MANAGEMENT_HOST and ERRAND_MANAGEMENT_PORT");
    management.listensOn(chosen);
    return chosen;
  }

  private int listen(String host, int wantedPort, String advice) {
    AtomicInteger port = new AtomicInteger();
    int eventLoops = 0;
    for (var ignored : vertx.nettyEventLoopGroup()) {
      eventLoops++;
    }
    try {
      deployments.add(
          vertx
              .deployVerticle(
                  () -> new EventLoopServer(host, wantedPort, port),
                  new DeploymentOptions().setInstances(eventLoops))
              .toCompletionStage()
              .toCompletableFuture()
              .join());
    } catch (CompletionException e) {
      Throwable cause = e.getCause();
      String why =
          cause instanceof BindException || cause == null
              ? "something else listens there, or the address is not of this host"
              : String.valueOf(cause.getMessage());
      throw new IllegalStateException(
          "cannot listen on " + host + ":" + wantedPort + ": " + why + "; " + advice, null);
    }
    return port.get();
  }

  /** Whether clients speak TLS with it. */
  public boolean isEncrypted() {
    return tls.isOn();
  }

  /** The certificates that clients are shown one of; none where they speak no TLS. */
  public List<X509Certificate> certificates() {
    return tls.certificates();
  }

  /** Stops listening and closes all connections. */
  public void stop() {
    stopping = true;
    deployments.forEach(this::undeploy);
  }

  private void undeploy(String running) {
    try {
      vertx
          .undeploy(running)
          .toCompletionStage()
          .toCompletableFuture()
          .get(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("The HTTP listener did not stop in order", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  Connections connections() {
    return connections;
  }

  HttpLimits limits() {
    return limits;
  }

  HeadMemory headMemory() {
    return headMemory;
  }

  Refusals refusals() {
    return refusals;
  }

  int requestSeconds() {
    return api.requestSeconds();
  }

  boolean isStopping() {
    return stopping;
  }

  void count(Problem problem, long nanos) {
    meters.refused(problem.status(), nanos);
  }

  void countEviction() {
    evictions.increment();
  }

  void countRefusal() {
    rejections.increment();
  }

  private HttpServerOptions options() {
    // The bounds of the parser behind ours are above ours, so that it refuses nothing by itself.
    return new HttpServerOptions()
        .setHttp2ClearTextEnabled(false)
        .setAcceptBacklog(ACCEPT_BACKLOG)
        .setSendBufferSize(SEND_BUFFER_BYTES)
        .setMaxInitialLineLength(2 * RequestHead.MOST_LINE_BYTES)
        .setMaxHeaderSize(2 * RequestHead.MOST_BYTES);
  }

  /** The server on one event loop. */
  private final class EventLoopServer extends AbstractVerticle {
    private final String host;
    private final int wantedPort;
    private final AtomicInteger port;
    private final EventLoopConnections loop = new EventLoopConnections(Listener.this);
    private @Nullable HttpServer server;

    EventLoopServer(String host, int wantedPort, AtomicInteger port) {
      this.port = port;
      this.host = host;
      this.wantedPort = wantedPort;
    }

    @Override
    public void start(Promise<Void> started) {
      HttpServer made = vertx.createHttpServer(options());
      server = made;
      vertx.setPeriodic(SWEEP_MILLIS, tick -> loop.sweep());
      made.requestHandler(VertxHttpRecorder.getRootHandler())
          .connectionHandler(this::prepare)
          .listen(wantedPort, host)
          .onSuccess(listening -> port.set(listening.actualPort()))
          .<Void>mapEmpty()
          .onComplete(started);
    }

    @Override
    public void stop(Promise<Void> stopped) {
      HttpServer running = server;
      if (running == null) {
        stopped.complete();
      } else {
        running.close().onComplete(stopped);
      }
    }

    private void prepare(HttpConnection connection) {
      ChannelPipeline pipeline = ((ConnectionBase) connection).channel().pipeline();
      ConnectionHandler handler = new ConnectionHandler(loop);
      pipeline.addAfter("httpEncoder", "errand-answers", handler.answers());
      pipeline.addFirst("errand-connection", handler);
      SslHandler encryption = tls.handler(((ConnectionBase) connection).channel().alloc());
      if (encryption != null) {
        pipeline.addFirst("errand-tls", encryption);
      }
    }
  }
}
