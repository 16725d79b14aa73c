package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Large answers, and clients that do not read them, with the heap of a plain start. */
@Timeout(300)
class AnswerMemoryIT extends OneServer {
  private static final int MEBIBYTE = 1 << 20;
  private static final String USED = "errand_memory_budget_used_bytes{share=\"answers\"}";
  private static final String LEFT_TO_THE_COLLECTOR = "garbage collector";
  private static final String PAGE = "/v1/jobs?page_size=500";

  /** With two mebibytes of output that take twelve as JSON. */
  private static String fatJob(TestServer server) {
    String id =
        server.submit(
            "print() { head -c 1048576 /dev/zero | tr '\\0' '\\1'; }; print; print >&2",
            Map.of("stdout_limit_bytes", MEBIBYTE, "stderr_limit_bytes", MEBIBYTE));
    server.awaitEnd(id);
    return id;
  }

  /** Jobs that make the largest page that there is, of a mebibyte of rows. */
  private static void fillPage(TestServer server) {
    ObjectNode batch = TestServer.JSON.createObjectNode();
    ArrayNode jobs = batch.putArray("jobs");
    for (int i = 0; i < 520; i++) {
      ObjectNode job = jobs.addObject().put("run_at", "2099-01-01T00:00:00Z");
      job.putArray("command").add("true").add(Integer.toString(i)).add("\u0001".repeat(1_000));
    }
    assertThat(server.post("/v1/jobs/batch", batch.toString()).statusCode()).isEqualTo(202);
  }

  private static Socket ask(TestServer server, String version, String path) throws IOException {
    URI url = URI.create(server.url());
    Socket socket = new Socket();
    socket.setReceiveBufferSize(4096); // so that the kernel does not read it all for the client
    socket.setSoTimeout(60_000);
    socket.connect(new InetSocketAddress(url.getHost(), url.getPort()));
    String request =
        "GET %s HTTP/%s\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n"
            .formatted(path, version, server.token());
    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  private static List<Socket> silent(TestServer server, int count, String path) throws IOException {
    List<Socket> silent = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      silent.add(ask(server, "1.1", path));
    }
    return silent;
  }

  private static void close(List<Socket> sockets) throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private static void awaitNothingHeld(TestServer server) {
    await().atMost(Duration.ofSeconds(120)).until(() -> server.meter(USED) == 0);
  }

  private static void assertOthersAreServed(TestServer server, String small) {
    for (int i = 0; i < 10; i++) {
      server.submit("true", Map.of());
      for (String path :
          List.of(
              "/q/health/live",
              "/q/health/ready",
              "/v1/jobs/" + small,
              "/v1/jobs/" + small + "/output",
              "/v1/jobs/" + small + "/attempts",
              "/v1/jobs/" + small + "/events",
              "/v1/jobs?page_size=5",
              "/v1/queues",
              "/v1/workers")) {
        assertThat(server.get(path).statusCode()).as(path).isEqualTo(200);
      }
    }
  }

  @Test
  void readersThatDoNotReadHoldNobodyUp() throws Exception {
    String small = server.submit("echo small", Map.of());
    server.awaitEnd(small);
    String fat = fatJob(server);
    fillPage(server);
    long pid = server.pid();
    for (String path :
        List.of("/v1/jobs/" + fat, PAGE, "/v1/jobs/" + fat + "/output?stream=stderr")) {
      List<Socket> silent = silent(server, 100, path);
      await().until(() -> server.meter(USED) > 100 * 16 * 1024);
      assertOthersAreServed(server, small);
      assertThat(server.job(fat).get("stderr").asText()).isEqualTo("\u0001".repeat(MEBIBYTE));
      close(silent);
      awaitNothingHeld(server);
    }
    List<Socket> viewers = silent(server, 100, "/v1/jobs/" + fat + "/output/stream");
    assertOthersAreServed(server, small);
    close(viewers);
    awaitNothingHeld(server);
    assertThat(server.pid()).isEqualTo(pid);
    assertThat(server.log()).doesNotContain("OutOfMemory");
  }

  @Test
  void readersThatDoNotReadAreCutOffAndGiveTheirMemoryBack() throws Exception {
    try (TestServer server = TestServer.start(Map.of("ERRAND_READER_SECONDS", "1"))) {
      String fat = fatJob(server);
      List<Socket> silent = silent(server, 50, "/v1/jobs/" + fat);
      awaitNothingHeld(server);
      for (Socket socket : silent) {
        assertThat(text(socket)).doesNotEndWith("0\r\n\r\n");
      }
    }
  }

