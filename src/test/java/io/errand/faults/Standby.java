package io.errand.faults;

import static org.awaitility.Awaitility.await;

import io.errand.embedded.EmbeddedPostgres;
import io.errand.server.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A hot standby that streams from a cluster's PostgreSQL through a proxy, so that it can lag. */
final class Standby implements AutoCloseable {
  private final Path folder;
  private final Path data;
  private final Proxy proxy;
  private final String password;
  private final int port;
  private final Process process;

  /**
   * Copies the primary while it runs, and starts the copy.
   *
   * @param primary its data directory
   */
  Standby(Cluster cluster, Path primary, int primaryPort, String password) throws Exception {
    this.password = password;
    folder = TestServer.newHome();
    data = folder.resolve("data");
    Files.createDirectory(folder);
    TestServer.letOthersPass(folder);
    proxy = new Proxy(primaryPort);
    port = Tools.freePort();
    try (Connection connection = cluster.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT pg_backup_start('standby', true)");
      Tools.run("cp", "-a", primary.toString(), data.toString()); // files may go while it copies
      Files.delete(data.resolve("postmaster.pid"));
      try (ResultSet label = statement.executeQuery("SELECT labelfile FROM pg_backup_stop()")) {
        label.next();
        write("backup_label", label.getString(1));
      }
    }
    write("standby.signal", "");
    process = launch(Path.of("/proc", Files.readAllLines(pidFile(primary)).get(0).trim()));
    await("the standby streams")
        .atMost(Duration.ofSeconds(60))
        .ignoreExceptions()
        .until(
            () ->
                number("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")
                    == 1);
  }

  private void write(String name, String text) throws IOException {
    Path file = data.resolve(name);
    Files.writeString(file, text);
    Files.setOwner(file, Files.getOwner(data));
  }

  private static Path pidFile(Path data) {
    return data.resolve("postmaster.pid");
  }

  /** By the program and as the account that the primary has. */
  private Process launch(Path primaryProcess) throws IOException {
    List<String> command =
        new ArrayList<>(Tools.as((Integer) Files.getAttribute(primaryProcess, "unix:uid")));
    command.add(primaryProcess.resolve("exe").toRealPath().toString());
    command.addAll(List.of("-D", data.toString(), "-c", "port=" + port));
    command.addAll(List.of("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="));
    command.addAll(
        List.of(
            "-c",
            "primary_conninfo=host=127.0.0.1 port="
                + proxy.port()
                + " user="
                + EmbeddedPostgres.ROLE
                + " password="
                + password));
    command.addAll(List.of("-c", "max_connections=200"));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log").toFile())
        .start();
  }

  int port() {
    return port;
  }

  Connection connect() throws SQLException {
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + port + "/" + EmbeddedPostgres.DATABASE,
        EmbeddedPostgres.ROLE,
        password);
  }

  private long number(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  /** Waits until it has as many jobs: it follows the primary asynchronously. */
  void awaitJobs(long count) {
    await("the standby has what was committed")
        .until(() -> number("SELECT count(*) FROM errand.jobs") == count);
  }

  /** From now on nothing that the primary says arrives. */
  void lag() {
    proxy.become(Proxy.Mode.BLACK_HOLE);
  }

  /** Makes it the primary. */
  void promote() throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT pg_promote(true, 60)");
    }
  }

  @Override
  public void close() {
    proxy.close();
    Tools.run("kill", "-QUIT", Long.toString(process.pid()));
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    TestServer.delete(folder.resolve("..").normalize());
  }
}
