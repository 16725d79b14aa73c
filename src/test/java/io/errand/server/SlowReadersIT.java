package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One caller that reads slowly, whatever it reads, leaves the memory for answers to others. */
@Timeout(300)
class SlowReadersIT extends OneServer {
  private static final int MEBIBYTE = 1 << 20;
  private static final String USED = "errand_memory_budget_used_bytes{share=\"answers\"}";
  private static final String CAPACITY = "errand_memory_budget_capacity_bytes{share=\"answers\"}";
  private static final String EXPORT = "/console/jobs/export?format=jsonl";

  private static WithKey viewer;
  private static WithKey other;
  private static ConsoleClient console;
  private static String fat;
  private final List<Socket> slow = new ArrayList<>();

  @BeforeAll
  static void fill() {
    server.call("PUT", "/v1/projects/other", "{}");
    viewer = WithKey.of(server, "viewer", "default");
    other = WithKey.of(server, "submitter", "other");
    console = ConsoleClient.signedIn(viewer);
    ObjectNode batch = TestServer.JSON.createObjectNode();
    ArrayNode jobs = batch.putArray("jobs");
    for (int i = 0; i < 900; i++) {
      ObjectNode job = jobs.addObject().put("run_at", "2099-01-01T00:00:00Z");
      job.putArray("command").add("true").add(Integer.toString(i)).add("\u0001".repeat(1_000));
    }
    assertThat(server.post("/v1/jobs/batch", batch.toString()).statusCode()).isEqualTo(202);
    fat =
        server.submit(
            "print() { head -c 1048576 /dev/zero | tr '\\0' '\\1'; }; print; print >&2",
            Map.of("stdout_limit_bytes", MEBIBYTE, "stderr_limit_bytes", MEBIBYTE));
    server.awaitEnd(fat);
    assertThat(other.post("/v1/jobs", "{\"command\":[\"true\"]}").statusCode()).isEqualTo(202);
  }

  @AfterEach
  void close() throws IOException {
    for (Socket socket : slow) {
      socket.close();
    }
    Awaitility.await().atMost(Duration.ofSeconds(120)).until(() -> server.meter(USED) == 0);
  }

  /** Asks, and reads no more than the status. */
  private int status(String path, String header) throws IOException {
    URI url = URI.create(server.url());
    Socket socket = new Socket();
    slow.add(socket);
    socket.setReceiveBufferSize(4096); // so that the kernel does not read it all for the client
    socket.setSoTimeout(60_000);
    socket.connect(new InetSocketAddress(url.getHost(), url.getPort()));
    String request = "GET " + path + " HTTP/1.1\r\nHost: " + url.getAuthority() + "\r\n";
    socket
        .getOutputStream()
        .write((request + header + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
    InputStream in = socket.getInputStream();
    return Integer.parseInt(
        new String(in.readNBytes(12), StandardCharsets.US_ASCII).substring("HTTP/1.1 ".length()));
  }

  private int export() throws IOException {
    return status(EXPORT, "Cookie: " + console.cookie);
  }

  private void assertOthersRead() {
    for (String path :
        List.of(
            "/v1/jobs",
            "/v1/jobs?page_size=500",
            "/v1/queues",
            "/v1/workers",
            "/v1/commands",
            "/v1/schedules",
            "/v1/operations")) {
      assertThat(other.get(path).statusCode()).as(path).isEqualTo(200);
    }
  }

  @Test
  void exportsHoldABatchOfJobsEachAndAreFew() throws IOException {
    List<Integer> answers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      answers.add(export());
    }
    assertThat(answers).containsExactly(200, 200, 200, 200, 503, 503);
    assertThat(server.meter(USED)).isLessThan(4 * 256 * 1024);
    assertOthersRead();
  }

  @Test
  void oneCallerHoldsAQuarterOfTheMemoryAtMost() throws IOException {
    List<Integer> answers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      answers.add(export());
    }
    String key = "Authorization: Bearer " + viewer.token();
    for (int i = 0; i < 60; i++) {
      answers.add(status("/v1/jobs/" + fat, key));
      answers.add(status("/v1/jobs?page_size=500", key));
    }
    assertThat(answers).contains(200, 503).containsOnly(200, 503);
    assertThat(server.meter(USED)).isLessThanOrEqualTo(server.meter(CAPACITY) / 4);
    assertOthersRead();
  }

  private static String id(String line) {
    try {
      return TestServer.JSON.readTree(line).get("id").asText();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void anExportHasEveryJobOnce() {
    HttpResponse<String> whole = console.get(EXPORT);
    assertThat(whole.statusCode()).isEqualTo(200);
    assertThat(whole.body().lines().map(SlowReadersIT::id)).hasSize(901).doesNotHaveDuplicates();
  }
}
