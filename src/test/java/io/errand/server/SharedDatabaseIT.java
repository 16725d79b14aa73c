package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Servers of which only some serve the API or run commands, on one database. */
@Timeout(300)
class SharedDatabaseIT {
  private static final Map<String, String> QUICK =
      Map.of("ERRAND_LEASE_SECONDS", "5", "ERRAND_DRAIN_SECONDS", "1");

  @Test
  void apiAndWorkerMeetInAnExternalDatabase() throws Exception {
    try (TestServer first = TestServer.start(QUICK)) {
      Map<String, String> external = new HashMap<>(QUICK);
      external.putAll(BuiltInDatabase.settingsOf(first));
      external.put("ERRAND_TOKEN", "a-token-of-our-own");
      external.put("ERRAND_ROLES", "api");
      try (TestServer api = TestServer.start(external)) {
        assertThat(api.home().resolve("data")).doesNotExist();
        // A token of the configuration is known to its own server, the key of a first start to all.
        assertThat(new WithKey(api, first.token()).get("/v1/jobs").statusCode()).isEqualTo(200);
        assertThat(new WithKey(first, "a-token-of-our-own").get("/v1/jobs").statusCode())
            .isEqualTo(401);
        assertThat(
                api.cli(
                    Map.of("ERRAND_TOKEN", "a-token-of-our-own"),
                    "run",
                    "--",
                    "sh",
                    "-c",
                    "echo from afar; exit 4"))
            .satisfies(cli -> assertThat(cli.exitCode()).isEqualTo(4))
            .satisfies(cli -> assertThat(cli.stdout()).isEqualTo("from afar\n"));
        first.signal("STOP");
        String lost =
            api.cli(Map.of("ERRAND_TOKEN", "a-token-of-our-own"), "submit", "--", "true")
                .stdout()
                .trim();
        assertThat(lost).isNotEmpty();
        first.signal("CONT");
        assertThat(first.awaitEnd(lost).get("state").asText()).isEqualTo("succeeded");
      }
    }
  }

  @Test
  void aWorkerThatWasFrozenIsGivenUpAndItsLateResultChangesNothing() throws Exception {
    try (TestServer first = TestServer.start(QUICK)) {
      Map<String, String> external = new HashMap<>(QUICK);
      external.putAll(BuiltInDatabase.settingsOf(first));
      String id =
          first.submit(
              "[ $ERRAND_ATTEMPT = 1 ] && exec sleep 600; echo second", Map.of("queue", "q"));
      first.awaitState(id, "running");
      try (TestServer second = TestServer.start(external)) {
        first.signal("STOP");
        JsonNode job = second.awaitEnd(id);
        first.signal("CONT");
        assertThat(job.get("stdout").asText()).isEqualTo("second\n");
        assertThat(job.get("attempt").asInt()).isEqualTo(2);
        await()
            .until(
                () ->
                    BuiltInDatabase.sql(
                            first, "SELECT count(*) FROM errand.workers WHERE state = 'live'")
                        .equals("2"));
        assertThat(second.job(id)).isEqualTo(job);
        first.awaitEnd(first.submit("true", Map.of()));
      }
    }
  }

  @Test
  void aServerStartsAgainOnASchemaThatANewerOneHasMigrated() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      BuiltInDatabase.sql(
          server,
          "INSERT INTO errand.flyway_schema_history (installed_rank, version, description, type,"
              + " script, checksum, installed_by, execution_time, success)"
              + " SELECT max(installed_rank) + 1, '9999', 'of a newer server', 'SQL',"
              + " 'V9999__of_a_newer_server.sql', 1, 'errand', 1, true"
              + " FROM errand.flyway_schema_history RETURNING version");
      server.stop();
      server.restart();
      assertThat(server.awaitEnd(server.submit("true", Map.of())).get("state").asText())
          .isEqualTo("succeeded");
    }
  }

  @Test
  void aProcessThatOnlyRunsCommandsHasNoApi() throws Exception {
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_ROLES", " worker");
    try (TestServer worker = TestServer.start(settings)) {
      assertThat(worker.get("/q/health/ready").statusCode()).isEqualTo(200);
      assertThat(worker.post("/v1/jobs", "{\"command\": [\"true\"]}").statusCode()).isEqualTo(404);
      assertThat(worker.get("/v1/jobs"))
          .satisfies(answer -> assertThat(answer.statusCode()).isEqualTo(404))
          .satisfies(answer -> assertThat(answer.body()).contains("The API is not served here"));
      assertThat(
              BuiltInDatabase.sql(
                  worker, "SELECT count(*) FROM errand.workers WHERE state = 'live'"))
          .isEqualTo("1");
    }
  }
}
