package io.errand.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.server.ProcessLimits;
import io.errand.server.TestServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many clients at once: idle ones, and a herd that comes back after an outage. */
@Timeout(600)
class LoadIT {
  private static final int HERD = 200;
  private static final Duration POLL = Duration.ofSeconds(60); // the longest that there is
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String RUNNING = "\"state\":\"running\"";
  private static final String CANCELLED = "\"state\":\"cancelled\"";

  /** F34: they cost a descriptor and some memory each, no thread and no connection of the pool. */
  @Test
  void tenThousandIdleLongPollsAndStreamsHarmNobodyAndAreAllAnswered() throws IOException {
    try (TestServer server = TestServer.start(Map.of())) {
      String id = server.submit("sleep 600", Map.of("max_attempts", 1));
      server.awaitState(id, "running");
      long threads = server.count("task");
      int many = (int) Math.min(10_000, hardLimitOfDescriptors() - 2_000);
      List<SocketChannel> clients = new ArrayList<>();
      List<Long> asked = new ArrayList<>();
      try {
        for (int i = 0; i < many; i++) {
          boolean streams = i % 3 == 0;
          asked.add(System.nanoTime());
          String poll = "?wait_seconds=" + POLL.toSeconds();
          clients.add(ask(server, id + (streams ? "/output/stream" : poll)));
        }
        await("all are being waited for").atMost(PATIENCE).until(() -> server.count("fd") >= many);
        await("the server is ready")
            .atMost(PATIENCE)
            .until(() -> server.get("/q/health/ready").statusCode() == 200);
        String other = server.submit("echo meanwhile", Map.of());
        assertThat(server.awaitEnd(other).get("stdout").asText()).isEqualTo("meanwhile\n");
        assertThat(server.count("task")).as("threads").isLessThan(threads + 250);
        assertThat(server.post("/v1/jobs/" + id + "/cancel", "").statusCode()).isEqualTo(202);
        for (int i = 0; i < many; i++) {
          boolean streams = i % 3 == 0;
          String answer =
              streams
                  ? answerOf(clients.get(i), "event:end")
                  : answerOf(clients.get(i), CANCELLED, RUNNING);
          assertThat(answer).startsWith("HTTP/1.1 200");
          if (!streams && answer.contains(RUNNING)) {
            assertThat(Duration.ofNanos(System.nanoTime() - asked.get(i)))
                .as("how long ago a poll was made that has not waited for the end")
                .isGreaterThan(POLL);
          }
        }
      } finally {
        for (SocketChannel client : clients) {
          client.close();
        }
      }
      await("their descriptors are given back").until(() -> server.count("fd") < 1_000);
    }
  }

  private static SocketChannel ask(TestServer server, String path) throws IOException {
    URI url = URI.create(server.url());
    SocketChannel channel = SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
    String request =
        "GET /v1/jobs/%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
            .formatted(path, server.token());
    channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
    return channel;
  }

  /** What comes until one of these parts is there, or an answer that is not 200. */
  private static String answerOf(SocketChannel client, String... parts) throws IOException {
    client.socket().setSoTimeout(60_000);
    StringBuilder said = new StringBuilder();
    byte[] buffer = new byte[8_192];
    while (Stream.of(parts).allMatch(part -> said.indexOf(part) < 0)
        && (said.length() < 12 || said.indexOf("HTTP/1.1 200") == 0)) {
      int read;
      try {
        read = client.socket().getInputStream().read(buffer);
      } catch (SocketTimeoutException e) {
        throw new IOException("In a minute the server said no more than '" + said + "'", e);
      }
      if (read < 0) {
        throw new IOException("The server said no more than '" + said + "'");
      }
      said.append(new String(buffer, 0, read, StandardCharsets.UTF_8));
    }
    return said.toString();
  }

  private static long hardLimitOfDescriptors() throws IOException {
    String hard = ProcessLimits.hardLimit(Path.of("/proc/self"), "Max open files");
    return hard.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(hard);
  }

  /** F18: each tries until it is accepted; nobody gets anything but 202 or a 503 meanwhile. */
  @Test
  void aHerdThatComesBackAfterAnOutageIsServedOnceEach() throws Exception {
    try (Cluster cluster = new Cluster(1, false)) {
      Cluster.Node node = cluster.nodes().get(0);
      cluster.signalPostgres("QUIT");
      Set<Integer> statuses = ConcurrentHashMap.newKeySet();
      List<CompletableFuture<String>> ids = new ArrayList<>();
      for (int i = 0; i < HERD; i++) {
        ids.add(submit(node, "herd-" + i, statuses));
      }
      await("the herd knows that the database is away").until(() -> statuses.contains(503));
      cluster.startPostgres();
      Set<String> jobs = new HashSet<>();
      for (CompletableFuture<String> id : ids) {
        jobs.add(id.get());
      }
      assertThat(jobs).hasSize(HERD);
      assertThat(statuses).isSubsetOf(202, 200, 503);
      assertThat(cluster.number("SELECT count(*) FROM errand.jobs")).isEqualTo(HERD);
      await("all of them ran")
          .atMost(PATIENCE)
          .until(
              () ->
                  cluster.number("SELECT count(*) FROM errand.jobs WHERE state = 'succeeded'")
                      == HERD);
    }
  }

  private static CompletableFuture<String> submit(
      Cluster.Node node, String key, Set<Integer> statuses) {
    CompletableFuture<HttpResponse<String>> answer =
        node.server()
            .http()
            .sendAsync(
                node.server()
                    .request("/v1/jobs")
                    .header("Content-Type", "application/json")
                    .header("Idempotency-Key", key)
                    .POST(BodyPublishers.ofString("{\"command\": [\"true\"]}"))
                    .build(),
                BodyHandlers.ofString());
    return answer.thenCompose(
        got -> {
          statuses.add(got.statusCode());
          return got.statusCode() == 503
              ? submit(node, key, statuses)
              : CompletableFuture.completedFuture(TestServer.json(got).get("id").asText());
        });
  }
}