  @Test
  void aReaderThatPausesGetsAllOfIt() throws Exception {
    String fat = fatJob(server);
    HttpResponse<String> whole = server.get("/v1/jobs/" + fat);
    JsonNode job = TestServer.json(whole);
    assertThat(job.get("stdout").asText()).isEqualTo("\u0001".repeat(MEBIBYTE));
    assertThat(server.get("/v1/jobs/" + fat + "/output").body())
        .isEqualTo(job.get("stdout").asText());
    String tag = whole.headers().firstValue("ETag").orElseThrow();
    assertThat(
            server
                .send(server.request("/v1/jobs/" + fat).header("If-None-Match", tag))
                .statusCode())
        .isEqualTo(304);
    for (String version : List.of("1.0", "1.1")) {
      try (Socket socket = ask(server, version, "/v1/jobs/" + fat)) {
        StringBuilder text = new StringBuilder();
        byte[] part = new byte[MEBIBYTE];
        for (int i = 0; i < 4; i++) {
          int count = socket.getInputStream().readNBytes(part, 0, part.length);
          text.append(new String(part, 0, count, StandardCharsets.US_ASCII));
          server.awaitEnd(server.submit("sleep 0.2", Map.of()));
        }
        text.append(text(socket));
        String body = text.substring(text.indexOf("\r\n\r\n") + 4);
        assertThat(version.equals("1.0") ? body : dechunked(body)).isEqualTo(whole.body());
      }
    }
    awaitNothingHeld(server);
  }

  /** With the end of the job all are answered at once, and most have left before their turn. */
  @Test
  void clientsThatLeaveWhileTheyAreAnsweredLeaveNothingToTheCollector() throws Exception {
    for (int round = 0; round < 6; round++) {
      String id =
          server.submit(
              "head -c 1048576 /dev/zero | tr '\\0' a; sleep 2",
              Map.of("stdout_limit_bytes", MEBIBYTE));
      List<Socket> waiting = silent(server, 150, "/v1/jobs/" + id + "?wait_seconds=60");
      waiting.get(0).getInputStream().read();
      for (Socket socket : waiting) {
        socket.setSoLinger(true, 0); // a reset
        socket.close();
      }
    }
    awaitNothingHeld(server);
    assertThat(server.log()).doesNotContain(LEFT_TO_THE_COLLECTOR);
  }

  @Test
  void aClientThatWaitsAndLeavesHoldsNothing() throws Exception {
    String id = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    List<Socket> waiting = silent(server, 5, "/v1/jobs/" + id + "?wait_seconds=60");
    await().until(() -> server.meter(USED) > 5_000);
    close(waiting);
    // Before the time for which they wanted to wait is up.
    await().atMost(Duration.ofSeconds(40)).until(() -> server.meter(USED) == 0);
  }

  @AfterAll
  static void assertThatNothingWasLeftToTheCollector() {
    assertThat(server.log()).doesNotContain(LEFT_TO_THE_COLLECTOR);
  }

  @Test
  void answersToHeadHoldNothing() {
    String id = server.submit("echo x", Map.of());
    server.awaitEnd(id);
    for (String path : List.of("/v1/jobs/" + id, "/v1/jobs", "/v1/jobs/" + id + "/output")) {
      HttpResponse<String> head = server.call("HEAD", path, "");
      assertThat(head.statusCode()).isEqualTo(200);
      assertThat(head.body()).isEmpty();
    }
    awaitNothingHeld(server);
  }

  @Test
  void aPageIsTheSameByTheBatchAsJobByJob() {
    try (TestServer server = TestServer.start(Map.of())) {
      fillPage(server);
      List<String> seen = new ArrayList<>();
      String token = "";
      do {
        JsonNode page =
            TestServer.json(server.get(PAGE + (token.isEmpty() ? "" : "&page_token=" + token)));
        for (JsonNode job : page.get("jobs")) {
          seen.add(job.get("command").get(1).asText());
          ObjectNode alone = (ObjectNode) server.job(job.get("id").asText());
          alone.remove(List.of("stdout", "stderr"));
          assertThat((JsonNode) alone).isEqualTo(job);
        }
        token = page.get("next_page_token").asText();
      } while (!token.isEmpty());
      assertThat(seen).hasSize(520).doesNotHaveDuplicates();
      assertThat(server.get("/v1/jobs?queue=none").body())
          .isEqualTo("{\"jobs\":[],\"next_page_token\":\"\"}");
    }
  }

  private static String text(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    StringBuilder text = new StringBuilder();
    byte[] part = new byte[65_536];
    try {
      for (int count = in.read(part); count >= 0; count = in.read(part)) {
        text.append(new String(part, 0, count, StandardCharsets.US_ASCII));
      }
    } catch (java.net.SocketException e) {
      // Reset: what was sent before that has been read.
    }
    return text.toString();
  }

  private static String dechunked(String body) {
    StringBuilder whole = new StringBuilder();
    int at = 0;
    while (true) {
      int line = body.indexOf("\r\n", at);
      int size = Integer.parseInt(body.substring(at, line), 16);
      if (size == 0) {
        return whole.toString();
      }
      whole.append(body, line + 2, line + 2 + size);
      at = line + 2 + size + 2;
    }
  }
}
