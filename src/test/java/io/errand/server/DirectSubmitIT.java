package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ADR 13: there are two ways to submit, and nobody can tell which one it was. */
class DirectSubmitIT {
  private static final String PLAIN = "application/json";
  private static final String FRAMEWORK = "application/json; charset=utf-8";
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start(Map.of("ERRAND_ROLES", "api"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"command\":[\"true\"]}",
        "{\"command\":[]}",
        "{\"command\":[\"true\"],\"colour\":1}",
        "{\"command\":",
        "null",
        ""
      })
  void bothWaysAnswerAlike(String body) {
    assertAlike(submit(PLAIN, "one", body), submit(FRAMEWORK, "two", body));
  }

  @ParameterizedTest
  @ValueSource(strings = {"true", "false"})
  void bothWaysAnswerAlikeWhereTheKeyIsKnown(String command) {
    submit(PLAIN, "known", "{\"command\":[\"true\"]}");
    String body = "{\"command\":[\"" + command + "\"]}"; // the same request, or another
    assertAlike(submit(PLAIN, "known", body), submit(FRAMEWORK, "known", body));
  }

  private static HttpResponse<String> submit(String type, String key, String body) {
    return server.send(
        server
            .request("/v1/jobs")
            .header("Content-Type", type)
            .header("Idempotency-Key", key)
            .POST(BodyPublishers.ofString(body)));
  }

  private static void assertAlike(HttpResponse<String> one, HttpResponse<String> other) {
    assertThat(one.statusCode()).isEqualTo(other.statusCode());
    assertThat(new TreeSet<>(one.headers().map().keySet()))
        .isEqualTo(new TreeSet<>(other.headers().map().keySet()));
    for (String same : new String[] {"Content-Type", "Cache-Control", "Errand-Durability"}) {
      assertThat(one.headers().allValues(same)).isEqualTo(other.headers().allValues(same));
    }
    assertThat(withoutIds(one.headers().firstValue("Location").orElse("")))
        .isEqualTo(withoutIds(other.headers().firstValue("Location").orElse("")));
    assertThat(withoutIds(one.body())).isEqualTo(withoutIds(other.body()));
  }

  private static String withoutIds(String text) {
    return text.replaceAll("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID")
        .replaceAll("[0-9-]{10}T[0-9:.]{15}Z", "TIME")
        .replaceAll("\"(one|two)\"", "KEY");
  }
}
