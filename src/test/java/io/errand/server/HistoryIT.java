package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What has happened, as people and auditors see it. */
class HistoryIT {
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start(Map.of("ERRAND_WORKER_NAME", "w1"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void theEventsOfAJobSayWhenWhatAndWho() {
    String id =
        server.submit(
            "exit 3",
            Map.of("max_attempts", 2, "backoff", Map.of("base_seconds", 0, "max_seconds", 1)));
    server.awaitEnd(id);
    List<String> told = new ArrayList<>();
    for (JsonNode event : json(server.get("/v1/jobs/" + id + "/events")).get("events")) {
      assertThat(event.fieldNames())
          .toIterable()
          .containsExactly("at", "from", "to", "reason", "attempt", "actor", "detail");
      assertThat(event.get("at").asText()).matches("\\d{4}-\\d\\d-\\d\\dT.*\\.\\d{6}Z");
      told.add(
          String.join(
              " ",
              event.get("from").asText(),
              event.get("to").asText(),
              event.get("reason").asText(),
              event.get("attempt").asText(),
              event.get("actor").asText()));
    }
    assertThat(told)
        .containsExactly(
            "null queued null 0 client admin",
            "queued running null 1 worker w1",
            "running retrying exit_code 1 worker w1",
            "retrying running null 2 worker w1",
            "running failed exit_code 2 worker w1");
    assertProblem(server.get("/v1/jobs/" + UUID.randomUUID() + "/events"), 404);
    Cli cli = server.cli("events", id);
    assertThat(cli.exitCode()).as(cli.stderr()).isZero();
    assertThat(cli.stdout().lines()).hasSize(6).last().asString().contains("failed", "worker w1");
  }

  @Test
  void aSubmitTellsWhatItsCommitSurvives() {
    HttpResponse<String> one =
        server.post("/v1/jobs", "{\"command\":[\"true\"]}", "Idempotency-Key", "durable");
    assertThat(one.headers().firstValue("Errand-Durability"))
        .contains("disk; fsync=on; synchronous_commit=on; synchronous_standby_names=\"\"");
    HttpResponse<String> many =
        server.post("/v1/jobs/batch", "{\"jobs\":[{\"command\":[\"true\"]}]}");
    assertThat(many.headers().firstValue("Errand-Durability").orElse("")).startsWith("disk; ");
    HttpResponse<String> again =
        server.post("/v1/jobs", "{\"command\":[\"true\"]}", "Idempotency-Key", "durable");
    assertThat(again.headers().firstValue("Errand-Durability")).isEmpty();
    Cli doctor = server.cli("doctor");
    assertThat(doctor.stdout())
        .contains("database: fsync = on", "database: synchronous_standby_names = ''")
        .doesNotContain("WEAK");
  }

  @Test
  void theAuditorReadsTheRunningDatabase(@TempDir Path folder) throws IOException {
    String id = server.submit("true", Map.of());
    server.awaitEnd(id);
    Path accepted = Files.writeString(folder.resolve("accepted"), id + "\n");
    Cli whole = server.cli("verify-history", "--settled", "--accepted", accepted.toString());
    assertThat(whole.stdout()).contains("every rule holds");
    assertThat(whole.exitCode()).isZero();
    Path missing = Files.writeString(folder.resolve("missing"), UUID.randomUUID() + "\n");
    Cli broken = server.cli("verify-history", "--accepted", missing.toString());
    assertThat(broken.stdout()).contains("I1 what was accepted is there: ", "1 violation\n");
    assertThat(broken.exitCode()).isEqualTo(1);
    assertThat(server.cli("verify-history", "--ledger", accepted.toString()).exitCode())
        .isEqualTo(2);
    Cli away =
        server.cli(
            Map.of("ERRAND_DATABASE_URL", "jdbc:postgresql://127.0.0.1:1/none"), "verify-history");
    assertThat(away.exitCode()).isEqualTo(69);
    assertThat(away.stderr()).startsWith("errand: the database cannot be read: ");
  }
}
