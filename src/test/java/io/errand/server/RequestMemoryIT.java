package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Large and slow requests, with the heap of a plain start. */
@Timeout(300)
class RequestMemoryIT {
  /** One that waits for bodies for longer than these tests take. */
  private static TestServer server;

  private static final String BATCH = "/v1/jobs/batch";
  private static final String LATER = "\"run_at\":\"2099-01-01T00:00:00Z\",\"command\":[\"true\"]";

  @BeforeAll
  static void start() {
    server = TestServer.start(Map.of("ERRAND_REQUEST_SECONDS", "600"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String batch(String item, int count) {
    return "{\"jobs\":[" + String.join(",", java.util.Collections.nCopies(count, item)) + "]}";
  }

  private static List<Integer> statuses(TestServer server, String body, int count) {
    List<CompletableFuture<Integer>> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      answers.add(
          server
              .http()
              .sendAsync(
                  server
                      .request(BATCH)
                      .header("Content-Type", "application/json")
                      .POST(java.net.http.HttpRequest.BodyPublishers.ofString(body))
                      .build(),
                  BodyHandlers.discarding())
              .thenApply(HttpResponse::statusCode));
    }
    return answers.stream().map(CompletableFuture::join).toList();
  }

  private static void awaitNothingHeld(TestServer server) {
    for (String share : List.of("requests", "large_requests")) {
      await()
          .atMost(Duration.ofSeconds(60))
          .until(
              () -> server.meter("errand_memory_budget_used_bytes{share=\"" + share + "\"}") == 0);
    }
  }

  @Test
  void largeBatchesAreStoredOrRefusedWhateverTheyHold() {
    long pid = server.pid();
    String text = "{" + LATER + ",\"stdin\":\"" + "x".repeat(1_000_000) + "\"}";
    JsonNode ids = json(server.post(BATCH, batch(text, 15))).get("ids");
    assertThat(ids).hasSize(15);
    for (JsonNode id : ids) {
      assertThat(server.job(id.asText()).get("stdin_bytes").asInt()).isEqualTo(1_000_000);
    }
    assertThat(statuses(server, batch(text, 15), 8)).isSubsetOf(202, 503);
    // Half a million tokens, each of which is an object in the heap.
    StringBuilder variables = new StringBuilder("{" + LATER + ",\"env\":{\"A\":\"\"");
    for (int i = 0; i < 999; i++) {
      variables.append(",\"A").append(i).append("\":\"b\"");
    }
    String dense = batch(variables + "}}", 240);
    assertThat(server.post(BATCH, dense).statusCode()).isEqualTo(202);
    assertThat(statuses(server, dense, 8)).isSubsetOf(202, 503);
    assertProblem(server.post(BATCH, batch(variables + "}}", 250)), 400);
    assertProblem(server.post(BATCH, "{\"jobs\":[[" + "1,".repeat(50_000) + "1]]}"), 400);
    awaitNothingHeld(server);
    assertThat(server.pid()).isEqualTo(pid);
    assertThat(server.log()).doesNotContain("OutOfMemory");
  }

  @Test
  void bodiesThatStallHoldNobodyUp() throws IOException {
    List<Socket> stalled = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      stalled.add(stall(server, i % 2 == 0 ? BATCH : "/v1/jobs?x"));
    }
    for (String path : List.of("/q/health/ready", "/v1/jobs", "/v1/queues", "/v1/workers")) {
      assertThat(server.get(path).statusCode()).as(path).isEqualTo(200);
    }
    server.awaitEnd(server.submit("true", Map.of()));
    for (Socket socket : stalled) {
      socket.close();
    }
    awaitNothingHeld(server);
  }

  @Test
  void ofABodyIsHeldWhatHasArrived() throws IOException {
    int count = 4_000;
    List<Socket> stalled = new ArrayList<>();
    try (TestServer server =
        TestServer.start(
            Map.of(
                "ERRAND_ROLES",
                "api",
                "ERRAND_REQUEST_SECONDS",
                "600",
                "ERRAND_JAVA_OPTIONS",
                "-Xmx192m"))) {
      long pid = server.pid();
      for (int i = 0; i < count; i++) { // of bodies that would fill the heap
        stalled.add(stall(server, "/v1/jobs", 65_000, 13));
      }
      await()
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  server.meter("errand_memory_budget_used_bytes{share=\"requests\"}")
                      >= count * 1024.0);
      assertThat(server.get("/v1/queues").statusCode()).isEqualTo(200);
      assertThat(server.pid()).isEqualTo(pid);
      assertThat(server.log()).doesNotContain("OutOfMemory");
    } finally {
      for (Socket socket : stalled) {
        socket.close();
      }
    }
  }

