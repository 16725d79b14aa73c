package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Requests of keys and sessions that end while the body is on its way. */
class EndedCallersIT extends OneServer {
  /** A request whose head was let in, and whose body has not been sent. */
  private record Begun(Socket socket, String body) implements AutoCloseable {
    static Begun of(String path, String body, String... headers) throws IOException {
      URI url = URI.create(server.url());
      Socket socket = new Socket(url.getHost(), url.getPort());
      socket.setSoTimeout(60_000);
      String head =
          "POST %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n%s\r\n\r\n"
              .formatted(
                  path, url.getHost(), url.getPort(), body.length(), String.join("\r\n", headers));
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      String letIn = "HTTP/1.1 100 Continue\r\n\r\n";
      assertThat(
              new String(
                  socket.getInputStream().readNBytes(letIn.length()), StandardCharsets.US_ASCII))
          .isEqualTo(letIn);
      return new Begun(socket, body);
    }

    int statusAfterBody() throws IOException {
      socket.getOutputStream().write(body.getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return Integer.parseInt(answer.substring(9, 12));
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private static JsonNode key(String name) {
    return TestServer.json(
        server.post("/v1/keys", "{\"name\":\"%s\",\"role\":\"admin\"}".formatted(name)));
  }

  private static Begun begin(JsonNode key, String path, String body) throws IOException {
    return Begun.of(
        path,
        body,
        "Authorization: Bearer " + key.get("key").asText(),
        "Content-Type: application/json");
  }

  @Test
  void aKeyThatIsRevokedMeanwhileDoesNothing() throws IOException {
    JsonNode key = key("revoked");
    try (Begun newKey = begin(key, "/v1/keys", "{\"name\":\"late\",\"role\":\"admin\"}");
        Begun job = begin(key, "/v1/jobs", "{\"command\":[\"true\"],\"queue\":\"late\"}");
        Begun batch =
            begin(
                key, "/v1/jobs/batch", "{\"jobs\":[{\"command\":[\"true\"],\"queue\":\"late\"}]}");
        Begun other = begin(key("kept"), "/v1/jobs", "{\"command\":[\"true\"]}")) {
      assertThat(server.call("DELETE", "/v1/keys/" + key.get("id").asText(), "").statusCode())
          .isEqualTo(204);
      for (Begun begun : List.of(newKey, job, batch)) {
        assertThat(begun.statusAfterBody()).as(begun.body()).isEqualTo(401);
      }
      assertThat(other.statusAfterBody()).isEqualTo(202);
    }
    assertThat(server.get("/v1/keys").body()).doesNotContain("\"late\"");
    assertThat(TestServer.json(server.get("/v1/jobs?queue=late")).get("jobs")).isEmpty();
  }

  @Test
  void anAdministratorDoesNothingInAProjectThatIsRemovedMeanwhile() throws IOException {
    assertThat(server.call("PUT", "/v1/projects/short", "{}").statusCode()).isEqualTo(201);
    try (Begun job =
        Begun.of(
            "/v1/jobs",
            "{\"command\":[\"true\"]}",
            "Authorization: Bearer " + server.token(),
            "Errand-Project: short",
            "Content-Type: application/json")) {
      assertThat(server.call("DELETE", "/v1/projects/short", "").statusCode()).isEqualTo(204);
      assertThat(job.statusAfterBody()).isEqualTo(404);
    }
  }

  @Test
  void aSessionThatIsSignedOutMeanwhileDoesNothing() throws IOException {
    ConsoleClient client =
        ConsoleClient.signedIn(new WithKey(server, key("signs-out").get("key").asText()));
    String body = "csrf=" + client.csrf + "&name=late-form&role=admin";
    try (Begun form =
        Begun.of(
            "/console/keys",
            body,
            "Cookie: " + client.cookie,
            "Origin: " + server.url(),
            "Content-Type: application/x-www-form-urlencoded")) {
      assertThat(client.submit("/console/logout").statusCode()).isEqualTo(303);
      assertThat(form.statusAfterBody()).isEqualTo(401);
    }
    assertThat(server.get("/v1/keys").body()).doesNotContain("late-form");
  }
}
