package io.errand;

import io.errand.api.request.ApiConfig;
import io.errand.api.submit.SubmitRehearsal;
import io.errand.auth.ConsoleSessions;
import io.errand.auth.Identities;
import io.errand.http.Listener;
import io.errand.store.access.SessionStore;
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
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;
import org.jspecify.annotations.Nullable;

/**
 * The server from ready to gone. The first {@link EndRequest} drains it and ends in exit status 0.
 * While it drains it answers requests, but says that it is not ready.
 */
@Readiness
@ApplicationScoped
public class Server implements QuarkusApplication, AsyncHealthCheck {
  private final Worker worker;
  private final ApiConfig api;
  private final Identities identities;
  private final ServerConfig config;
  private final Listener listener;
  private final SubmitRehearsal rehearsal;
  private final ConsoleSessions console;
  private final AtomicBoolean draining = new AtomicBoolean();
  private @Nullable Thread warmUp;

  Server(
      Worker worker,
      ApiConfig api,
      Identities identities,
      ServerConfig config,
      Listener listener,
      SubmitRehearsal rehearsal,
      ConsoleSessions console) {
    this.worker = worker;
    this.api = api;
    this.identities = identities;
    this.config = config;
    this.listener = listener;
    this.rehearsal = rehearsal;
    this.console = console;
  }

  @Override
  public int run(String... arguments) throws IOException {
    if (EndRequest.isReceived()) {
      return 0;
    }
    String own = url(config.httpHost(), listener.start(config.httpHost(), config.httpPort()));
    listenForManagement();
    worker.start(); // the port is ours by now, so nothing is claimed by a start that fails
    if (!EndRequest.isReceived()) {
      announce(own);
    }
    EndRequest.whenReceived(this::beginDrain);
    Quarkus.waitForExit();
    awaitWarmUp();
    listener.stop();
    return 0;
  }

  private String url(String address, int port) {
    String host = address.contains(":") ? "[" + address + "]" : address;
    String reachable = host.equals("0.0.0.0") || host.equals("[::]") ? "127.0.0.1" : host;
    return (listener.isEncrypted() ? "https://" : "http://") + reachable + ":" + port;
  }

  private void listenForManagement() throws IOException {
    Files.deleteIfExists(Path.of(config.home()).resolve("management-url")); // of a predecessor
    if (config.managementPort().isPresent()) {
      String host = config.managementHost().orElse(config.httpHost());
      String url = url(host, listener.startManagement(host, config.managementPort().get()));
      write("management-url", url);
      System.out.println("Health checks and metrics: " + url);
    }
  }

  /** Writes a line into a file of the data directory, which is there whole or not at all. */
  private void write(String name, String line) throws IOException {
    Path home = Path.of(config.home());
    Path partial = home.resolve(name + "-partial");
    Files.deleteIfExists(partial);
    Files.createFile(
        partial,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(partial, line + "\n", StandardOpenOption.WRITE);
    Files.move(partial, home.resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Lets clients find it, and says so. */
  private void announce(String own) throws IOException {
    String url = config.publicUrl().orElse(own);
    if (api.isApi()) {
      warmUp =
          WarmUp.begin(
              own, listener.certificates(), identities.adminAuthorization(), rehearsal::run);
    } else {
      OpenJars.close();
    }
    write("url", url);
    System.out.println("Errand serves " + url + " (" + identities.whereabouts() + ")");
    if (api.isApi()) {
      announceConsole(url);
    }
    config
        .psqlLine()
        .ifPresent(
            line -> {
              System.out.println("The database, for psql:");
              System.out.println(line);
            });
  }

  /** Prints a link that signs in once; without the database there is none, and a key will do. */
  private void announceConsole(String url) {
    try {
      System.out.println("The console, once and within " + SessionStore.LINK_MINUTES + " minutes:");
      System.out.println(url + "/console/login?link=" + console.makeLink());
    } catch (SQLException e) {
      System.out.println(url + "/console");
    }
  }

  /** The framework must not stop below a request of our own. */
  private void awaitWarmUp() {
    Thread asking = warmUp;
    try {
      if (asking != null) {
        asking.join(WarmUp.LONGEST_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
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
