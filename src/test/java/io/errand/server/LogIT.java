package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogIT {
  private static TestServer plain;
  private static TestServer json;

  @BeforeAll
  static void start() {
    plain = TestServer.start(Map.of("ERRAND_LOG_JSON", "false"));
    json = TestServer.start(Map.of("ERRAND_LOG_JSON", "true"));
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
}
