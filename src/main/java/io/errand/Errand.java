package io.errand;

import io.errand.embedded.DataDirectory;
import io.errand.embedded.EmbeddedPostgres;
import io.errand.embedded.HomeLock;
import io.errand.exec.Accounts;
import io.errand.exec.DeadServer;
import io.errand.exec.PassableParents;
import io.errand.secrets.VaultSecrets;
import io.errand.settings.AllSettings;
import io.errand.settings.Settings;
import io.errand.settings.SettingsException;
import io.errand.store.DatabaseCheck;
import io.errand.store.DatabaseLogin;
import io.errand.store.Durability;
import io.errand.store.RotatingLogin;
import io.errand.store.Session;
import io.errand.text.FaultText;
import io.errand.text.Printed;
import io.errand.vault.Vault;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.TimeZone;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The way in: takes the data directory, starts the built-in database unless there is another, and
 * then the server.
 */
@QuarkusMain
public final class Errand {
  private static final int USAGE = 2;
  private static final int DATABASE_TRIES = 10;
  private static final int POOLS = 2;
  private static final int SINGLE_CONNECTIONS = 2; // heartbeat, notifications

  private static @Nullable EmbeddedPostgres postgres;
  private static @Nullable Settings settings;

  /** Kept for as long as this process lives: a channel that is collected gives its lock back. */
  @SuppressWarnings("unused")
  private static @Nullable HomeLock lock;

  private Errand() {}

  /** Starts the server, or does what the only argument says; returns when it has ended. */
  public static void main(String... arguments) {
    if (arguments.length > 0) {
      Printed.watch();
      System.exit(Printed.exitCode(answer(arguments)));
    }
    try {
      prepare();
    } catch (SettingsException e) {
      e.mistakes().forEach(mistake -> System.err.println("errand: " + mistake));
      System.exit(1);
    } catch (IOException | SQLException | IllegalStateException | IllegalArgumentException e) {
      if (!EndRequest.isReceived()) { // else it is of no interest: such as an initdb that was ended
        System.err.println("errand: " + withoutSecrets(FaultText.of(e)));
        System.exit(1);
      }
    } catch (InterruptedException e) {
      System.exit(130);
    }
    if (EndRequest.isReceived()) {
      end(0, null);
    }
    Quarkus.run(Server.class, Errand::end, arguments);
  }

  /** Help, the check of the settings, or a word about an argument that there is not. */
  private static int answer(String... arguments) {
    String first = arguments[0];
    if (arguments.length == 1 && (first.equals("--help") || first.equals("-h"))) {
      System.out.print(AllSettings.help());
      return 0;
    }
    if (first.equals("--check")) {
      if (arguments.length == 1) {
        return new CheckCommand(false).run();
      }
      if (arguments.length == 3 && arguments[1].equals("-o") && arguments[2].equals("json")) {
        return new CheckCommand(true).run();
      }
    }
    System.err.println(
        "errand: serve takes no argument but --check, perhaps with -o json, and --help; settings are"
            + " variables of the environment and files, see `errand serve --help`");
    return USAGE;
  }

  /** Of a predecessor that was killed, something of its commands may keep it from exiting. */
  private static HomeLock takeLock(Path home) throws IOException, InterruptedException {
    try {
      return HomeLock.take(home);
    } catch (IllegalStateException e) {
      System.setProperty("jna.tmpdir", home.toString());
      if (DeadServer.finish(home)) {
        return HomeLock.take(home);
      }
      throw e;
    }
  }

