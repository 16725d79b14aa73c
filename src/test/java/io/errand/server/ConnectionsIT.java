package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What clients that hold connections, and do little with them, can do to others: nothing. */
class ConnectionsIT extends OneServer {
  private static final int MOST_MILLIS = 60_000;

  /** More than the buffers of both sockets take, which are 10 MiB by default. */
  private static final long MOST_IN_KERNEL = 24 << 20;

  private static final String LIVE = "GET /q/health/live HTTP/1.1\r\nHost: x\r\n\r\n";
  private static final String HALF_A_HEAD = "GET /q/health/live HTTP/1.1\r\nHo";

  @Test
  void connectionsBeyondTheDescriptorsMakeRoomForOthers() throws Exception {
    List<String> fewDescriptors = List.of("sh", "-c", "ulimit -n 600; exec \"$0\" \"$@\"");
    List<Socket> idle = new ArrayList<>();
    try (TestServer server = TestServer.startedBy(fewDescriptors, Map.of())) {
      for (int i = 0; i < 1_500; i++) {
        Socket socket = connect(server);
        idle.add(socket);
        if (i % 2 == 0) {
          send(socket, HALF_A_HEAD);
        }
        if (i % 100 == 0) {
          assertThat(exchange(server, LIVE)).startsWith("HTTP/1.1 200");
          String job = server.submit("true", Map.of());
          assertThat(server.awaitEnd(job).get("state").asText()).isEqualTo("succeeded");
        }
      }
      assertThat(idle.get(0).getInputStream().readAllBytes()).isEmpty();
      assertThat(meter(server, "errand_http_connections ")).isBetween(200.0, 400.0);
      assertThat(meter(server, "errand_http_connections_evicted_total")).isGreaterThan(1_000);
    } finally {
      for (Socket socket : idle) {
        socket.close();
      }
    }
  }

  @Test
  void whereAllConnectionsAreInUseProbesAreStillAnswered() throws Exception {
    int most = 24;
    int kept = 2; // a sixteenth, at least two
    List<Socket> viewers = new ArrayList<>();
    try (TestServer server =
        TestServer.start(
            Map.of(
                "ERRAND_JAVA_OPTIONS",
                "-Derrand.http-limits.connections="
                    + most
                    + " -Derrand.http-limits.held-requests="
                    + most))) {
      String job = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
      while (viewers.size() < most - kept) {
        Socket viewer = connect(server);
        viewers.add(viewer);
        send(viewer, stream(server, job));
        assertThat(viewer.getInputStream().read()).isEqualTo('H'); // so it is being served
      }
      assertThat(exchange(server, LIVE)).startsWith("HTTP/1.1 200");
      RawHttp.Answer refused = RawHttp.send(server.url(), stream(server, job));
      assertThat(refused.status()).as(refused.text()).isEqualTo(503);
      assertThat(refused.text()).contains("application/problem+json", "Retry-After: ");
      viewers.remove(0).close();
      Awaitility.await().until(() -> server.get("/v1/queues").statusCode() == 200);
    } finally {
      for (Socket viewer : viewers) {
        viewer.close();
      }
    }
  }

  @Test
  void longPollsAndStreamsLeaveConnectionsToOthers() throws Exception {
    int most = 40;
    int held = 30; // three quarters
    List<Socket> waiting = new ArrayList<>();
    try (TestServer server =
        TestServer.start(
            Map.of("ERRAND_JAVA_OPTIONS", "-Derrand.http-limits.connections=" + most))) {
      String job = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
      String poll = get(server, "/v1/jobs/" + job + "?wait_seconds=60");
      for (int i = 0; i < held / 2; i++) {
        Socket viewer = connect(server);
        waiting.add(viewer);
        send(viewer, stream(server, job));
        assertThat(viewer.getInputStream().read()).isEqualTo('H');
        Socket poller = connect(server);
        waiting.add(poller);
        send(poller, poll);
      }
      Awaitility.await()
          .until(() -> RawHttp.send(server.url(), get(server, job, 0)).status() == 200);
      for (String more : List.of(poll, stream(server, job))) {
        RawHttp.Answer refused = RawHttp.send(server.url(), more);
        assertThat(refused.status()).as(refused.text()).isEqualTo(503);
        assertThat(refused.text()).contains("Too many clients wait", "Retry-After: ");
      }
      assertThat(server.get("/v1/jobs").statusCode()).isEqualTo(200);
      String other = server.submit("true", Map.of());
      Awaitility.await().until(() -> server.job(other).get("state").asText().equals("succeeded"));
      waiting.remove(0).close();
      Awaitility.await()
          .until(() -> RawHttp.send(server.url(), get(server, job, 1)).status() == 200);
    } finally {
      for (Socket socket : waiting) {
        socket.close();
      }
    }
  }

