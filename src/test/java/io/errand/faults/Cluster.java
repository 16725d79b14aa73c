package io.errand.faults;

import io.errand.embedded.EmbeddedPostgres;
import io.errand.server.TestServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.awaitility.Awaitility;

/**
 * A PostgreSQL, and servers that reach it through a proxy each, and through a PgBouncer if that is
 * wanted. Where we are root, PostgreSQL and the private directories of each server have a small
 * disk of their own, so that it can be full (F14), and each server runs as an account of its own,
 * so that its processes can be used up (F26).
 */
final class Cluster implements AutoCloseable {
  static final int LEASE_SECONDS = 4;
  static final int SLOTS = 8;
  private static final String DISK = "size=900m";
  private static final String SMALL_DISK = "size=4m,nr_inodes=300,mode=777";

  /**
   * Of its own for each JVM of tests that run side by side: a limit of processes is an account's.
   */
  private static final int FIRST_ACCOUNT = 60_001 + 10 * Integer.getInteger("errand.fork", 0);

  private static final String TOKEN = "faults-token-0123456789";

  private static final String JAR = "target/quarkus-app/quarkus-run.jar";

  /** The build that the first server is of; this one unless another is named. */
  private static final Path OTHER_BUILD =
      Path.of(System.getProperty("faults.other", TestServer.CHECKOUT.toString()));

  private final Path databaseHome = TestServer.newHome();
  private final List<Node> nodes = new ArrayList<>();
  private final Set<String> mayRunTwice = new HashSet<>();
  private final boolean hasOwnDisk;
  private final Optional<Bouncer> bouncer;
  private EmbeddedPostgres postgres;
  private Optional<Standby> successor = Optional.empty();

  /**
   * A server and its way to the database.
   *
   * @param disk where its private directories are
   * @param diskIsSmall whether that is a file system of its own
   */
  record Node(String name, Proxy proxy, TestServer server, Path disk, boolean diskIsSmall) {}

