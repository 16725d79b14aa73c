package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Patterns of one project that take long, or for ever, keep no other from its work. */
@Timeout(300)
class NamedPatternsIT extends OneServer {
  private static final int PARAMETERS = 12;

  private static WithKey evil;

  @BeforeAll
  static void makeTheProjects() {
    server.call("PUT", "/v1/projects/evil", "{}");
    evil = WithKey.of(server, "admin", "evil");
  }

  private static ObjectNode definition(int parameters, String mark) {
    ObjectNode definition = TestServer.JSON.createObjectNode();
    ArrayNode command = definition.putArray("command").add("/bin/echo");
    ObjectNode all = definition.putObject("parameters");
    for (int i = 0; i < parameters; i++) {
      command.add("{p" + i + "}");
      String pattern = "(?i)[" + (char) ('a' + i) + mark + "\\pL\\PM".repeat(80) + "]";
      all.putObject("p" + i).put("type", "string").put("max_length", 1).put("pattern", pattern);
    }
    return definition;
  }

  private static ObjectNode job(String run) {
    ObjectNode job = TestServer.JSON.createObjectNode().put("run", run);
    ObjectNode values = job.putObject("parameters");
    for (int i = 0; i < PARAMETERS; i++) {
      values.put("p" + i, "x");
    }
    return job;
  }

  @Test
  void aPatternThatCannotBeCompiledStopsNobody() {
    ObjectNode definition = TestServer.JSON.createObjectNode();
    definition.putArray("command").add("/bin/echo").add("{a}");
    definition
        .putObject("parameters")
        .putObject("a")
        .put("type", "string")
        .put("pattern", "(?i)[B-\\x{1044e}]");
    for (int i = 0; i < 5; i++) {
      HttpResponse<String> refused =
          evil.call("PUT", "/v1/commands/endless", definition.toString());
      ApiClient.assertProblem(refused, 400);
      assertThat(refused.body()).contains("parameters.a.pattern", "U+1C80");
    }
    String plain =
        "{\"command\":[\"/bin/echo\",\"{a}\"],\"parameters\":{\"a\":{\"type\":\"string\",\"pattern\":\"[a-z]{150}|x\"}}}";
    assertThat(server.call("PUT", "/v1/commands/ok", plain).statusCode()).isEqualTo(201);
    assertThat(
            server.post("/v1/jobs", "{\"run\":\"ok\",\"parameters\":{\"a\":\"x\"}}").statusCode())
        .isEqualTo(202);
  }

  @Test
  void aDefinitionThatTakesTooLongToCompileIsRefused() {
    HttpResponse<String> refused =
        evil.call("PUT", "/v1/commands/slow", definition(26, "0").toString());
    ApiClient.assertProblem(refused, 400);
    assertThat(refused.body()).contains("takes too long").contains(".pattern");
  }

  @Test
  void manyJobsWithSlowPatternsHoldNoReadsAndNoTicksUp() throws InterruptedException {
    for (String name : List.of("one", "two", "three", "four", "five")) {
      ObjectNode definition = definition(PARAMETERS, name.substring(0, 2));
      assertThat(evil.call("PUT", "/v1/commands/" + name, definition.toString()).statusCode())
          .isEqualTo(201);
    }
    assertThat(
            server
                .post(
                    "/v1/schedules",
                    "{\"name\":\"victim\",\"cron\":\"@every 1s\",\"job\":{\"command\":[\"true\"]}}")
                .statusCode())
        .isEqualTo(201);
    ConcurrentLinkedQueue<Integer> answers = new ConcurrentLinkedQueue<>();
    List<Thread> clients = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      String body = job(List.of("one", "two", "three", "four", "five").get(i % 5)).toString();
      Thread client =
          new Thread(() -> answers.add(evil.post("/v1/jobs", body).statusCode()), "client");
      client.start();
      clients.add(client);
    }
    assertThat(server.get("/v1/jobs").statusCode()).isEqualTo(200);
    for (Thread client : clients) {
      client.join();
    }
    assertThat(answers).hasSize(300).contains(202).containsOnly(202, 503);
    Instant after = Instant.now();
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                TestServer.json(server.get("/v1/schedules/victim/ticks?page_size=1"))
                    .findValuesAsText("tick_at")
                    .stream()
                    .anyMatch(at -> Instant.parse(at).isAfter(after)));
    server.call("DELETE", "/v1/schedules/victim", "");
  }

  @Test
  void aBatchCompilesEachPatternOnce() {
    for (String name : List.of("left", "right")) {
      ObjectNode definition = definition(PARAMETERS, name.substring(0, 2));
      assertThat(evil.call("PUT", "/v1/commands/" + name, definition.toString()).statusCode())
          .isEqualTo(201);
    }
    ObjectNode batch = TestServer.JSON.createObjectNode();
    ArrayNode jobs = batch.putArray("jobs");
    for (int i = 0; i < 1_000; i++) {
      jobs.add(job(i % 2 == 0 ? "left" : "right"));
    }
    assertThat(evil.post("/v1/jobs/batch", batch.toString()).statusCode()).isEqualTo(202);
  }
}
