package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogIT {
  private static TestServer plain;
  private static TestServer json;

  private static final String CANARY = "canary-" + UUID.randomUUID();

  @TempDir static Path secrets;

  @BeforeAll
  static void start() throws IOException {
    Files.writeString(secrets.resolve("canary"), CANARY + "-secret");
    plain =
        TestServer.start(
            Map.of("ERRAND_LOG_JSON", "false", "ERRAND_SECRETS_DIR", secrets.toString()));
    json = TestServer.start(Map.of("ERRAND_LOG_JSON", "true", "ERRAND_LOG_JSON_FORMAT", "ecs"));
  }

  @AfterAll
  static void stop() {
    plain.close();
    json.close();
  }

  @Test
  void theLineOfTheStartPromisesNoAddressThatItDoesNotName() {
    assertThat(plain.log()).contains(" started in ").doesNotContain("Listening on: ");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void noTextOfAClientMakesALineOfTheLog(boolean asJson) {
    String forged = "2026-11-27T00:00:00.000Z INFO FORGED";
    String hostile = "x\n" + forged + "\u001b[31m\u009b1m\u202e\u2028";
    TestServer server = asJson ? json : plain;
    Map<String, ?> job = Map.of("command", List.of(hostile), "max_attempts", 1);
    String id =
        TestServer.json(server.post("/v1/jobs", TestServer.JSON.valueToTree(job).toString()))
            .get("id")
            .asText();
    server.awaitEnd(id);
    await().until(() -> server.log().contains("FORGED"));
    assertThat(server.log()).doesNotContain("\n" + forged, "\u001b", "\u009b", "\u202e", "\u2028");
  }

  @Test
  void linesAboutJobsAreJsonWhereThatIsAskedFor() {
    String id = json.submit("true", Map.of());
    json.awaitEnd(id);
    await()
        .untilAsserted(
            () ->
                assertThat(json.log().lines().filter(line -> line.contains(id)))
                    .isNotEmpty()
                    .allMatch(line -> line.startsWith("{") && line.contains("\"attempt\":\"1\"")));
  }

  @Test
  void theNamesInJsonAreThoseOfTheElasticCommonSchema() {
    String id = json.submit("true", Map.of("queue", "ecs"));
    JsonNode line = lineAbout(id);
    assertThat(line.get("log.level").asText()).isEqualTo("INFO");
    assertThat(line.get("log.logger").asText()).startsWith("io.errand.worker.");
    assertThat(line.get("@timestamp").asText()).matches("2.*T.*");
    assertThat(line.get("ecs.version").asText()).isNotEmpty();
    JsonNode labels = line.get("labels");
    assertThat(labels.get("job_id").asText()).isEqualTo(id);
    assertThat(labels.get("attempt").asText()).isEqualTo("1");
    assertThat(labels.get("queue").asText()).isEqualTo("ecs");
    assertThat(labels.get("worker").asText()).isEqualTo(json.job(id).get("worker").asText());
    assertThat(line.has("trace.id")).isFalse();
  }

  @Test
  void theTraceIsWhereTheElasticCommonSchemaHasIt() {
    String trace = UUID.randomUUID().toString().replace("-", "");
    String id =
        TestServer.json(
                json.post(
                    "/v1/jobs",
                    "{\"command\": [\"true\"]}",
                    "traceparent",
                    "00-" + trace + "-b7ad6b7169203331-01"))
            .get("id")
            .asText();
    JsonNode line = lineAbout(id);
    assertThat(line.get("trace.id").asText()).isEqualTo(trace);
    assertThat(line.get("labels").get("job_id").asText()).isEqualTo(id);
    assertThat(line.get("labels").has("trace_id")).isFalse();
  }

  /** The first line of the log about a job of which there are some once it has ended. */
  private static JsonNode lineAbout(String id) {
    json.awaitEnd(id);
    await().until(() -> json.log().contains(id));
    return json.log()
        .lines()
        .filter(one -> one.contains(id))
        .map(LogIT::parsed)
        .findFirst()
        .orElseThrow();
  }

  private static JsonNode parsed(String line) {
    try {
      return TestServer.JSON.readTree(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int set(String name, String body) {
    return plain.call("PUT", "/v1/log-levels/" + name, body).statusCode();
  }

  @Test
  void aLevelChangesWhileTheServerRuns() {
    String name = "io.errand.worker.Dispatcher";
    plain.awaitEnd(plain.submit("true", Map.of("queue", "before")));
    assertThat(plain.log()).doesNotContain("Claimed from queue before");
    assertThat(plain.cli("log-levels", "set", name, "debug").exitCode()).isZero();
    assertThat(plain.cli("log-levels", "-o", "name").stdout().lines()).contains(name, "io.errand");
    plain.awaitEnd(plain.submit("true", Map.of("queue", "meanwhile")));
    await().until(() -> plain.log().contains("Claimed from queue meanwhile"));
    assertThat(plain.cli("log-levels", "reset", name).exitCode()).isZero();
    plain.awaitEnd(plain.submit("true", Map.of("queue", "after")));
    assertThat(plain.log()).doesNotContain("Claimed from queue after");
    assertThat(plain.call("DELETE", "/v1/log-levels/" + name, "").statusCode()).isEqualTo(404);
    await()
        .until(
            () ->
                plain.get("/v1/audit?page_size=100").body().contains("PUT /v1/log-levels/{name}"));
  }

  @Test
  void onlyLevelsOfOurCategoriesChangeAndNotForEverybody() {
    assertThat(set("org.postgresql", "{\"level\": \"debug\"}")).isEqualTo(400);
    assertThat(set("io.errandx", "{\"level\": \"debug\"}")).isEqualTo(400);
    assertThat(set("io.errand", "{\"level\": \"trace\"}")).isEqualTo(400);
    assertThat(set("io.errand", "{\"level\": \"debug\", \"x\": 1}")).isEqualTo(400);
    plain.call("PUT", "/v1/projects/others", "{}");
    WithKey other = WithKey.of(plain, "admin", "others");
    TestServer.assertProblem(other.get("/v1/log-levels"), 403);
    for (int i = 0; i < 50; i++) {
      assertThat(set("io.errand.none" + i, "{\"level\": \"warn\"}")).isEqualTo(200);
    }
    assertThat(set("io.errand.none50", "{\"level\": \"warn\"}")).isEqualTo(409);
    for (int i = 0; i < 50; i++) {
      assertThat(plain.call("DELETE", "/v1/log-levels/io.errand.none" + i, "").statusCode())
          .isEqualTo(204);
    }
  }

  @Test
  void noLineHoldsWhatIsSecretEvenAtDebug() {
    assertThat(set("io.errand", "{\"level\": \"debug\"}")).isEqualTo(200);
    Map<String, Object> members =
        Map.of(
            "env",
            Map.of("A", CANARY + "-env", "B", "secret://canary"),
            "stdin",
            CANARY + "-stdin",
            "max_attempts",
            1);
    plain.awaitEnd(plain.submit("cat; echo $A $B >&2; exit 3", members));
    Map<String, Object> missing = new java.util.HashMap<>(members);
    missing.put("command", List.of("/no/such/program"));
    String id =
        TestServer.json(plain.post("/v1/jobs", TestServer.JSON.valueToTree(missing).toString()))
            .get("id")
            .asText();
    plain.awaitEnd(id);
    plain.post("/v1/jobs", "{\"command\": [\"true\"], \"env\": {\"A=\": \"" + CANARY + "\"}}");
    new WithKey(plain, CANARY + "-token").get("/v1/jobs");
    await().until(() -> plain.log().contains(id));
    assertThat(plain.log()).doesNotContain(CANARY, plain.token());
    assertThat(plain.call("DELETE", "/v1/log-levels/io.errand", "").statusCode()).isEqualTo(204);
  }
}