  Cluster(int servers, boolean throughBouncer) {
    try {
      Files.createDirectory(databaseHome);
      hasOwnDisk = Tools.mountSmall(databaseHome, DISK);
      TestServer.letOthersPass(databaseHome);
      postgres = EmbeddedPostgres.start(databaseHome, 100);
      bouncer =
          throughBouncer ? Optional.of(new Bouncer(port(), postgres.password())) : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    vacuumOften();
    for (int i = 0; i < servers; i++) {
      nodes.add(start(i));
    }
  }

  /**
   * Everything is faster here than in life, so autovacuum is too: whenever PostgreSQL is killed it
   * forgets what there is to vacuum, and here that is more often than the usual minute brings it.
   */
  private void vacuumOften() {
    try {
      execute("ALTER SYSTEM SET autovacuum_naptime = 5");
      execute("SELECT pg_reload_conf()");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private Node start(int number) {
    String name = "s" + number;
    Proxy proxy = new Proxy(entrance());
    Path home = TestServer.newHome();
    Path disk = home.resolveSibling("disk");
    List<String> as = ownAccount(number);
    boolean diskIsSmall;
    try {
      Files.createDirectory(home);
      Files.createDirectory(disk);
      diskIsSmall = Tools.mountSmall(disk, SMALL_DISK);
      if (!as.isEmpty()) {
        Files.setAttribute(home, "unix:uid", FIRST_ACCOUNT + number);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Map<String, String> settings = new HashMap<>();
    settings.put("ERRAND_TOKEN", TOKEN);
    settings.put(
        "ERRAND_DATABASE_URL",
        "jdbc:postgresql://127.0.0.1:"
            + proxy.port()
            + "/"
            + EmbeddedPostgres.DATABASE
            + (bouncer.isPresent() ? "?prepareThreshold=0" : ""));
    settings.put("ERRAND_DATABASE_USER", EmbeddedPostgres.ROLE);
    settings.put("ERRAND_DATABASE_PASSWORD", postgres.password());
    settings.put("ERRAND_LEASE_SECONDS", Integer.toString(LEASE_SECONDS));
    settings.put("ERRAND_DRAIN_SECONDS", "1");
    settings.put("ERRAND_WORKER_SLOTS", Integer.toString(SLOTS));
    settings.put("ERRAND_WORKER_NAME", name);
    settings.put("ERRAND_TEMPORARY_DIRECTORY", disk.toString());
    settings.put("ERRAND_RETENTION_DAYS", "0.0035"); // five minutes
    settings.put("ERRAND_RETENTION_INTERVAL", "20s");
    settings.put("ERRAND_WEBHOOK_ALLOW_NETWORKS", "127.0.0.1/32");
    Path build = number == 0 ? OTHER_BUILD : TestServer.CHECKOUT;
    TestServer server = TestServer.startedBy(as, home, settings, build);
    return new Node(name, proxy, server, disk, diskIsSmall);
  }

  /** Nothing where it could not read the product. */
  private static List<String> ownAccount(int number) {
    List<String> as = Tools.as(FIRST_ACCOUNT + number);
    List<String> look = new ArrayList<>(as);
    look.addAll(
        List.of("test", "-r", TestServer.CHECKOUT.toAbsolutePath().resolve(JAR).toString()));
    return !as.isEmpty() && Tools.run(look.toArray(String[]::new)) ? as : List.of();
  }

  /** Where servers are told that PostgreSQL is. */
  private int entrance() {
    return bouncer.map(Bouncer::port).orElseGet(this::port);
  }

  List<Node> nodes() {
    return nodes;
  }

  private int port() {
    if (successor.isPresent()) {
      return successor.get().port();
    }
    return Integer.parseInt(postgres.jdbcUrl().replaceFirst(".*:([0-9]+)/.*", "$1"));
  }

  /** A connection that no proxy stands in. */
  Connection connect() throws SQLException {
    return successor.isPresent()
        ? successor.get().connect()
        : DriverManager.getConnection(
            postgres.jdbcUrl(), EmbeddedPostgres.ROLE, postgres.password());
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The number that a query gives. */
  long number(String sql) throws SQLException {
    return Long.parseLong(text(sql));
  }

  /** Jobs of which it is not promised that no two tries live at once. */
  void mayRunTwice(Collection<String> jobs) {
    mayRunTwice.addAll(jobs);
  }

  boolean mayRunTwice(String job) {
    return mayRunTwice.contains(job);
  }

  /** How many jobs have not come to rest. */
  long unsettled() throws SQLException {
    return number(
        "SELECT count(*) FROM errand.jobs WHERE state IN ('queued', 'running', 'retrying')");
  }

  /** The text that a query gives. */
  String text(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  /** The database's time. */
  String now() throws SQLException {
    return text("SELECT clock_timestamp()");
  }

  /** Sends PostgreSQL a signal: KILL, QUIT (immediate) or INT (fast); with KILL to all of it. */
  void signalPostgres(String signal) {
    try {
      String pid =
          Files.readAllLines(databaseHome.resolve("data").resolve("postmaster.pid")).get(0).trim();
      List<String> all = new ArrayList<>(List.of("kill", "-" + signal, pid));
      if (signal.equals("KILL")) {
        String children =
            Files.readString(
                Path.of("/proc", pid, "task", pid, "children"), StandardCharsets.US_ASCII);
        all.addAll(List.of(children.trim().split(" +")));
      }
      Tools.run(all.toArray(String[]::new));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts PostgreSQL again, where it has ended or is about to. */
  void startPostgres() {
    try {
      postgres = EmbeddedPostgres.start(databaseHome, 100);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    bouncer.ifPresent(between -> between.retarget(port(), postgres.password()));
    nodes.forEach(node -> node.proxy().retarget(entrance()));
  }

  /**
   * What makes a server's wall clock wrong from its start; nothing where there is no C compiler.
   */
  Map<String, String> clockOffBy(int seconds) {
    Path library = databaseHome.resolveSibling("clock.so");
    if (!Files.exists(library)
        && (Tools.find("cc").isEmpty()
            || !Tools.run(
                "cc", "-shared", "-fPIC", "-o", library.toString(), "src/test/native/clock.c"))) {
      return Map.of();
    }
    return Map.of("LD_PRELOAD", library.toString(), "ERRAND_TEST_CLOCK", Integer.toString(seconds));
  }

  /** A standby of its PostgreSQL. */
  Standby standby() throws Exception {
    return new Standby(this, databaseHome.resolve("data"), port(), postgres.password());
  }

  /** Kills PostgreSQL for good, and lets a standby take its place. */
  void failOverTo(Standby standby) throws SQLException {
    signalPostgres("KILL");
    standby.promote();
    successor = Optional.of(standby);
    nodes.forEach(node -> node.proxy().retarget(entrance()));
  }

  /** Leaves no byte free on PostgreSQL's disk, where it has one of its own. */
  void fillDisk() {
    if (hasOwnDisk) {
      Tools.run("dd", "if=/dev/zero", "of=" + databaseHome.resolve("filler"), "bs=64k");
    }
  }

  /** Gives the disk back, and starts PostgreSQL if it has ended over that. */
  void freeDisk() throws IOException {
    if (Files.deleteIfExists(databaseHome.resolve("filler"))) {
      startPostgres();
    }
  }

  /** Ends what is wrong with the ways to the database, and waits until all servers are ready. */
  void heal() {
    for (Node node : nodes) {
      node.proxy().cutNoMore();
      node.proxy().become(Proxy.Mode.PASS);
    }
    for (Node node : nodes) {
      Awaitility.await("server " + node.name() + " is ready again")
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptions()
          .until(() -> node.server().get("/q/health/ready").statusCode() == 200);
    }
  }

  @Override
  public void close() {
    for (Node node : nodes) {
      node.server().stop();
      if (node.diskIsSmall()) {
        Tools.unmount(node.disk());
      }
      node.server().close();
      node.proxy().close();
    }
    try {
      bouncer.ifPresent(Bouncer::close);
      postgres.close();
      if (hasOwnDisk) {
        Tools.unmount(databaseHome);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    TestServer.delete(databaseHome.resolve("..").normalize());
  }
}
