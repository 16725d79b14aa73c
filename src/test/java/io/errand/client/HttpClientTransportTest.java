package io.errand.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A server that falls silent does not hold a client for ever. */
class HttpClientTransportTest {
  private static final Duration QUIET = Duration.ofSeconds(1);

  @Test
  void aBodyOfWhichNothingMoreComesEndsTheRead() throws Exception {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread server = new Thread(() -> answerPart(socket));
      server.setDaemon(true);
      server.start();
      URI uri = URI.create("http://127.0.0.1:" + socket.getLocalPort() + "/");
      Transport.Response answer =
          new HttpClientTransport()
              .send(new Transport.Request("GET", uri, Map.of(), Optional.empty(), QUIET));
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.headers().first("x-of")).contains("test");
      try (InputStream body = answer.body()) {
        assertThat(new String(body.readNBytes(2), StandardCharsets.US_ASCII)).isEqualTo("ab");
        assertThatThrownBy(body::read)
            .isInstanceOf(SocketTimeoutException.class)
            .hasMessage("nothing came for 1 s");
      }
    }
  }

  private static void answerPart(ServerSocket socket) {
    try (Socket client = socket.accept()) {
      client
          .getOutputStream()
          .write(
              "HTTP/1.1 200 OK\r\nX-Of: test\r\nContent-Length: 9\r\n\r\nab"
                  .getBytes(StandardCharsets.US_ASCII));
      client.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
    } catch (IOException e) {
      // The client has left.
    }
  }
}
