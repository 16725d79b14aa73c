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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;

/**
 * A PostgreSQL, and servers that reach it through a proxy each. Where we may mount a tmpfs
 * PostgreSQL has a small disk of its own, so that it can be full (F14).
 */
final class Cluster implements AutoCloseable {
  static final int LEASE_SECONDS = 4;
  private static final String DISK = "700m";
  private static final String TOKEN = "faults-token-0123456789";

  private final Path databaseHome = TestServer.newHome();
  private final List<Node> nodes = new ArrayList<>();
  private final boolean hasOwnDisk;
  private EmbeddedPostgres postgres;

  /** A server and its way to the database. */
  static final class Node {
    final String name;
    final Proxy proxy;
    final TestServer server;

    Node(String name, Proxy proxy, TestServer server) {
      this.name = name;
      this.proxy = proxy;
      this.server = server;
    }
  }

  Cluster(int servers) {
    try {
      Files.createDirectory(databaseHome);
      hasOwnDisk =
          run("mount", "-t", "tmpfs", "-o", "size=" + DISK, "errand", databaseHome.toString());
      TestServer.letOthersPass(databaseHome);
      postgres = EmbeddedPostgres.start(databaseHome);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    for (int i = 0; i < servers; i++) {
      nodes.add(start("s" + i));
    }
  }

  private Node start(String name) {
    Proxy proxy = new Proxy(port());
    Map<String, String> settings = new HashMap<>();
    settings.put("ERRAND_TOKEN", TOKEN);
    settings.put(
        "ERRAND_DATABASE_URL",
        "jdbc:postgresql://127.0.0.1:" + proxy.port() + "/" + EmbeddedPostgres.DATABASE);
    settings.put("ERRAND_DATABASE_USER", EmbeddedPostgres.ROLE);
    settings.put("ERRAND_DATABASE_PASSWORD", postgres.password());
    settings.put("ERRAND_LEASE_SECONDS", Integer.toString(LEASE_SECONDS));
    settings.put("ERRAND_DRAIN_SECONDS", "1");
    settings.put("ERRAND_WORKER_SLOTS", "8");
    settings.put("ERRAND_WORKER_NAME", name);
    return new Node(name, proxy, TestServer.start(settings));
  }

  List<Node> nodes() {
    return nodes;
  }

  private int port() {
    return Integer.parseInt(postgres.jdbcUrl().replaceFirst(".*:([0-9]+)/.*", "$1"));
  }

  /** A connection that no proxy stands in. */
  Connection connect() throws SQLException {
    return DriverManager.getConnection(
        postgres.jdbcUrl(), EmbeddedPostgres.ROLE, postgres.password());
  }

  /** The number that a query gives. */
  long number(String sql) throws SQLException {
    return Long.parseLong(text(sql));
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
      new ProcessBuilder(all).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Starts PostgreSQL again, where it has ended or is about to. */
  void startPostgres() {
    try {
      postgres = EmbeddedPostgres.start(databaseHome);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    nodes.forEach(node -> node.proxy.retarget(port()));
  }

  /** Leaves no byte free on PostgreSQL's disk, where it has one of its own. */
  void fillDisk() throws IOException {
    if (hasOwnDisk) {
      run("dd", "if=/dev/zero", "of=" + databaseHome.resolve("filler"), "bs=64k");
    }
  }

  /** Gives the disk back, and starts PostgreSQL if it has ended over that. */
  void freeDisk() throws IOException {
    if (Files.deleteIfExists(databaseHome.resolve("filler"))) {
      startPostgres();
    }
  }

  private static boolean run(String... command) throws IOException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Ends what is wrong with the ways to the database, and waits until all servers are ready. */
  void heal() {
    for (Node node : nodes) {
      node.proxy.cutNoMore();
      node.proxy.become(Proxy.Mode.PASS);
    }
    for (Node node : nodes) {
      Awaitility.await("server " + node.name + " is ready again")
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptions()
          .until(() -> node.server.get("/q/health/ready").statusCode() == 200);
    }
  }

  @Override
  public void close() {
    for (Node node : nodes) {
      node.server.close();
      node.proxy.close();
    }
    try {
      postgres.close();
      if (hasOwnDisk) {
        run("umount", databaseHome.toString());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    TestServer.delete(databaseHome.resolve("..").normalize());
  }
}
