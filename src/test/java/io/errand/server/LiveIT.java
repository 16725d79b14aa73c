package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A job seen while it runs. */
@Timeout(120)
class LiveIT extends OneServer {
  /** An event as it came. */
  private record Event(String id, String name, JsonNode data) {}

  /** Reads a stream in the background. */
  private static final class Viewer {
    final List<Event> events = Collections.synchronizedList(new ArrayList<>());
    final CompletableFuture<HttpResponse<Stream<String>>> answer;

    Viewer(TestServer from, String id, String lastEventId) {
      HttpRequest.Builder request = from.request("/v1/jobs/" + id + "/output/stream");
      if (!lastEventId.isEmpty()) {
        request.header("Last-Event-ID", lastEventId);
      }
      answer = from.http().sendAsync(request.build(), BodyHandlers.ofLines());
      answer.thenAcceptAsync(response -> parse(response.body()));
    }

    private void parse(Stream<String> lines) {
      Map<String, String> fields = new HashMap<>();
      lines.forEach(
          line -> {
            if (line.isEmpty() && fields.containsKey("data")) {
              events.add(
                  new Event(
                      fields.getOrDefault("id", ""),
                      fields.getOrDefault("event", ""),
                      json(fields.getOrDefault("data", "{}"))));
              fields.clear();
            } else if (line.indexOf(':') > 0) {
              fields.put(
                  line.substring(0, line.indexOf(':')),
                  line.substring(line.indexOf(':') + 1).trim());
            }
          });
    }

