package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the server does when its disk is nearly full. */
@Timeout(300)
class DiskIT {
  @Test
  void aNearlyFullDiskRefusesEverySubmitAndStaysReady() throws Exception {
    try (TestServer server =
        TestServer.start(Map.of("ERRAND_MIN_FREE_BYTES", Long.toString(1L << 60)))) {
      String url = Files.readString(server.home().resolve("url")).trim();
      String token = Files.readString(server.home().resolve("token")).trim();
      Map<String, String> submits =
          Map.of(
              "/v1/jobs", "{\"command\":[\"true\"]}",
              "/v1/jobs/", "{\"command\":[\"true\"]}",
              "/v1/jobs/batch", "{\"jobs\":[{\"command\":[\"true\"]}]}");
      HttpClient client = HttpClient.newHttpClient();
      for (Map.Entry<String, String> submit : submits.entrySet()) {
        HttpRequest request =
            HttpRequest.newBuilder(URI.create(url + submit.getKey()))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(submit.getValue()))
                .build();
        HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(submit.getKey()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        assertThat(answer.body()).contains("urn:errand:problem:unavailable", "disk space");
      }
      HttpRequest ready = HttpRequest.newBuilder(URI.create(url + "/q/health/ready")).build();
      HttpResponse<String> health = client.send(ready, BodyHandlers.ofString());
      assertThat(health.statusCode()).isEqualTo(200);
      assertThat(health.body()).containsPattern("accepts_jobs\"\\s*:\\s*false");
    }
  }
}
