package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the server does when its disk is nearly full. */
@Timeout(300)
class DiskIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String SHORT =
      "The server has too little free disk space: no job is accepted, and none starts.";

  @Test
  void aNearlyFullDiskRefusesEverySubmitAndStaysReady() throws Exception {
    try (TestServer server =
        TestServer.start(Map.of("ERRAND_MIN_FREE_BYTES", Long.toString(1L << 60)))) {
      String url = Files.readString(server.home().resolve("url")).trim();
      String token = Files.readString(server.home().resolve("token")).trim();
      Map<String, String> submits =
          Map.of(
              "/v1/jobs", "{\"command\":[\"true\"]}",
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
      HttpResponse<String> page = ConsoleClient.signedIn(server).get("/console/jobs");
      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(page.body()).contains("id=\"banner\"", SHORT);
      HttpRequest ready = HttpRequest.newBuilder(URI.create(url + "/q/health/ready")).build();
      HttpResponse<String> health = client.send(ready, BodyHandlers.ofString());
      assertThat(health.statusCode()).isEqualTo(200);
      assertThat(health.body()).containsPattern("accepts_jobs\"\\s*:\\s*false");
    }
  }

  /** The private directories have a small file system of their own here, where we may mount one. */
  @Test
  void whileSpaceIsShortNothingIsAcceptedOrStartedAndAfterwardsBothGoOn() throws Exception {
    Path home = TestServer.newHome();
    Path disk = Files.createTempDirectory("errand-it-disk");
    assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=64m", "errand", disk.toString()) == 0,
        "needs root that may mount file systems");
    try (TestServer server =
        TestServer.on(
            home,
            Map.of(
                "ERRAND_TEMPORARY_DIRECTORY",
                disk.toString(),
                "ERRAND_MIN_FREE_BYTES",
                Integer.toString(32 << 20),
                "ERRAND_WORKER_SLOTS",
                "1",
                "ERRAND_POLL_SECONDS",
                "0.05"))) {
      assertThat(server.meter("errand_home_short")).isZero();
      assertThat(server.meter("errand_home_free_bytes")).isBetween(33.0 * (1 << 20), 64e6 * 1.1);
      Path flag = Files.createFile(home.resolveSibling("flag"));
      String first = server.submit("while [ -e " + flag + " ]; do sleep 0.1; done", Map.of());
      server.awaitState(first, "running");
      String second = server.submit("true", Map.of());

      ConsoleClient console = ConsoleClient.signedIn(server);
      assertThat(console.get("/console").body()).doesNotContain("id=\"banner\"");
      Path filler = Files.write(disk.resolve("filler"), new byte[48 << 20]);
      await().atMost(PATIENCE).until(() -> server.meter("errand_home_short") == 1);
      assertThat(server.meter("errand_home_free_bytes")).isLessThan(32 << 20);
      assertThat(console.get("/console").body()).contains("id=\"banner\"", SHORT);
      HttpResponse<String> form =
          console.submit("/console/jobs/new", "json", "{\"command\":[\"true\"]}");
      assertThat(form.statusCode()).isEqualTo(503);
      assertThat(form.body()).contains("disk space");
      Files.delete(flag);
      assertThat(server.awaitEnd(first).get("state").asText()).isEqualTo("succeeded");
      TestServer.assertProblem(server.post("/v1/jobs", "{\"command\":[\"true\"]}"), 503);
      await()
          .during(Duration.ofSeconds(1))
          .atMost(PATIENCE)
          .until(() -> server.job(second).get("state").asText().equals("queued"));

      Files.delete(filler);
      await().atMost(PATIENCE).until(() -> server.meter("errand_home_short") == 0);
      assertThat(console.get("/console").body()).doesNotContain("id=\"banner\"");
      assertThat(server.awaitEnd(second).get("state").asText()).isEqualTo("succeeded");
      assertThat(server.awaitEnd(server.submit("true", Map.of())).get("state").asText())
          .isEqualTo("succeeded");
    } finally {
      run("umount", disk.toString());
      Files.delete(disk);
    }
  }

  private static int run(String... command) throws Exception {
    return new ProcessBuilder(command).start().waitFor();
  }
}