    private static JsonNode json(String text) {
      try {
        return TestServer.JSON.readTree(text);
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    String text(String stream) {
      StringBuilder text = new StringBuilder();
      List.copyOf(events).stream()
          .filter(event -> event.name().equals(stream))
          .forEach(event -> text.append(event.data().get("text").asText()));
      return text.toString();
    }

    boolean hasEnded() {
      return List.copyOf(events).stream().anyMatch(event -> event.name().equals("end"));
    }

    Viewer awaitEnd() {
      await().atMost(Duration.ofSeconds(60)).until(this::hasEnded);
      return this;
    }
  }

  private static Path flag() {
    try {
      Path flag = Files.createTempFile("errand-it", ".flag");
      Files.delete(flag);
      return flag;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String waitFor(Path flag) {
    return "while [ ! -e " + flag + " ]; do sleep 0.05; done; ";
  }

  @Test
  void linesAreSeenWhileTheCommandRunsAndTheStreamEndsWithTheResult() throws IOException {
    Path flag = flag();
    String id = server.submit("echo first; echo err >&2; " + waitFor(flag) + "echo last", Map.of());
    Viewer viewer = new Viewer(server, id, "");
    await().until(() -> viewer.text("stdout").equals("first\n"));
    assertThat(server.job(id).get("state").asText()).isEqualTo("running");
    Files.createFile(flag);
    viewer.awaitEnd();
    Files.delete(flag);
    assertThat(viewer.answer.join().headers().firstValue("X-Accel-Buffering")).contains("no");
    assertThat(viewer.text("stdout")).isEqualTo("first\nlast\n");
    assertThat(viewer.text("stderr")).isEqualTo("err\n");
    Event end = viewer.events.get(viewer.events.size() - 1);
    assertThat(end.name()).isEqualTo("end");
    assertThat(end.data().get("state").asText()).isEqualTo("succeeded");
    assertThat(end.data()).isEqualTo(server.job(id));
    assertThat(viewer.events.stream().filter(event -> event.name().equals("state")))
        .isNotEmpty()
        .allSatisfy(event -> assertThat(event.data().get("attempt").isInt()).isTrue());
  }

  @Test
  void aStreamGoesOnBehindTheLastEventWithoutLossOrRepeat() {
    String id = server.submit("for i in 1 2 3 4 5 6; do echo line $i; sleep 0.2; done", Map.of());
    Viewer first = new Viewer(server, id, "");
    await()
        .until(
            () ->
                first.events.stream().filter(event -> event.name().equals("stdout")).count() >= 2);
    Event seen =
        first.events.stream().filter(event -> event.name().equals("stdout")).toList().get(1);
    long known = seen.data().get("offset").asLong() + seen.data().get("text").asText().length();
    Viewer second = new Viewer(server, id, seen.id()).awaitEnd();
    first.awaitEnd();
    assertThat(second.text("stdout")).isEqualTo(first.text("stdout").substring((int) known));
    Viewer late = new Viewer(server, id, "1:0:0").awaitEnd();
    assertThat(late.text("stdout")).isEqualTo(first.text("stdout"));
  }

  @Test
  void everyAttemptIsSeenFromTheFirst() {
    String id =
        server.submit(
            "echo try $ERRAND_ATTEMPT; [ $ERRAND_ATTEMPT = 3 ]",
            Map.of("backoff", Map.of("base_seconds", 0.2, "jitter", "none", "factor", 1)));
    Viewer viewer = new Viewer(server, id, "1:0:0").awaitEnd();
    assertThat(viewer.text("stdout")).isEqualTo("try 1\ntry 2\ntry 3\n");
  }

  @Test
  void whatWasNotKeptIsMarkedAsAGapAndOffsetsCountBytes() {
    String id =
        server.submit(
            "printf 'ä%.0s' $(seq 100); head -c 1000000 /dev/zero | tr '\\0' x; printf end",
            Map.of("stdout_limit_bytes", 100));
    server.awaitEnd(id);
    Viewer viewer = new Viewer(server, id, "").awaitEnd();
    List<Event> gaps = viewer.events.stream().filter(event -> event.name().equals("gap")).toList();
    assertThat(gaps).hasSize(1);
    assertThat(gaps.get(0).data().get("stream").asText()).isEqualTo("stdout");
    assertThat(gaps.get(0).data().get("from").asLong()).isEqualTo(50);
    assertThat(gaps.get(0).data().get("to").asLong()).isEqualTo(200 + 1_000_000 + 3 - 50);
    assertThat(viewer.text("stdout")).startsWith("ä".repeat(25)).endsWith("xend");
  }

  /** As much as can be kept of a command, and within less time than it takes to write it. */
  @Test
  void aBurstIsSeenWholeAlsoWhereLiveOutputIsMissing() throws Exception {
    Path flag = flag();
    String id =
        server.submit(
            "echo ready; " + waitFor(flag) + "seq 150000; seq 150000 >&2; echo last",
            Map.of("stdout_limit_bytes", 1 << 20, "stderr_limit_bytes", 1 << 20));
    Viewer viewer = new Viewer(server, id, "");
    await().until(() -> viewer.text("stdout").equals("ready\n"));
    Files.createFile(flag);
    viewer.awaitEnd();
    Files.delete(flag);
    String numbers =
        IntStream.rangeClosed(1, 150_000).mapToObj(i -> i + "\n").collect(Collectors.joining());
    assertThat(viewer.text("stdout")).isEqualTo("ready\n" + numbers + "last\n");
    assertThat(viewer.text("stderr")).isEqualTo(numbers);

    BuiltInDatabase.sql(
        server,
        "DELETE FROM errand.live_output WHERE id IN (SELECT id FROM errand.live_output"
            + " WHERE job_id = '"
            + id
            + "' ORDER BY id LIMIT 3) RETURNING 1");
    Viewer late = new Viewer(server, id, "").awaitEnd();
    assertThat(late.text("stdout")).isEqualTo(viewer.text("stdout"));
    assertThat(late.text("stderr")).isEqualTo(numbers);
  }

  @Test
  void anotherNodeThanTheWorkersShowsItToo() throws IOException {
    Map<String, String> other = new HashMap<>(BuiltInDatabase.settingsOf(server));
    other.put("ERRAND_ROLES", "api");
    other.put("ERRAND_TOKEN", server.token());
    try (TestServer api = TestServer.start(other)) {
      Path flag = flag();
      String id = server.submit("echo near; " + waitFor(flag) + "echo far", Map.of());
      Viewer viewer = new Viewer(api, id, "");
      await().until(() -> viewer.text("stdout").equals("near\n"));
      JsonNode processes = TestServer.json(api.get("/v1/jobs/" + id + "/process")).get("processes");
      assertThat(processes.get(0).get("command").asText()).contains("echo near");
      Files.createFile(flag);
      viewer.awaitEnd();
      Files.delete(flag);
      assertThat(viewer.text("stdout")).isEqualTo("near\nfar\n");
    }
  }

  /** A job with so many attempts is not worth the time that it takes to run them. */
  private static String jobWithAttempts(int count) throws Exception {
    String id = server.submit("true", Map.of());
    server.awaitEnd(id);
    BuiltInDatabase.sql(
        server,
        "WITH more AS (INSERT INTO errand.attempts (job_id, attempt, outcome, started_at, worker)"
            + " SELECT '%s', n, 'lost', now(), 'x' FROM generate_series(2, %d) n RETURNING 1)"
                .formatted(id, count)
            + " UPDATE errand.jobs SET attempt = %d WHERE id = '%s' RETURNING (SELECT count(*) FROM more)"
                .formatted(count, id));
    return id;
  }

  @Test
  void attemptsWithoutOutputHoldNobodyUp() throws Exception {
    String id = jobWithAttempts(10_000);
    List<Socket> watching = new ArrayList<>();
    URI url = URI.create(server.url());
    for (int i = 0; i < 300; i++) {
      Socket socket = new Socket(url.getHost(), url.getPort());
      socket
          .getOutputStream()
          .write(
              ("GET /v1/jobs/%s/output/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                      + "Last-Event-ID: %d:0:0\r\n\r\n")
                  .formatted(id, server.token(), 1 + i)
                  .getBytes(StandardCharsets.US_ASCII));
      watching.add(socket);
    }
    Path flag = flag();
    String other = server.submit("echo ready; " + waitFor(flag), Map.of());
    Viewer viewer = new Viewer(server, other, "");
    await().atMost(Duration.ofSeconds(60)).until(() -> viewer.text("stdout").equals("ready\n"));
    Files.createFile(flag);
    viewer.awaitEnd();
    Files.delete(flag);
    for (Socket socket : watching) {
      socket.close();
    }
    new Viewer(server, id, "1:0:0").awaitEnd();
  }

  @Test
  void whatAnAttemptPrintedIsFoundAmongManyThatPrintedNothing() throws Exception {
    String id = jobWithAttempts(5_000);
    for (int attempt : List.of(2, 700, 4_999)) {
      BuiltInDatabase.sql(
          server,
          "UPDATE errand.attempts SET stdout = 'said %1$d', stdout_bytes = length('said %1$d'),"
                  .formatted(attempt)
              + " stdout_head_bytes = length('said %d')".formatted(attempt)
              + " WHERE job_id = '%s' AND attempt = %d RETURNING 1".formatted(id, attempt));
    }
    Viewer viewer = new Viewer(server, id, "1:0:0").awaitEnd();
    assertThat(viewer.text("stdout")).isEqualTo("said 2said 700said 4999");
    assertThat(viewer.events.stream().map(Event::name))
        .containsExactly("stdout", "stdout", "stdout", "state", "end");
  }

  @Test
  void aClientThatReadsNothingSlowsNobody() throws Exception {
    String id = server.submit("head -c 200000000 /dev/zero | tr '\\0' y; echo done", Map.of());
    HttpRequest request = server.request("/v1/jobs/" + id + "/output/stream").build();
    HttpResponse<java.io.InputStream> unread =
        server.http().send(request, BodyHandlers.ofInputStream());
    JsonNode job = server.awaitEnd(id);
    assertThat(job.get("stdout_bytes").asLong()).isEqualTo(200_000_005);
    unread.body().close();
  }

  @Test
  void nothingIsWrittenWhileNobodyWatches() throws Exception {
    String id = server.submit("for i in $(seq 20); do echo $i; sleep 0.02; done", Map.of());
    server.awaitEnd(id);
    assertThat(
            BuiltInDatabase.sql(
                server, "SELECT count(*) FROM errand.live_output WHERE job_id = '" + id + "'"))
        .isEqualTo("0");
  }

  @Test
  void theProcessTreeOfARunningJobIsShown() {
    String id = server.submit("sleep 600 & sleep 601", Map.of());
    server.awaitState(id, "running");
    await()
        .until(
            () ->
                TestServer.json(server.get("/v1/jobs/" + id + "/process")).path("processes").size()
                    == 3);
    JsonNode processes =
        TestServer.json(server.get("/v1/jobs/" + id + "/process")).get("processes");
    JsonNode shell = processes.get(0);
    for (String field :
        List.of(
            "pid",
            "parent_pid",
            "command",
            "state",
            "threads",
            "cpu_seconds",
            "memory_bytes",
            "open_files",
            "wait_channel",
            "elapsed_seconds")) {
      assertThat(shell.has(field)).as(field).isTrue();
    }
    assertThat(processes.get(1).get("parent_pid")).isEqualTo(shell.get("pid"));
    assertThat(processes.get(2).get("command").asText()).startsWith("sleep 60");
    assertThat(server.cli("top", id).stdout()).contains("sleep 600").contains("sleep 601");
    server.post("/v1/jobs/" + id + "/cancel", "");
    server.awaitEnd(id);
    assertThat(server.get("/v1/jobs/" + id + "/process").statusCode()).isEqualTo(409);
  }

  @Test
  void theHeadOfAStreamIsAllThatIsAnsweredToHead() throws IOException {
    String id = server.submit("sleep 600", Map.of());
    server.awaitState(id, "running");
    String path = "/v1/jobs/" + id + "/output/stream";
    String head = " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + server.token() + "\r\n";
    // The answer to the second request comes only when the first one has ended.
    RawHttp.Answer answers =
        RawHttp.send(
            server.url(),
            ("HEAD " + path + head + "\r\n")
                + ("HEAD " + path + head + "Last-Event-ID: x\r\n\r\n")
                + ("HEAD /v1/jobs/" + new java.util.UUID(1, 2) + "/output/stream" + head + "\r\n")
                + ("GET /v1/queues" + head + "Connection: close\r\n\r\n"));
    assertThat(answers.text().lines().filter(line -> line.startsWith("HTTP/1.1 ")))
        .containsExactly(
            "HTTP/1.1 200 OK",
            "HTTP/1.1 400 Bad Request",
            "HTTP/1.1 404 Not Found",
            "HTTP/1.1 200 OK");
    String first = answers.text().substring(0, answers.text().indexOf("\r\n\r\n") + 4);
    assertThat(first.toLowerCase(java.util.Locale.ROOT))
        .contains("content-type: text/event-stream", "x-accel-buffering: no");
    assertThat(answers.text().substring(first.length())).startsWith("HTTP/1.1 400");
    server.post("/v1/jobs/" + id + "/cancel", "");
    server.awaitEnd(id);
  }

  @Test
  void badRequestsOfAStreamAreRefused() {
    String id = server.submit("true", Map.of());
    assertThat(
            server
                .send(
                    server
                        .request("/v1/jobs/" + id + "/output/stream")
                        .header("Last-Event-ID", "x"))
                .statusCode())
        .isEqualTo(400);
    assertThat(
            server.get("/v1/jobs/" + java.util.UUID.randomUUID() + "/output/stream").statusCode())
        .isEqualTo(404);
  }

  @Test
  void logsFollowAndRunPrintEveryByte() {
    assertThat(server.cli("run", "--", "printf", "a\\377\\000b").stdout()).startsWith("a");
    String id = server.cli("submit", "--", "sh", "-c", "echo 1; sleep 1; echo 2").stdout().trim();
    assertThat(server.cli("logs", "-f", id).stdout()).isEqualTo("1\n2\n");
  }
}
