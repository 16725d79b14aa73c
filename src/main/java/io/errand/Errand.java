package io.errand;

import io.errand.embedded.DataDirectory;
import io.errand.embedded.EmbeddedPostgres;
import io.errand.embedded.HomeLock;
import io.errand.exec.Accounts;
import io.errand.exec.PassableParents;
import io.errand.exec.TrustedPath;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The way in: takes the data directory, starts the built-in database unless there is another, and
 * then the server.
 */
@QuarkusMain
public final class Errand {
  private static final List<String> NUMBERS =
      List.of(
          "http-port",
          "worker-slots",
          "lease-seconds",
          "drain-seconds",
          "poll-seconds",
          "request-seconds",
          "database-pool",
          "retention-days",
          "retention-days-succeeded",
          "retention-days-failed",
          "retention-days-cancelled",
          "retention-key-days",
          "limit-memory-bytes",
          "limit-cpu-seconds",
          "limit-processes",
          "limit-file-size-bytes",
          "limit-open-files",
          "limit-disk-bytes",
          "limit-disk-files",
          "min-free-bytes");

  private static final long MOST_CONNECTIONS = 20_000;

  private static @Nullable EmbeddedPostgres postgres;

  /** Kept for as long as this process lives: a channel that is collected gives its lock back. */
  @SuppressWarnings("unused")
  private static @Nullable HomeLock lock;

  private Errand() {}

  /** Starts the server; returns when it has ended. */
  public static void main(String... arguments) {
    try {
      prepare();
    } catch (IOException | IllegalStateException e) {
      System.err.println("errand: " + e.getMessage());
      System.exit(1);
    } catch (InterruptedException e) {
      System.exit(130);
    }
    Quarkus.run(Server.class, Errand::end, arguments);
  }

  private static void prepare() throws IOException, InterruptedException {
    checkSettings();
    Path home = DataDirectory.of(setting("errand.home"));
    TrustedPath.make(home);
    if (System.getProperty("user.name", "").equals("root")) {
      // To what is theirs in it: a database, or a command's own directory.
      Files.setPosixFilePermissions(home, PassableParents.PERMISSIONS);
    }
    lock = HomeLock.take(home);
    Files.deleteIfExists(home.resolve("url")); // of a predecessor; ours is written once it is true
    System.setProperty("errand.home", home.toString());
    System.setProperty("jna.tmpdir", home.toString()); // /tmp may be mounted noexec
    // In /tmp anybody could make it first, or move it away.
    System.setProperty("quarkus.vertx.cache-directory", home.resolve("vertx-cache").toString());
    System.setProperty("quarkus.http.limits.max-connections", Long.toString(mostConnections()));
    if (setting("errand.database-url") == null) {
      EmbeddedPostgres started = EmbeddedPostgres.start(home);
      postgres = started;
      Runtime.getRuntime().addShutdownHook(new Thread(Errand::stopDatabase, "errand-postgres"));
      System.setProperty("errand.database-url", started.jdbcUrl());
      System.setProperty("errand.database-user", EmbeddedPostgres.ROLE);
      System.setProperty("errand.database-password", started.password());
      System.setProperty("errand.psql-line", started.psqlLine());
      Thread watch = new Thread(() -> watch(started), "errand-postgres-watch");
      watch.setDaemon(true);
      watch.start();
    }
    if (!"api".equals(setting("errand.roles"))) {
      Accounts.choose(setting("errand.run-as"), home); // what it refuses is said before the start
    }
  }

  /**
   * Three quarters of the descriptors that this process may have: the rest is kept for commands,
   * the database and files. The JVM raises its soft limit to the hard one.
   */
  private static long mostConnections() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
      if (line.startsWith("Max open files")) {
        String soft = line.trim().split("\\s+")[3];
        long descriptors =
            soft.equals("unlimited") ? MOST_CONNECTIONS : Long.parseLong(soft) / 4 * 3;
        return Math.max(1, Math.min(MOST_CONNECTIONS, descriptors));
      }
    }
    return MOST_CONNECTIONS;
  }

  /**
   * A server whose own database has ended is of no use, and cannot start it again: it is the parent
   * of all that is orphaned below it, and ends that. So it says so and ends.
   */
  private static void watch(EmbeddedPostgres database) {
    try {
      while (!database.hasEnded()) {
        TimeUnit.SECONDS.sleep(1);
      }
      System.err.println(
          "errand: the built-in database has ended by itself or was killed; see postgres.log in the"
              + " data directory, and start errand again: nothing that was accepted is lost");
      Quarkus.asyncExit(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void end(int exitCode, @Nullable Throwable fault) {
    stopDatabase();
    if (fault != null) {
      System.err.println("errand: " + rootOf(fault).getMessage());
    }
    Runtime.getRuntime().halt(fault != null && exitCode == 0 ? 1 : exitCode);
  }

  private static synchronized void stopDatabase() {
    EmbeddedPostgres running = postgres;
    postgres = null;
    if (running != null) {
      try {
        running.close();
      } catch (IOException | IllegalStateException e) {
        System.err.println("errand: " + e.getMessage());
      }
    }
  }

  private static Throwable rootOf(Throwable fault) {
    Throwable root = fault;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root;
  }

  /** What would otherwise fail late and at length. */
  private static void checkSettings() {
    for (String name : NUMBERS) {
      String value = setting("errand." + name);
      if (value != null && !value.trim().matches("-?[0-9]+(\\.[0-9]+)?")) {
        throw new IllegalStateException(
            environmentName("errand." + name) + " is '" + value + "'; set it to a number");
      }
    }
    String requestSeconds = setting("errand.request-seconds");
    if (requestSeconds != null && !requestSeconds.trim().matches("[1-9][0-9]{0,3}")) {
      throw new IllegalStateException(
          "ERRAND_REQUEST_SECONDS is '" + requestSeconds + "'; set it to 1 to 9999 seconds");
    }
    String interval = setting("errand.retention-interval");
    if (interval != null && !interval.matches("[1-9][0-9]{0,5}[smh]")) {
      throw new IllegalStateException(
          "ERRAND_RETENTION_INTERVAL is '"
              + interval
              + "'; set it to a number of seconds, minutes or hours such as 60s, 5m or 1h");
    }
    String url = setting("errand.database-url");
    if (url != null && !url.startsWith("jdbc:postgresql:")) {
      throw new IllegalStateException(
          "ERRAND_DATABASE_URL is '" + url + "'; set it to jdbc:postgresql://host:port/database");
    }
  }

  private static String environmentName(String property) {
    return property.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  /** A setting that is needed before the configuration is there; empty is unset. */
  private static @Nullable String setting(String property) {
    String value = System.getProperty(property);
    if (value == null) {
      value = System.getenv(environmentName(property));
    }
    return value == null || value.isBlank() ? null : value;
  }
}