  @Test
  void aBatchOfManySmallJobsTakesTheMemoryOfLargeRequests() {
    try (TestServer server =
        TestServer.start(Map.of("ERRAND_ROLES", "api", "ERRAND_JAVA_OPTIONS", "-Xmx128m"))) {
      String body = batch("{\"command\":[\"true\"]}", 1_000);
      assertThat(body.length()).isLessThan(64 * 1024); // a small body, of which much is made
      assertThat(server.post(BATCH, body).statusCode()).isEqualTo(202);
      awaitNothingHeld(server);
    }
  }

  @Test
  void bodiesThatStallGiveTheirMemoryToThoseThatArrive() throws IOException {
    List<Socket> stalled = new ArrayList<>();
    try {
      String used = "errand_memory_budget_used_bytes{share=\"requests\"}";
      double most = server.meter("errand_memory_budget_capacity_bytes{share=\"requests\"}");
      for (int sent : new int[] {65_000, 1_000, 100}) {
        for (int i = 0; i < 300; i++) { // a share that is full to the last block
          stalled.add(stall(server, "/v1/jobs", sent + sent / 128 + 24, sent));
        }
      }
      await().atMost(Duration.ofSeconds(60)).until(() -> server.meter(used) > most - 65_536);
      for (int i = 0; i < 20; i++) {
        server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
      }
      Socket first = stalled.get(0);
      first.setSoTimeout(60_000);
      assertThat(new String(first.getInputStream().readNBytes(12), StandardCharsets.US_ASCII))
          .isEqualTo("HTTP/1.1 503");
    } finally {
      for (Socket socket : stalled) {
        socket.close();
      }
    }
    awaitNothingHeld(server);
  }

  @Test
  void headsWithoutBodiesKeepNoBodyOut() throws IOException {
    List<Socket> stalled = new ArrayList<>();
    try (TestServer server = TestServer.start(Map.of("ERRAND_REQUEST_SECONDS", "600"))) {
      URI url = URI.create(server.url());
      for (int i = 0; i < 40; i++) {
        Socket socket = new Socket(url.getHost(), url.getPort());
        String head =
            "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        socket
            .getOutputStream()
            .write(head.formatted(server.token()).getBytes(StandardCharsets.US_ASCII));
        stalled.add(socket);
        stalled.add(stall(server, BATCH, 10_000_000, 1));
      }
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> server.meter("errand_http_connections") > 80);
      String job = "{" + LATER + "}";
      String chunked =
          "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n"
              + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
              + "%x\r\n%s\r\n0\r\n\r\n";
      assertThat(
              RawHttp.send(server.url(), chunked.formatted(server.token(), job.length(), job))
                  .status())
          .isEqualTo(202);
      String large = "{" + LATER + ",\"stdin\":\"" + "x".repeat(1_000_000) + "\"}";
      assertThat(server.post(BATCH, batch(large, 15)).statusCode()).isEqualTo(202);
      for (Socket socket : stalled) {
        socket.close();
      }
      awaitNothingHeld(server);
    } finally {
      for (Socket socket : stalled) {
        socket.close();
      }
    }
  }

  private static Socket stall(TestServer server, String path) throws IOException {
    return stall(server, path, 40_000, 39_000);
  }

  private static Socket stall(TestServer server, String path, int declared, int sent)
      throws IOException {
    URI url = URI.create(server.url());
    Socket socket = new Socket(url.getHost(), url.getPort());
    String head =
        "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
            + "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n";
    socket
        .getOutputStream()
        .write(
            (head.formatted(path, server.token(), declared) + " ".repeat(sent))
                .getBytes(StandardCharsets.US_ASCII));
    return socket;
  }
}
