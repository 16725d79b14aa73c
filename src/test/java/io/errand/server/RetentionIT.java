package io.errand.server;

import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.http.HttpResponse;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What becomes of finished jobs, seen from outside. */
class RetentionIT {
  @Test
  void aFinishedJobGoesAndItsKeyAndIdAreRemembered() {
    Map<String, String> settings =
        Map.of(
            "ERRAND_RETENTION_DAYS_SUCCEEDED", "0.00001", // about a second
            "ERRAND_RETENTION_INTERVAL", "1s");
    try (TestServer server = TestServer.start(settings)) {
      String body = "{\"command\":[\"true\"],\"queue\":\"short\"}";
      String id =
          json(server.post("/v1/jobs", body, "Idempotency-Key", "\"once\"")).get("id").asText();
      UUID own = UUID.randomUUID();
      assertThat(server.call("PUT", "/v1/jobs/" + own, body).statusCode()).isEqualTo(202);
      String failed = server.submit("exit 1", Map.of("max_attempts", 1));
      await()
          .until(
              () ->
                  server.get("/v1/jobs/" + id).statusCode() == 404
                      && server.get("/v1/jobs/" + own).statusCode() == 404);
      HttpResponse<String> repeat = server.post("/v1/jobs", body, "Idempotency-Key", "\"once\"");
      assertThat(repeat.statusCode()).isEqualTo(410);
      assertThat(repeat.body()).contains(id);
      HttpResponse<String> again = server.call("PUT", "/v1/jobs/" + own, body);
      assertThat(again.statusCode()).as(again.body()).isEqualTo(410);
      assertThat(server.get("/v1/queues/short").statusCode()).isEqualTo(404);
      assertThat(server.awaitEnd(failed).get("state").asText()).isEqualTo("failed");
      assertThat(json(server.get("/v1/queues/default")).get("counts").get("failed").asInt())
          .isEqualTo(1);
    }
  }

  @Test
  void aRetentionThatMakesNoSenseStopsTheStart() {
    assertThat(TestServer.refusal(Map.of("ERRAND_RETENTION_KEY_DAYS", "99999")))
        .contains("set it to a number above 0")
        .doesNotContain(" ERROR ");
    assertThat(TestServer.refusal(Map.of("ERRAND_RETENTION_DAYS", "-1")))
        .contains("set it to a number between 0");
    assertThat(TestServer.refusal(Map.of("ERRAND_RETENTION_INTERVAL", "off")))
        .contains("such as 60s");
    assertThat(TestServer.refusal(Map.of("ERRAND_RETENTION_DAYS", "soon")))
        .contains("set it to a number");
  }
}
