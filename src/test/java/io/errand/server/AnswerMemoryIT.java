package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What many large answers do to a server with the heap that it has by default. */
class AnswerMemoryIT {
  private static final int MEBIBYTE = 1024 * 1024;

  @Test
  void largeAnswersAreBoundedAndSmallOnesGoOn() throws Exception {
    try (TestServer server = TestServer.start(Map.of())) {
      String fat =
          server.submit(
              "head -c 1048576 /dev/zero | tr '\\0' '\\1' | tee /dev/stderr",
              Map.of("stdout_limit_bytes", MEBIBYTE, "stderr_limit_bytes", MEBIBYTE));
      JsonNode job = server.awaitEnd(fat);
      assertThat(job.get("stdout").asText())
          .isEqualTo(server.get("/v1/jobs/" + fat + "/output").body());
      long pid = server.pid();
      List<Socket> silent = new ArrayList<>();
      try {
        for (String path : List.of("/v1/jobs/" + fat, "/v1/jobs/" + fat + "/output/stream")) {
          for (int i = 0; i < 50; i++) {
            silent.add(ask(server, path));
          }
          assertThat(server.get("/v1/queues").statusCode()).isEqualTo(200);
        }
        assertThat(statuses(server, "/v1/jobs/" + fat)).isSubsetOf(200, 503);
      } finally {
        for (Socket socket : silent) {
          socket.close();
        }
      }
      assertThat(server.pid()).isEqualTo(pid);
      assertThat(server.get("/q/health/live").statusCode()).isEqualTo(200);
    }
  }

  private static Socket ask(TestServer server, String path) throws Exception {
    URI url = URI.create(server.url());
    Socket socket = new Socket(url.getHost(), url.getPort());
    String request =
        "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
            .formatted(path, server.token());
    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  private static List<Integer> statuses(TestServer server, String path) {
    List<CompletableFuture<Integer>> answers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      answers.add(
          server
              .http()
              .sendAsync(server.request(path).build(), BodyHandlers.discarding())
              .thenApply(HttpResponse::statusCode));
    }
    return answers.stream().map(CompletableFuture::join).toList();
  }
}
