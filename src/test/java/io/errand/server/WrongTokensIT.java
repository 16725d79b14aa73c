package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

/** Wrong tokens from an address that clients with right ones share. */
class WrongTokensIT extends OneServer {
  private static JsonNode create(String name) {
    return TestServer.json(
        server.post("/v1/keys", "{\"name\":\"" + name + "\",\"role\":\"viewer\"}"));
  }

  private static WithKey with(JsonNode key) {
    return new WithKey(server, key.get("key").asText());
  }

  /** Until the address may send no more tokens that nobody knows. */
  private static void flood() {
    int status = 0;
    for (int i = 0; i < 10_000 && status != 429; i++) {
      status =
          new WithKey(server, "errand_aaaaaaaaaaaa_%043d".formatted(i)).get("/v1/me").statusCode();
    }
    assertThat(status).isEqualTo(429);
  }

  @Test
  void theyKeepNoKeyOutThatIsInUseWhateverChanges() {
    JsonNode used = create("used");
    JsonNode revoked = create("revoked");
    JsonNode rotated = create("rotated");
    JsonNode fresh = create("fresh");
    for (JsonNode key : new JsonNode[] {used, revoked, rotated}) {
      assertThat(with(key).get("/v1/me").statusCode()).isEqualTo(200);
    }
    ConsoleClient signedIn = ConsoleClient.signedIn(with(used));
    for (int round = 0; round < 5; round++) {
      JsonNode other = create("other-" + round);
      flood();
      assertThat(server.call("DELETE", "/v1/keys/" + other.get("id").asText(), "").statusCode())
          .isEqualTo(204);
      assertThat(with(used).get("/v1/me").statusCode()).isEqualTo(200);
      assertThat(server.get("/v1/me").statusCode()).isEqualTo(200);
      assertThat(signedIn.get("/console/jobs").statusCode()).isEqualTo(200);
    }
    server.call("DELETE", "/v1/keys/" + revoked.get("id").asText(), "");
    server.post("/v1/keys/" + rotated.get("id").asText() + "/rotate", "{}");
    flood();
    // Each of them is looked up once more, and is a wrong token from then on.
    for (JsonNode key : new JsonNode[] {revoked, rotated}) {
      TestServer.assertProblem(with(key).get("/v1/me"), 401);
    }
    flood();
    for (JsonNode key : new JsonNode[] {revoked, rotated, fresh}) {
      TestServer.assertProblem(with(key).get("/v1/me"), 429);
    }
    assertThat(with(used).get("/v1/me").statusCode()).isEqualTo(200);
  }

  @Test
  void wrongSessionsOfTheConsoleCountTooAndKeepNoSessionOutThatIsInUse() {
    ConsoleClient signedIn = ConsoleClient.signedIn(new WithKey(server, server.token()));
    ConsoleClient wrong = new ConsoleClient(server.url());
    int status = 0;
    for (int i = 0; i < 10_000 && status != 429; i++) {
      wrong.cookie = signedIn.cookie.replaceFirst("=.*", "=%043d".formatted(i));
      status = wrong.get("/console/jobs").statusCode();
      assertThat(status).isIn(303, 429);
    }
    assertThat(status).isEqualTo(429);
    assertThat(signedIn.get("/console/jobs").statusCode()).isEqualTo(200);
    assertThat(server.get("/v1/me").statusCode()).isEqualTo(200);
  }
}
