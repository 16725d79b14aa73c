package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** The connection on which a server listens for notifications. */
@Timeout(60)
class ListeningTest {
  private final Database database = database();

  private static Database database() {
    try {
      return Database.emptied();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void everyNotificationIsRead() throws SQLException {
    try (Connection connection = Session.openListening(database.config(), "test", 10);
        Statement statement = connection.createStatement()) {
      statement.execute("LISTEN listening_test");
      for (int round = 0; round < 3; round++) {
        Set<String> sent = new HashSet<>();
        for (int i = 0; i < 20; i++) {
          sent.add(round + "-" + i);
          database.value("SELECT pg_notify('listening_test', '" + round + "-" + i + "')");
        }
        Set<String> received = new HashSet<>();
        while (received.size() < sent.size()) {
          for (PGNotification one : connection.unwrap(PGConnection.class).getNotifications(0)) {
            received.add(one.getParameter());
          }
        }
        assertThat(received).isEqualTo(sent);
        statement.execute("SELECT 1"); // the connection serves as before
      }
      assertThat(connection.unwrap(PGConnection.class).getNotifications(50)).isNullOrEmpty();
    }
  }

  @Test
  void theQuestionWhetherSomethingHasComeIsAnsweredWithoutWaiting() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket socket = new ListeningSocketFactory().createSocket()) {
      socket.connect(server.getLocalSocketAddress());
      try (Socket other = server.accept()) {
        socket.setSoTimeout(1);
        assertThatThrownBy(() -> socket.getInputStream().read())
            .isInstanceOf(SocketTimeoutException.class)
            .hasMessage("Nothing has come");
        socket.setSoTimeout(30_000);
        other.getOutputStream().write(new byte[] {7, 8});
        assertThat(socket.getInputStream().read()).isEqualTo(7);
        socket.setSoTimeout(1);
        assertThat(socket.getInputStream().read()).isEqualTo(8);
      }
    }
  }

  @Test
  void aSocketIsConnectedByTheDriverOnly() {
    assertThatThrownBy(() -> new ListeningSocketFactory().createSocket("localhost", 1))
        .hasMessageContaining("connects its sockets itself");
  }
}
