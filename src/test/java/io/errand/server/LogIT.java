package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogIT {
  @Test
  void theLineOfTheStartPromisesNoAddressThatItDoesNotName() {
    try (TestServer server = TestServer.start(Map.of())) {
      assertThat(server.log()).contains(" started in ").doesNotContain("Listening on: ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"false", "true"})
  void noTextOfAClientMakesALineOfTheLog(String json) {
    String forged = "2026-11-27T00:00:00.000Z INFO FORGED";
    String hostile = "x\n" + forged + "\u001b[31m\u009b1m\u202e\u2028";
    try (TestServer server = TestServer.start(Map.of("ERRAND_LOG_JSON", json))) {
      Map<String, ?> job = Map.of("command", List.of(hostile), "max_attempts", 1);
      String id =
          TestServer.json(server.post("/v1/jobs", TestServer.JSON.valueToTree(job).toString()))
              .get("id")
              .asText();
      server.awaitEnd(id);
      await().until(() -> server.log().contains("FORGED"));
      assertThat(server.log())
          .doesNotContain("\n" + forged, "\u001b", "\u009b", "\u202e", "\u2028");
    }
  }

  @Test
  void linesAboutJobsAreJsonWhereThatIsAskedFor() {
    try (TestServer server = TestServer.start(Map.of("ERRAND_LOG_JSON", "true"))) {
      String id = server.submit("true", Map.of());
      server.awaitEnd(id);
      await()
          .untilAsserted(
              () ->
                  assertThat(server.log().lines().filter(line -> line.contains(id)))
                      .isNotEmpty()
                      .allMatch(
                          line -> line.startsWith("{") && line.contains("\"attempt\":\"1\"")));
    }
  }
}
