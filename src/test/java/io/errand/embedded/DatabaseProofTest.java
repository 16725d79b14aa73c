package io.errand.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.store.Database;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.Driver;

/** What takes the port of the built-in database learns nothing, and is not believed. */
@Timeout(300)
class DatabaseProofTest {
  private static final int SSL_REQUEST = 80877103;
  private static final int GSS_REQUEST = 80877104;
  private static final String PASSWORD = "0123456789abcdef";

  @TempDir Path home;

  /** The codes of protocol 3: AuthenticationOk, CleartextPassword, MD5Password with its salt. */
  @ParameterizedTest
  @CsvSource({"0, ''", "3, ''", "5, salt"})
  void anImpostorIsSentNothing(int authentication, String salt) throws Exception {
    try (ServerSocket port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Files.createDirectory(home.resolve("data"));
      Files.writeString(
          home.resolve("data/postmaster.pid"), "1\n/data\n0\n" + port.getLocalPort() + "\n");
      Files.writeString(home.resolve("pgpass"), "127.0.0.1:*:*:errand:" + PASSWORD + "\n");
      CompletableFuture<Integer> sent =
          CompletableFuture.supplyAsync(() -> bytesAfterStartup(port, authentication, salt));
      EmbeddedPostgres.Address address = EmbeddedPostgres.running(home).orElseThrow();
      Properties properties = new Properties();
      properties.setProperty("user", EmbeddedPostgres.ROLE);
      properties.setProperty("password", address.password());
      assertThatThrownBy(() -> new Driver().connect(address.jdbcUrl(), properties))
          .isInstanceOf(SQLException.class);
      assertThat(sent.get()).isZero();
    }
  }

  /** A slow hash adds nothing to 192 random bits, and makes each connection slow. */
  @Test
  void onlyPasswordsThatPeopleChooseAreHashedSlowly() throws SQLException {
    Database database = Database.emptied();
    database.execute("CREATE ROLE chosen LOGIN PASSWORD 'chosen by a person'");
    try {
      String verifier = "SELECT rolpassword FROM pg_authid WHERE rolname = '%s'";
      assertThat(database.value(verifier.formatted(EmbeddedPostgres.ROLE)))
          .startsWith("SCRAM-SHA-256$1:");
      assertThat(database.value(verifier.formatted("chosen"))).startsWith("SCRAM-SHA-256$4096:");
    } finally {
      database.execute("DROP ROLE chosen");
    }
  }

  /** Plays a server up to its answer, and counts what it then gets until the client closes. */
  private static int bytesAfterStartup(ServerSocket port, int authentication, String salt) {
    try (Socket socket = port.accept()) {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      while (true) {
        byte[] startup = new byte[in.readInt() - Integer.BYTES];
        in.readFully(startup);
        int code = java.nio.ByteBuffer.wrap(startup).getInt();
        if (code != SSL_REQUEST && code != GSS_REQUEST) {
          break;
        }
        out.writeByte('N');
      }
      byte[] more = salt.getBytes(StandardCharsets.US_ASCII);
      out.writeByte('R');
      out.writeInt(2 * Integer.BYTES + more.length);
      out.writeInt(authentication);
      out.write(more);
      if (authentication == 0) {
        out.writeByte('Z'); // ReadyForQuery, idle
        out.writeInt(Integer.BYTES + 1);
        out.writeByte('I');
      }
      int count = 0;
      for (int next = in.read(); next >= 0 && count == 0; next = in.read()) {
        count += next == 'X' ? 0 : 1; // Terminate says nothing
        if (next == 'X') {
          break;
        }
      }
      return count;
    } catch (IOException e) {
      return 0; // it was closed
    }
  }
}
