package io.errand;

import io.errand.api.request.ApiConfig;
import io.errand.auth.Tokens;
import io.errand.http.Listener;
import io.errand.worker.Worker;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.smallrye.health.api.AsyncHealthCheck;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;
import org.jboss.logging.Logger;
import sun.misc.Signal;

/**
 * The server from ready to gone. The first SIGTERM or SIGINT drains it and ends in exit status 0;
 * later ones change nothing. While it drains it answers requests, but says that it is not ready.
 */
@Readiness
@ApplicationScoped
public class Server implements QuarkusApplication, AsyncHealthCheck {
  private static final Logger LOG = Logger.getLogger(Server.class);

  private final Worker worker;
  private final ApiConfig api;
  private final Tokens tokens;
  private final ServerConfig config;
  private final Listener listener;
  private final AtomicBoolean draining = new AtomicBoolean();

  Server(Worker worker, ApiConfig api, Tokens tokens, ServerConfig config, Listener listener) {
    this.worker = worker;
    this.api = api;
    this.tokens = tokens;
    this.config = config;
    this.listener = listener;
  }

  @Override
  public int run(String... arguments) throws IOException {
    Signal.handle(new Signal("TERM"), signal -> beginDrain());
    Signal.handle(new Signal("INT"), signal -> beginDrain());
    String host =
        config.httpHost().contains(":") ? "[" + config.httpHost() + "]" : config.httpHost();
    String reachable = host.equals("0.0.0.0") || host.equals("[::]") ? "127.0.0.1" : host;
    String url = "http://" + reachable + ":" + listener.start(config.httpHost(), config.httpPort());
    Path home = Path.of(config.home());
    if (api.isApi()) {
      WarmUp.begin(url, tokens.adminAuthorization());
    }
    worker.start(); // the port is ours by now, so nothing is claimed by a start that fails
    Path partial = home.resolve("url-partial");
    Files.deleteIfExists(partial);
    Files.createFile(
        partial,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(partial, url + "\n", StandardOpenOption.WRITE);
    Files.move(partial, home.resolve("url"), StandardCopyOption.ATOMIC_MOVE);
    if (!host.equals("127.0.0.1") && !host.equals("localhost") && !host.equals("[::1]")) {
      LOG.warnf(
          "Listening on %s without TLS: put a TLS-terminating proxy in front, tokens travel in clear",
          host);
    }
    System.out.println("Errand serves " + url + " (" + tokens.whereabouts() + ")");
    config
        .psqlLine()
        .ifPresent(
            line -> {
              System.out.println("The database, for psql:");
              System.out.println(line);
            });
    Quarkus.waitForExit();
    listener.stop();
    return 0;
  }

  private void beginDrain() {
    if (draining.compareAndSet(false, true)) {
      Thread drain =
          new Thread(
              () -> {
                worker.drain();
                Quarkus.asyncExit(0);
              },
              "errand-drain");
      drain.start();
    }
  }

  @Override
  public Uni<HealthCheckResponse> call() {
    return Uni.createFrom()
        .item(HealthCheckResponse.named("not draining").status(!draining.get()).build());
  }
}