  private static String get(TestServer server, String job, int waitSeconds) {
    return get(server, "/v1/jobs/" + job + "?wait_seconds=" + waitSeconds);
  }

  private static String get(TestServer server, String target) {
    return "GET "
        + target
        + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
        + server.token()
        + "\r\n\r\n";
  }

  @Test
  void whoDoesNotReadIsReadNoFurtherAndCutOff() throws Exception {
    try (TestServer server =
            TestServer.start(
                Map.of("ERRAND_JAVA_OPTIONS", "-Derrand.http-limits.stall-seconds=5"));
        SocketChannel channel = SocketChannel.open();
        Selector selector = Selector.open()) {
      channel.socket().setReceiveBufferSize(4096);
      channel.connect(new InetSocketAddress(url(server).getHost(), url(server).getPort()));
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_WRITE);
      byte[] requests = LIVE.repeat(1_000).getBytes(StandardCharsets.US_ASCII);
      long sent = 0;
      IOException end = null;
      while (end == null && sent < MOST_IN_KERNEL) {
        assertThat(selector.select(MOST_MILLIS)).as("the end of the connection").isPositive();
        selector.selectedKeys().clear();
        try {
          sent += channel.write(ByteBuffer.wrap(requests));
        } catch (IOException e) {
          end = e;
        }
      }
      assertThat(end).as("after %d bytes", sent).isNotNull();
      assertThat(exchange(server, LIVE)).startsWith("HTTP/1.1 200");
    }
  }

  @Test
  void requestsThatComeTogetherAreAnsweredInOrderAndABadOneEndsThem() throws Exception {
    String answers =
        RawHttp.send(server.url(), LIVE.repeat(300) + "nonsense\r\n\r\n" + LIVE).text();
    assertThat(answers.split("HTTP/1.1 200 OK", -1)).hasSize(301);
    assertThat(answers.split("HTTP/1.1 400 Bad Request", -1)).hasSize(2);
    assertThat(answers.lastIndexOf("HTTP/1.1 200")).isLessThan(answers.indexOf("HTTP/1.1 400"));
  }

  @Test
  void whatTakesTooLongIsEnded() throws Exception {
    try (TestServer server =
        TestServer.start(
            Map.of(
                "ERRAND_JAVA_OPTIONS",
                "-Derrand.http-limits.head-seconds=1 -Derrand.http-limits.idle-seconds=2"))) {
      RawHttp.Answer half = RawHttp.send(server.url(), HALF_A_HEAD);
      assertThat(half.status()).isEqualTo(408);
      assertThat(half.text()).contains("application/problem+json");
      assertThat(RawHttp.send(server.url(), "").text()).isEmpty();
      assertThat(RawHttp.send(server.url(), LIVE).status()).isEqualTo(200); // and then it is idle
    }
  }

  @Test
  void aRequestWhoseClientLeavesInTheMiddleIsNotCounted() throws Exception {
    try (Socket socket = connect(server)) {
      send(
          socket,
          "PUT /v1/jobs/x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization:"
              + " Bearer "
              + server.token()
              + "\r\nContent-Length: 9\r\n\r\n{");
    }
    // This request's own connection is then the only one.
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> meter(server, "errand_http_connections ") == 1);
    assertThat(exchange(server, "GET /q/metrics HTTP/1.1\r\nHost: x\r\n\r\n"))
        .doesNotContain("method=\"PUT\"");
  }

  @Test
  void whoEndsItsOutputBehindItsRequestsGetsTheAnswers() throws Exception {
    String body = "{\"command\":[\"true\"]}";
    String submit =
        "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization:"
            + " Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(server.token(), body.length(), body);
    for (String requests : List.of(submit, submit + LIVE + submit, LIVE)) {
      try (Socket socket = connect(server)) {
        send(socket, requests);
        socket.shutdownOutput();
        String answers =
            new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertThat(answers.split("HTTP/1.1 20[02] ", -1))
            .as(answers)
            .hasSize(requests.split("Host: x", -1).length);
      }
    }
    for (String half : List.of("", HALF_A_HEAD, submit.substring(0, submit.length() - 1))) {
      try (Socket socket = connect(server)) {
        send(socket, half);
        socket.shutdownOutput();
        assertThat(socket.getInputStream().readAllBytes()).isEmpty();
      }
    }
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> meter(server, "errand_http_connections ") == 1);
  }

  @Test
  void aBadChunkBehindARefusedHeadLeavesTheRefusal() throws Exception {
    RawHttp.Answer answer =
        RawHttp.send(
            server.url(),
            "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nno chunk\r\n");
    assertThat(answer.status()).isEqualTo(401);
  }

  @Test
  void ofManyScrapesThatComeTogetherSomeAreToldToComeLater() throws Exception {
    Awaitility.await()
        .atMost(Duration.ofSeconds(120))
        .until(
            () -> {
              List<String> answers = scrapes(server, 200);
              assertThat(exchange(server, LIVE)).startsWith("HTTP/1.1 200");
              assertThat(answers)
                  .allMatch(
                      answer ->
                          answer.startsWith("HTTP/1.1 200")
                              || (answer.startsWith("HTTP/1.1 503")
                                  && answer.contains("Retry-After: ")))
                  .anyMatch(answer -> answer.startsWith("HTTP/1.1 200"));
              return answers.stream().anyMatch(answer -> answer.startsWith("HTTP/1.1 503"));
            });
    assertThat(meter(server, "errand_http_connections ")).isPositive();
  }

  /** Many requests for the meters, sent before an answer is read. */
  private static List<String> scrapes(TestServer server, int count) throws IOException {
    List<Socket> sockets = new ArrayList<>();
    List<String> answers = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        Socket socket = connect(server);
        sockets.add(socket);
        send(socket, "GET /q/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      }
      for (Socket socket : sockets) {
        answers.add(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
      }
      return answers;
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  @Test
  void aPortThatIsTakenIsSaid() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      assertThat(TestServer.refusal(Map.of("ERRAND_HTTP_PORT", port)))
          .contains("errand: cannot listen on 127.0.0.1:" + port)
          .contains("ERRAND_HTTP_PORT");
    }
    assertThat(
            TestServer.refusal(
                Map.of("ERRAND_HTTP_HOST", "192.0.2.1", "ERRAND_TLS_ENDS_IN_FRONT", "true")))
        .contains("errand: cannot listen on 192.0.2.1:");
  }

  @Test
  void aStopClosesEveryConnection() throws Exception {
    TestServer server = TestServer.start(Map.of());
    try (server;
        Socket idle = connect(server)) {
      send(idle, LIVE);
      assertThat(idle.getInputStream().read()).isEqualTo('H');
      server.stop();
      assertThat(new String(idle.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
          .startsWith("TTP/1.1 200");
      assertThatThrownBy(() -> connect(server).close()).isInstanceOf(IOException.class);
    }
  }

  private static String stream(TestServer server, String job) {
    return "GET /v1/jobs/%s/output/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
        .formatted(job, server.token());
  }

  private static URI url(TestServer server) {
    return URI.create(server.url());
  }

  private static Socket connect(TestServer server) throws IOException {
    Socket socket = new Socket(url(server).getHost(), url(server).getPort());
    socket.setSoTimeout(MOST_MILLIS);
    return socket;
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** What is answered on a connection of its own. */
  private static String exchange(TestServer server, String request) throws IOException {
    String last = request.replaceFirst("\r\n", "\r\nConnection: close\r\n");
    return RawHttp.send(server.url(), last).text();
  }

  private static double meter(TestServer server, String name) throws IOException {
    return exchange(server, "GET /q/metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        .lines()
        .filter(line -> line.startsWith(name))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .findFirst()
        .orElseThrow();
  }
}