  private static void prepare() throws IOException, InterruptedException, SQLException {
    Settings read = Settings.ofThisProcess();
    settings = read;
    EndRequest.listen(Errand::endAtOnce);
    Settings.unknown().forEach(note -> System.err.println("errand: " + note));
    // Sessions of the database take our zone, and it need not know what this host calls its
    // own.
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    Transport.check(read);
    read.publish();
    Transport.publish(read);
    if ("ecs".equals(read.get("log-json-format"))) {
      System.setProperty("log.key-overrides", "mdc=labels"); // what ECS has for fields of others
    }
    Path home = DataDirectory.of(read.get("home"));
    OwnDirectory.makeHome(home);
    if (System.getProperty("user.name", "").equals("root")) {
      // To what is theirs in it: a database, or a command's own directory.
      Files.setPosixFilePermissions(home, PassableParents.PERMISSIONS);
    }
    lock = takeLock(home);
    Files.deleteIfExists(home.resolve("url")); // of a predecessor; ours is written once it is true
    System.setProperty("errand.home", Settings.escaped(home.toString()));
    String temporary = read.get("temporary-directory");
    if (temporary != null && !"api".equals(read.get("roles"))) {
      Path shared = Path.of(temporary).toAbsolutePath();
      System.setProperty(
          "errand.own-temporary-directory",
          Settings.escaped(OwnDirectory.takeTemporary(shared, home).toString()));
    }
    // The framework looks for files of configuration in the working directory: not in that of
    // others.
    System.setProperty("user.dir", home.toString());
    System.setProperty("java.io.tmpdir", home.toString()); // /tmp may be full, or read-only
    System.setProperty("jna.tmpdir", home.toString()); // /tmp may be mounted noexec
    // In /tmp anybody could make it first, or move it away.
    System.setProperty(
        "quarkus.vertx.cache-directory", Settings.escaped(home.resolve("vertx-cache").toString()));
    Vault vault = Vault.of(read::get);
    String secrets = read.get("vault-secrets");
    if (vault != null && secrets != null) {
      VaultSecrets.begin(vault, secrets);
    }
    String url = read.get("database-url");
    if (EndRequest.isReceived()) {
      return; // before a database is started
    }
    if (url != null) {
      DatabaseLogin login = databaseLogin(read, vault);
      awaitDatabase(url, login.user(), login.password());
    } else {
      int pool = Integer.getInteger("errand.database-pool");
      EmbeddedPostgres started = EmbeddedPostgres.start(home, POOLS * pool + SINGLE_CONNECTIONS);
      postgres = started;
      Runtime.getRuntime().addShutdownHook(new Thread(Errand::stopDatabase, "errand-postgres"));
      // Whoever reaches its port can take all connections that are left, so ours stay open.
      System.setProperty("database.kept", Integer.toString(pool));
      System.setProperty("errand.database-url", started.jdbcUrl());
      System.setProperty("errand.database-user", EmbeddedPostgres.ROLE);
      System.setProperty("errand.database-password", started.password());
      System.setProperty("errand.psql-line", Settings.escaped(started.psqlLine()));
      Thread watch = new Thread(() -> watch(started), "errand-postgres-watch");
      watch.setDaemon(true);
      watch.start();
    }
    System.setProperty("database.reads-from", Session.readsFrom(url == null ? "" : url));
    System.setProperty("session.sql", Settings.escaped(Session.SQL));
    if (!"api".equals(read.get("roles"))) {
      Accounts.choose(read.get("run-as"), home); // what it refuses is said before the start
    }
  }

  /** Of Vault, which renews it from now on, or of the settings. */
  private static DatabaseLogin databaseLogin(Settings read, @Nullable Vault vault)
      throws IOException {
    String path = read.get("vault-database");
    if (path == null || vault == null) {
      return new DatabaseLogin(read.get("database-user"), read.get("database-password"));
    }
    System.setProperty("database.credentials", "vault"); // for the pools
    return RotatingLogin.begin(vault, path);
  }

  /**
   * A server whose own database has ended is of no use, and cannot start it again: it is the parent
   * of all that is orphaned below it, and ends that. So it says so and ends.
   */
  private static void watch(EmbeddedPostgres database) {
    try {
      while (!database.hasEnded()) {
        database.boundLog();
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
      System.err.println("errand: " + withoutSecrets(FaultText.of(rootOf(fault))));
    }
    Runtime.getRuntime().halt(fault != null && exitCode == 0 ? 1 : exitCode);
  }

  /** The start did not heed the request to end in time. */
  private static void endAtOnce() {
    end(143, null); // as a shell reports SIGTERM
  }

  private static synchronized void stopDatabase() {
    EmbeddedPostgres running = postgres;
    postgres = null;
    if (running != null) {
      try {
        running.close();
      } catch (IOException | IllegalStateException e) {
        System.err.println("errand: " + FaultText.of(e));
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

  /**
   * Looks at the database of others before the start: it may come up a moment later than we do, and
   * must be one that can keep jobs.
   *
   * @throws IllegalStateException with a sentence, if it is not to be had or cannot keep jobs
   */
  private static void awaitDatabase(String url, @Nullable String user, @Nullable String password)
      throws InterruptedException, SQLException {
    for (int i = 1; ; i++) {
      try (Connection connection = Session.open(url, user, password, "errand start", 5)) {
        DatabaseCheck.problem(connection)
            .ifPresent(
                problem -> {
                  throw new IllegalStateException("The database cannot be used: " + problem);
                });
        Durability.weaknesses(connection).forEach(note -> System.err.println("errand: " + note));
        return;
      } catch (SQLException e) {
        if (EndRequest.isReceived()) {
          return;
        }
        if (i == DATABASE_TRIES || !DatabaseCheck.mayPass(e)) {
          throw new IllegalStateException(
              "The database cannot be used: "
                  + FaultText.of(e)
                  + (DatabaseCheck.isDistrusted(e)
                      ? "; in ERRAND_DATABASE_URL the host must be one that the certificate names,"
                          + " and sslrootcert the file of its authority"
                      : ""),
              e);
        }
        TimeUnit.SECONDS.sleep(1);
      }
    }
  }

  private static String withoutSecrets(String text) {
    Settings read = settings;
    return read == null ? text : read.withoutSecrets(text);
  }
}
