package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * This build and the last release line on one database, in every order that an upgrade server by
 * server brings. Only {@code .ci/rehearse} runs it, which names the other build by {@code
 * -Dfaults.other=DIRECTORY}.
 */
@Timeout(900)
class OtherVersionIT {
  private static final Path OLD = Path.of(System.getProperty("faults.other", "missing"));
  private static final Path NEW = TestServer.CHECKOUT;

  private final Path databaseHome = TestServer.newHome();
  private EmbeddedPostgres postgres;

  @BeforeEach
  void startPostgres() throws IOException, InterruptedException {
    Files.createDirectory(databaseHome);
    TestServer.letOthersPass(databaseHome);
    postgres = EmbeddedPostgres.start(databaseHome, 100);
  }

  @AfterEach
  void stopPostgres() throws IOException {
    postgres.close();
    TestServer.delete(databaseHome.resolve("..").normalize());
  }

  private TestServer server(Path build, String roles) {
    Map<String, String> settings = new HashMap<>(database());
    settings.put("ERRAND_TOKEN", "rehearsal-token-0123456789");
    settings.put("ERRAND_LEASE_SECONDS", "10");
    settings.put("ERRAND_DRAIN_SECONDS", "1");
    settings.put("ERRAND_ROLES", roles);
    return TestServer.startedBy(List.of(), TestServer.newHome(), settings, build);
  }

  private Map<String, String> database() {
    return Map.of(
        "ERRAND_DATABASE_URL", postgres.jdbcUrl(),
        "ERRAND_DATABASE_USER", EmbeddedPostgres.ROLE,
        "ERRAND_DATABASE_PASSWORD", postgres.password());
  }

  @Test
  void anOldWorkerServesANewApiBeforeAndAfterItIsStartedAgain() {
    try (TestServer old = server(OLD, "api,worker")) {
      String early = old.submit("echo early", Map.of());
      String running =
          old.submit("[ $ERRAND_ATTEMPT = 1 ] && sleep 600; true", Map.of("max_attempts", 2));
      old.awaitEnd(early);
      old.awaitState(running, "running");
      try (TestServer api = server(NEW, "api")) { // which migrates while the old one runs a command
        assertThat(api.job(early).get("stdout").asText()).isEqualTo("early\n");
        assertThat(old.get("/v1/jobs/" + early).statusCode()).isEqualTo(200);
        exchange(api, old);
        exchange(old, api); // the old API, still from before the migration
        old.stop(); // which gives the long command back
        old.restart(); // on the new schema
        assertThat(api.awaitEnd(running).get("state").asText()).isEqualTo("succeeded");
        exchange(api, old);
      }
      assertHistory();
    }
  }

  @Test
  void aNewWorkerServesAnOldApiThatStartsOnTheNewSchema() {
    server(OLD, "api,worker").close();
    try (TestServer worker = server(NEW, "worker");
        TestServer old = server(OLD, "api")) {
      exchange(old, old);
      try (TestServer api = server(NEW, "api")) {
        exchange(api, old);
        exchange(old, api);
      }
      assertThat(worker.get("/q/health/ready").statusCode()).isEqualTo(200);
      assertHistory();
    }
  }

  /** What a client does at one API, read at another; some worker of some build runs it. */
  private static void exchange(TestServer at, TestServer reads) {
    String key = UUID.randomUUID().toString();
    String body = "{\"command\": [\"sh\", \"-c\", \"echo out; echo err >&2\"]}";
    HttpResponse<String> first = at.post("/v1/jobs", body, "Idempotency-Key", key);
    assertThat(first.statusCode()).as(first.body()).isEqualTo(202);
    String id = ApiClient.json(first).get("id").asText();
    JsonNode done = at.awaitEnd(id);
    assertThat(done.get("state").asText()).isEqualTo("succeeded");
    assertThat(reads.job(id).get("stdout").asText()).isEqualTo("out\n");
    assertThat(reads.job(id).get("stderr").asText()).isEqualTo("err\n");
    assertThat(ApiClient.json(reads.post("/v1/jobs", body, "Idempotency-Key", key)).get("id"))
        .as("the same key at the other build is the same job")
        .isEqualTo(done.get("id"));

    Map<String, ?> twice = Map.of("max_attempts", 2, "backoff", Map.of("base_seconds", 0.1));
    String retried = at.submit("[ $ERRAND_ATTEMPT = 2 ]", twice);
    String failing = at.submit("exit 3", Map.of());
    String late = at.submit("sleep 600", Map.of("timeout_seconds", 1));
    String running = at.submit("sleep 600", Map.of());
    String waiting =
        at.submit("true", Map.of("run_at", Instant.now().plusSeconds(3600).toString()));
    assertEnds(reads, retried, "succeeded");
    assertThat(reads.job(retried).get("attempt").asInt()).isEqualTo(2);
    assertEnds(reads, failing, "failed");
    assertThat(reads.job(failing).get("exit_code").asInt()).isEqualTo(3);
    assertEnds(reads, late, "failed");
    reads.awaitState(running, "running");
    for (String cancelled : List.of(running, waiting)) {
      assertThat(reads.post("/v1/jobs/" + cancelled + "/cancel", "{}").statusCode()).isEqualTo(202);
      assertEnds(at, cancelled, "cancelled");
    }
  }

  private static void assertEnds(TestServer at, String id, String state) {
    assertThat(at.awaitEnd(id).get("state").asText()).as(id).isEqualTo(state);
  }

  private void assertHistory() {
    try (TestServer reader = server(NEW, "api")) {
      Cli verified = reader.cli(database(), "verify-history", "--settled");
      assertThat(verified.exitCode()).as(verified.stdout() + verified.stderr()).isEqualTo(0);
    }
  }
}
