package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Heads of requests that are held for as long as their requests are being answered. */
@Timeout(300)
class HeadMemoryIT {
  private static final int MOST_MILLIS = 60_000;
  private static final String LIVE =
      "GET /q/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  /** 18 KB in 94 lines. */
  private static String largeHead() {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 94; i++) {
      lines.append("X").append(i).append(": ").append("a".repeat(185)).append("\r\n");
    }
    return lines.toString();
  }

  private static Socket connect(TestServer server) throws IOException {
    URI url = URI.create(server.url());
    Socket socket = new Socket(url.getHost(), url.getPort());
    socket.setSoTimeout(MOST_MILLIS);
    return socket;
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String get(TestServer server, String path, String more) {
    return "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n"
        .formatted(path, server.token(), more);
  }

  private static double meter(TestServer server, String name) throws IOException {
    return RawHttp.send(
            server.url(), "GET /q/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .text()
        .lines()
        .filter(line -> line.startsWith(name))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void headsOfOpenRequestsHaveAPartOfTheHeapAndProbesAreAnsweredBesides() throws Exception {
    List<Socket> viewers = new ArrayList<>();
    try (TestServer server =
        TestServer.start(Map.of("ERRAND_ROLES", "api", "ERRAND_JAVA_OPTIONS", "-Xmx128m"))) {
      String job = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
      String stream = get(server, "/v1/jobs/" + job + "/output/stream", largeHead());
      String refused = "";
      while (refused.isEmpty() && viewers.size() < 2_000) {
        Socket viewer = connect(server);
        viewers.add(viewer);
        send(viewer, stream);
        String status =
            new String(viewer.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
        if (!status.equals("HTTP/1.1 200")) {
          refused =
              status
                  + new String(viewer.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
      }
      assertThat(viewers).hasSizeGreaterThan(300);
      assertThat(refused)
          .startsWith("HTTP/1.1 503")
          .contains("application/problem+json", "Retry-After: ", "heads of requests");
      assertThat(RawHttp.send(server.url(), LIVE).status()).isEqualTo(200);
      for (Socket viewer : viewers) {
        viewer.close();
      }
      String queues = get(server, "/v1/queues", largeHead() + "Connection: close\r\n");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> RawHttp.send(server.url(), queues).status() == 200);
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> meter(server, "errand_memory_budget_used_bytes{share=\"heads\"}") < 10_000);
    } finally {
      for (Socket viewer : viewers) {
        viewer.close();
      }
    }
  }

  @Test
  void whoIsRefusedBeforeItsBodyHasComeIsSoonLetGo() throws Exception {
    try (TestServer server = TestServer.start(Map.of("ERRAND_REQUEST_SECONDS", "600"));
        Socket socket = connect(server)) {
      send(
          socket,
          "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
              + "Content-Length: 1000\r\n\r\n");
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
          .startsWith("HTTP/1.1 401");
      // The request for the meter has the only connection then.
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> meter(server, "errand_http_connections ") == 1);
    }
  }

  @Test
  void halfHeadsBeyondTheBoundAreClosedTheLargestFirst() throws Exception {
    List<Socket> large = new ArrayList<>();
    try (TestServer server =
            TestServer.start(
                Map.of(
                    "ERRAND_JAVA_OPTIONS",
                    "-Derrand.http-limits.held-bytes=1000000"
                        + " -Derrand.http-limits.head-seconds=600"));
        Socket small = connect(server)) {
      send(small, "GET /q/health/live HTTP/1.1\r\nConnection: close\r\nHo");
      for (int i = 0; i < 400; i++) {
        Socket socket = connect(server);
        large.add(socket);
        send(socket, "GET /q/health/live HTTP/1.1\r\nHost: x\r\nX: " + "a".repeat(19_000));
      }
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> meter(server, "errand_http_connections_evicted_total") >= 340);
      send(small, "st: x\r\n\r\n");
      assertThat(new String(small.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
          .startsWith("HTTP/1.1 200");
      assertThat(meter(server, "errand_http_connections ")).isGreaterThan(10);
    } finally {
      for (Socket socket : large) {
        socket.close();
      }
    }
  }
}
