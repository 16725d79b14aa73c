package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.meters.Metric;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/** What scrapers are shown, and where. */
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MetricsIT {
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final Pattern SAMPLE = Pattern.compile("^([a-z_]+)(?:\\{(.*)\\})? \\S+$");
  private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"[^\"]{0,200}\"");

  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start(Map.of("ERRAND_METRICS_SECONDS", "1", "ERRAND_MANAGEMENT_PORT", "0"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String management() throws IOException {
    return Files.readString(server.home().resolve("management-url")).strip();
  }

  private static HttpResponse<String> get(String url, boolean withToken)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
    request.header("Accept", "text/plain");
    if (withToken) {
      request.header("Authorization", "Bearer " + server.token());
    }
    return server.http().send(request.build(), BodyHandlers.ofString());
  }

  private static String scrape() {
    try {
      HttpResponse<String> answer = get(management() + "/q/metrics", false);
      assertThat(answer.statusCode()).isEqualTo(200);
      return answer.body().replace(",}", "}"); // the old format ends labels so
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void patch(String queue, String body) {
    assertThat(server.call("PATCH", "/v1/queues/" + queue, body).statusCode()).isEqualTo(200);
  }

  @Test
  @Order(1)
  void aScrapeShowsTheListAndNothingElse() {
    patch("m", "{\"rate_per_second\": 1000, \"circuit\": {\"failure_ratio\": 0.5}}");
    patch("full", "{\"paused\": true, \"max_depth\": 1, \"overload\": \"warn\"}");
    server.submit("true", Map.of("queue", "full"));
    server.submit("true", Map.of("queue", "full"));
    server.awaitEnd(server.submit("true", Map.of("queue", "m")));
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(scrape())
                    .contains("errand_queue_circuit{queue=\"m\",state=\"closed\"")
                    .contains("errand_attempts_total{outcome=\"success\",queue=\"m\"")
                    .contains("errand_queue_rate_tokens{queue=\"m\""));
    String text = scrape();
    Map<String, String> types = new HashMap<>();
    Map<String, Set<String>> labels = new HashMap<>();
    for (String line : text.lines().toList()) {
      if (line.startsWith("# TYPE ")) {
        String[] words = line.split(" ");
        types.put(words[2], words[3]);
        continue;
      }
      Matcher sample = SAMPLE.matcher(line);
      if (sample.matches()) {
        Set<String> names = labels.computeIfAbsent(sample.group(1), n -> new HashSet<>());
        Matcher label = LABEL.matcher(sample.group(2) == null ? "" : sample.group(2));
        while (label.find()) {
          names.add(label.group(1));
        }
      }
    }
    Set<String> known = new TreeSet<>();
    for (Metric metric : Metric.values()) {
      String name = metric.prometheusName();
      known.addAll(List.of(name, name + "_max"));
      assertThat(types).as(name).containsEntry(name, metric.type());
      boolean hasSum = metric.type().matches("histogram|summary");
      assertThat(labels.get(hasSum ? name + "_count" : name))
          .as(name)
          .containsExactlyInAnyOrderElementsOf(metric.labels());
    }
    assertThat(types.keySet())
        .filteredOn(name -> name.startsWith("errand_"))
        .isSubsetOf(known)
        .hasSizeGreaterThan(50);
  }

  @Test
  @Order(2)
  void jobsOfAQueueAreCountedAndTheOldestHasItsAge() {
    patch("waiting", "{\"paused\": true}");
    for (int i = 0; i < 3; i++) {
      server.submit("true", Map.of("queue", "waiting"));
    }
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(scrape())
                    .contains("errand_jobs{queue=\"waiting\",state=\"queued\"} 3.0\n")
                    .contains("errand_queue_paused{queue=\"waiting\"} 1.0\n")
                    .containsPattern(
                        "errand_ready_oldest_age_seconds\\{queue=\"waiting\"\\} [1-9]"));
    patch("waiting", "{\"paused\": false}");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(scrape())
                    .contains("errand_jobs{queue=\"waiting\",state=\"queued\"} 0.0\n")
                    .contains("errand_jobs{queue=\"waiting\",state=\"succeeded\"} 3.0\n")
                    .contains("errand_queue_paused{queue=\"waiting\"} 0.0\n")
                    .contains("errand_ready_oldest_age_seconds{queue=\"waiting\"} 0.0\n")
                    .contains("errand_database_up 1.0\n", "errand_workers_live 1.0\n"));
  }

  @Test
  @Order(3)
  void healthAndMetricsAreOnTheirOwnPortAndNowhereElse() throws Exception {
    for (String path : List.of("/q/metrics", "/q/health", "/q/health/live", "/q/health/ready")) {
      assertThat(get(management() + path, false).statusCode()).as(path).isEqualTo(200);
      assertThat(get(server.url() + path, false).statusCode()).as(path).isEqualTo(401);
      assertThat(get(server.url() + path, true).statusCode()).as(path).isEqualTo(404);
    }
    for (String path :
        List.of("/v1/jobs", "/v1/jobs/batch", "/console", "/console/login", "/", "/q/openapi")) {
      assertThat(get(management() + path, true).statusCode()).as(path).isEqualTo(404);
    }
    assertThat(get(server.url() + "/q/openapi", false).statusCode()).isEqualTo(200);
    assertThat(server.log()).contains("Health checks and metrics: " + management());
  }

  @Test
  @Order(4)
  void metricsCanBeClosed() throws Exception {
    server.stop();
    server.restart(Map.of("ERRAND_METRICS", "closed"));
    TestServer.assertProblem(get(management() + "/q/metrics", false), 404);
    assertThat(get(management() + "/q/health/live", false).statusCode()).isEqualTo(200);
    assertThat(get(server.url() + "/q/metrics", false).statusCode()).isEqualTo(401);
  }
}
