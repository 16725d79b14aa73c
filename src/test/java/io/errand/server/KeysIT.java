package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** API keys, from outside. */
class KeysIT extends OneServer {
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
    JsonNode key = create("\"role\":\"viewer\",\"expires_at\":\"" + end + "\"");
    WithKey caller = with(key);
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> caller.get("/v1/jobs").statusCode() == 401);
    assertThat(Instant.now()).isAfter(end);
    TestServer.assertProblem(
        server.post("/v1/keys/" + key.get("id").asText() + "/rotate", "{}"), 404);
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
  void noKeyIsCalledAsCallersOfOtherKindsAre() {
    for (String name : List.of("sql:x", "oidc:x")) {
      TestServer.assertProblem(
          server.post("/v1/keys", "{\"name\":\"" + name + "\",\"role\":\"viewer\"}"), 400);
    }
  }

  private static CompletableFuture<HttpResponse<String>> stream(WithKey caller, String id) {
    return caller
        .http()
        .sendAsync(
            caller.request("/v1/jobs/" + id + "/output/stream").build(), BodyHandlers.ofString());
  }

  @Test
  void aStreamEndsWithTheKeyThatItWasOpenedWith() throws Exception {
    String id = server.submit("while :; do echo line; sleep 0.1; done", Map.of());
    server.awaitState(id, "running");
    JsonNode kept = create("\"role\":\"viewer\"");
    JsonNode revoked = create("\"role\":\"viewer\"");
    JsonNode rotated = create("\"role\":\"viewer\"");
    JsonNode expiring =
        create("\"role\":\"viewer\",\"expires_at\":\"" + Instant.now().plusSeconds(4) + "\"");
    CompletableFuture<HttpResponse<String>> stays = stream(with(kept), id);
    List<CompletableFuture<HttpResponse<String>>> ending =
        List.of(stream(with(revoked), id), stream(with(rotated), id), stream(with(expiring), id));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                List.of(kept, revoked, rotated, expiring).stream()
                    .allMatch(key -> hasBeenUsed(key)));
    server.call("DELETE", "/v1/keys/" + revoked.get("id").asText(), "");
    server.post("/v1/keys/" + rotated.get("id").asText() + "/rotate", "{}");
    for (CompletableFuture<HttpResponse<String>> each : ending) {
      each.handle((answer, fault) -> "ended").get(60, TimeUnit.SECONDS);
    }
    assertThat(stays).isNotDone();
    server.post("/v1/jobs/" + id + "/cancel", "");
    assertThat(stays.get(60, TimeUnit.SECONDS).body()).contains("cancelled");
  }

  private static boolean hasBeenUsed(JsonNode key) {
    for (JsonNode one : TestServer.json(server.get("/v1/keys?page_size=500")).get("keys")) {
      if (one.get("id").equals(key.get("id"))) {
        return one.hasNonNull("last_used_at");
      }
    }
    return false;
  }

  @Test
  void useIsNoted() {
    JsonNode key = create("\"role\":\"viewer\"");
    assertThat(key.get("last_used_at").isNull()).isTrue();
    with(key).get("/v1/jobs");
    Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> hasBeenUsed(key));
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
          "{\"name\":\"a\\nb\",\"role\":\"viewer\"}",
          "{\"name\":\"a\\u001b[31m\",\"role\":\"viewer\"}",
          "{\"name\":\"a\\u009bb\",\"role\":\"viewer\"}",
          "{\"name\":\"a\\u2028b\",\"role\":\"viewer\"}",
          "{\"name\":\"a\\u202eb\",\"role\":\"viewer\"}",
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
  void aKeyThatHasExpiredDoesNotKeepItsProject() {
    assertThat(server.call("PUT", "/v1/projects/passing", "{}").statusCode()).isEqualTo(201);
    Instant end = Instant.now().plusSeconds(3).truncatedTo(ChronoUnit.MILLIS);
    create("\"role\":\"viewer\",\"project\":\"passing\",\"expires_at\":\"" + end + "\"");
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> server.call("DELETE", "/v1/projects/passing", "").statusCode() == 204);
    assertThat(Instant.now()).isAfter(end);
  }

  @Test
  void aProjectThatIsMadeAgainHasNothingOfTheOneBefore() throws Exception {
    assertThat(server.call("PUT", "/v1/projects/again", "{}").statusCode()).isEqualTo(201);
    JsonNode key = create("\"role\":\"operator\",\"project\":\"again\"");
    WithKey before = with(key);
    before.call("PATCH", "/v1/queues/q", "{\"max_running\": 2}");
    HttpResponse<String> submitted =
        before.post("/v1/jobs", "{\"command\":[\"true\"],\"queue\":\"q\"}");
    assertThat(submitted.statusCode()).as(submitted.body()).isEqualTo(202);
    String first = TestServer.json(submitted).get("id").asText();
    before.awaitEnd(first);
    String own = "{\"command\":[\"true\"]}";
    HttpResponse<String> ofAdmin = submitInAgain(own);
    String second = TestServer.json(ofAdmin).get("id").asText();
    before.awaitEnd(second);
    before.post("/v1/jobs/release", "{\"filter\":{\"queue\":\"q\"}}");
    for (String id : List.of(first, second)) {
      HttpResponse<String> removed = before.call("DELETE", "/v1/jobs/" + id, "");
      assertThat(removed.statusCode()).as(removed.body()).isEqualTo(204);
    }
    server.call("DELETE", "/v1/keys/" + key.get("id").asText(), "");
    assertThat(server.call("DELETE", "/v1/projects/again", "").statusCode()).isEqualTo(204);

    assertThat(server.call("PUT", "/v1/projects/again", "{}").statusCode()).isEqualTo(201);
    WithKey later = WithKey.of(server, "operator", "again");
    for (String list : List.of("operations", "deliveries", "webhooks", "queues")) {
      HttpResponse<String> answer = later.get("/v1/" + list);
      assertThat(TestServer.json(answer).get(list)).as(list + answer.body()).isEmpty();
    }
    TestServer.assertProblem(later.get("/v1/queues/q/events"), 404);
    HttpResponse<String> repeated = submitInAgain(own);
    assertThat(repeated.statusCode()).as(repeated.body()).isEqualTo(202);
  }

  private static HttpResponse<String> submitInAgain(String body) {
    return server.send(
        server
            .request("/v1/jobs")
            .header("Errand-Project", "again")
            .header("Idempotency-Key", "before")
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  @Test
  void wrongKeysFromOneAddressAreSlowedDownAndOtherAddressesAreNot() throws IOException {
    String wrong = "errand_aaaaaaaaaaaa_" + "x".repeat(43);
    String answer = "";
    for (int i = 0; i < 3_000 && !answer.startsWith("HTTP/1.1 429"); i++) {
      answer = getFrom("127.0.0.9", wrong);
      assertThat(answer).containsPattern("^HTTP/1.1 (401|429) ");
    }
    assertThat(answer).startsWith("HTTP/1.1 429").containsIgnoringCase("Retry-After:");
    assertThat(WithKey.of(server, "viewer", "default").get("/v1/jobs").statusCode()).isEqualTo(200);
  }

  /**
   * The answer to a request from an address of the loopback, so that others are not slowed down.
   */
  private static String getFrom(String address, String key) throws IOException {
    URI url = URI.create(server.url());
    try (Socket socket = new Socket()) {
      socket.bind(new InetSocketAddress(address, 0));
      socket.connect(new InetSocketAddress(url.getHost(), url.getPort()));
      socket.setSoTimeout(60_000);
      String request =
          "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n";
      socket.getOutputStream().write(request.formatted(key).getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
