package io.errand.faults;

import io.errand.embedded.EmbeddedPostgres;
import io.errand.server.TestServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;

/** A PgBouncer in transaction mode in front of PostgreSQL. */
final class Bouncer implements AutoCloseable {
  private static final int ACCOUNT = 60_100;

  private final Path folder;
  private final int port;
  private final Process process;

  static boolean isInstalled() {
    return Tools.find("pgbouncer").isPresent();
  }

  Bouncer(int postgresPort, String password) {
    try {
      folder = Files.createTempDirectory("errand-bouncer");
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
      port = Tools.freePort();
      configure(postgresPort, password);
      List<String> command = new ArrayList<>(Tools.as(ACCOUNT));
      command.add(Tools.find("pgbouncer").orElseThrow().toString());
      command.add(file().toString());
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("log").toFile())
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Awaitility.await("PgBouncer listens").ignoreExceptions().until(this::answers);
  }

  private boolean answers() throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    }
  }

  private Path file() {
    return folder.resolve("pgbouncer.ini");
  }

  int port() {
    return port;
  }

  /** From now on it connects to PostgreSQL there. */
  void retarget(int postgresPort, String password) {
    try {
      configure(postgresPort, password);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Tools.run("kill", "-HUP", Long.toString(process.pid()));
  }

  private void configure(int postgresPort, String password) throws IOException {
    Files.writeString(
        file(),
        """
          [databases]
          %s = host=127.0.0.1 port=%d user=%s password=%s
          [pgbouncer]
          listen_addr = 127.0.0.1
          listen_port = %d
          unix_socket_dir =
          auth_type = any
          pool_mode = transaction
          default_pool_size = 40
          max_client_conn = 500
          server_login_retry = 1
          ignore_startup_parameters = extra_float_digits,options
          """
            .formatted(
                EmbeddedPostgres.DATABASE, postgresPort, EmbeddedPostgres.ROLE, password, port));
  }

  @Override
  public void close() {
    process.destroy();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    TestServer.delete(folder);
  }
}
