package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** API keys, from outside. */
class KeysIT {
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start(Map.of());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode create(String members) {
    HttpResponse<String> answer = server.post("/v1/keys", "{\"name\":\"test\"," + members + "}");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
    return TestServer.json(answer);
  }

  private static WithKey with(JsonNode key) {
    return new WithKey(server, key.get("key").asText());
  }

  @Test
  void theTextOfAKeyIsInOneAnswerAndInNoTable() throws Exception {
    JsonNode key = create("\"role\":\"viewer\"");
    String text = key.get("key").asText();
    assertThat(text).matches("errand_[a-z0-9]{12}_[A-Za-z0-9_-]{43}");
    assertThat(text).startsWith("errand_" + key.get("id").asText() + "_");
    String secret = text.substring(text.length() - 43);
    assertThat(server.get("/v1/keys").body()).contains(key.get("id").asText());
    assertThat(server.get("/v1/keys").body()).doesNotContain(secret);
    String rows =
        BuiltInDatabase.sql(server, "SELECT string_agg(k::text, ' ') FROM errand.api_keys k");
    assertThat(rows).contains(key.get("id").asText()).doesNotContain(secret);
    assertThat(server.log()).doesNotContain(secret);
  }

  @Test
  void aRevokedKeyIsRefusedFromTheNextRequestOn() {
    JsonNode key = create("\"role\":\"viewer\"");
    WithKey caller = with(key);
    assertThat(caller.get("/v1/jobs").statusCode()).isEqualTo(200);
    String path = "/v1/keys/" + key.get("id").asText();
    assertThat(server.call("DELETE", path, "").statusCode()).isEqualTo(204);
    TestServer.assertProblem(caller.get("/v1/jobs"), 401);
    assertThat(server.call("DELETE", path, "").statusCode()).isEqualTo(204);
  }

  @Test
  void aKeyExpires() {
    Instant end = Instant.now().plusSeconds(3).truncatedTo(ChronoUnit.MILLIS);
    WithKey caller = with(create("\"role\":\"viewer\",\"expires_at\":\"" + end + "\""));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> caller.get("/v1/jobs").statusCode() == 401);
    assertThat(Instant.now()).isAfter(end);
  }

  @Test
  void aRotatedKeyKeepsItsJobsAndTheSecretBeforeForAWhile() {
    JsonNode key = create("\"role\":\"submitter\"");
    String id = with(key).submit("true", Map.of());
    String path = "/v1/keys/" + key.get("id").asText() + "/rotate";
    JsonNode kept = TestServer.json(server.post(path, "{\"grace_seconds\":600}"));
    assertThat(with(kept).get("/v1/jobs/" + id).statusCode()).isEqualTo(200);
    assertThat(with(key).get("/v1/jobs/" + id).statusCode()).isEqualTo(200);
    JsonNode replaced = TestServer.json(server.post(path, "{}"));
    assertThat(with(replaced).get("/v1/jobs/" + id).statusCode()).isEqualTo(200);
    TestServer.assertProblem(with(kept).get("/v1/jobs/" + id), 401);
  }

  @Test
  void useIsNoted() {
    JsonNode key = create("\"role\":\"viewer\"");
    assertThat(key.get("last_used_at").isNull()).isTrue();
    with(key).get("/v1/jobs");
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              for (JsonNode one :
                  TestServer.json(server.get("/v1/keys?page_size=500")).get("keys")) {
                if (one.get("id").equals(key.get("id"))) {
                  return one.hasNonNull("last_used_at");
                }
              }
              return false;
            });
  }

  @Test
  void theTokenOfTheFirstStartIsAKeyLikeAnyOther() {
    try (TestServer fresh = TestServer.start(Map.of())) {
      JsonNode me = TestServer.json(fresh.get("/v1/me"));
      WithKey second = WithKey.of(fresh, "admin", "default");
      assertThat(second.get("/v1/keys").body()).contains(me.get("key_id").asText());
      second.call("DELETE", "/v1/keys/" + me.get("key_id").asText(), "");
      TestServer.assertProblem(fresh.get("/v1/jobs"), 401);
      assertThat(second.get("/v1/jobs").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void badKeysAndProjectsAreRefusedByField() {
    for (String body :
        new String[] {
          "{}",
          "{\"name\":\"\",\"role\":\"viewer\"}",
          "{\"name\":\"x\",\"role\":\"root\"}",
          "{\"name\":\"x\",\"role\":7}",
          "{\"name\":\"x\",\"role\":\"viewer\",\"project\":\"no-such\"}",
          "{\"name\":\"x\",\"role\":\"viewer\",\"project\":\"A\"}",
          "{\"name\":\"x\",\"role\":\"viewer\",\"expires_at\":\"2001-01-01T00:00:00Z\"}",
          "{\"name\":\"x\",\"role\":\"viewer\",\"key\":\"mine\"}"
        }) {
      HttpResponse<String> answer = server.post("/v1/keys", body);
      assertThat(answer.statusCode()).as(body + answer.body()).isEqualTo(400);
      assertThat(TestServer.json(answer).get("errors")).as(body).isNotEmpty();
    }
    assertThat(server.call("PUT", "/v1/projects/Bad", "{}").statusCode()).isEqualTo(400);
    assertThat(server.call("PUT", "/v1/projects/ok", "{\"max_waiting\":-1}").statusCode())
        .isEqualTo(400);
    assertThat(server.call("DELETE", "/v1/projects/default", "").statusCode()).isEqualTo(409);
    assertThat(server.call("DELETE", "/v1/projects/none", "").statusCode()).isEqualTo(404);
  }

  @Test
  void aProjectIsMadeOnceAndRemovedWhenNothingBelongsToIt() {
    assertThat(server.call("PUT", "/v1/projects/brief", "{}").statusCode()).isEqualTo(201);
    HttpResponse<String> again = server.call("PUT", "/v1/projects/brief", "{\"max_waiting\":5}");
    assertThat(again.statusCode()).isEqualTo(200);
    assertThat(TestServer.json(again).get("max_waiting").asInt()).isEqualTo(5);
    JsonNode key = create("\"role\":\"viewer\",\"project\":\"brief\"");
    TestServer.assertProblem(server.call("DELETE", "/v1/projects/brief", ""), 409);
    server.call("DELETE", "/v1/keys/" + key.get("id").asText(), "");
    assertThat(server.call("DELETE", "/v1/projects/brief", "").statusCode()).isEqualTo(204);
    assertThat(server.get("/v1/projects").body()).doesNotContain("brief");
  }

  @Test
  void wrongKeysFromOneAddressAreSlowedDownAndRightOnesAreNot() {
    WithKey right = WithKey.of(server, "viewer", "default");
    assertThat(right.get("/v1/jobs").statusCode()).isEqualTo(200);
    WithKey wrong = new WithKey(server, "errand_aaaaaaaaaaaa_" + "x".repeat(43));
    int refused = 0;
    for (int i = 0; i < 3_000 && refused == 0; i++) {
      HttpResponse<String> answer = wrong.get("/v1/jobs");
      if (answer.statusCode() == 429) {
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        refused++;
      } else {
        assertThat(answer.statusCode()).isEqualTo(401);
      }
    }
    assertThat(refused).isPositive();
    assertThat(right.get("/v1/jobs").statusCode()).isEqualTo(200);
  }
}
