package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;

/** Requests to a server with its token, and waits for its jobs. */
public abstract class ApiClient {
  public static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  public abstract String url();

  public abstract String token();

  public HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(url() + path))
        .header("Authorization", "Bearer " + token())
        .timeout(Duration.ofSeconds(90));
  }

  HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return http.send(request.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** For requests that others wait for. */
  public HttpClient http() {
    return http;
  }

  public HttpResponse<String> get(String path) {
    return send(request(path));
  }

  /** What a meter shows, by its name with its labels. */
  double meter(String name) {
    return get("/q/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
        .findFirst()
        .orElseThrow();
  }

  HttpResponse<String> call(String method, String path, String body, String... headers) {
    HttpRequest.Builder request =
        request(path)
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request);
  }

  public HttpResponse<String> post(String path, String body, String... headers) {
    return call("POST", path, body, headers);
  }

  public static JsonNode json(HttpResponse<String> response) {
    try {
      return JSON.readTree(response.body());
    } catch (IOException e) {
      throw new IllegalStateException("No JSON: " + response.body(), e);
    }
  }

  /** Submits a shell script with further members of the body, and gives the id. */
  public String submit(String script, Map<String, ?> members) {
    Map<String, Object> body = new HashMap<>(members);
    body.put("command", List.of("sh", "-c", script));
    HttpResponse<String> answer = post("/v1/jobs", JSON.valueToTree(body).toString());
    if (answer.statusCode() != 202) {
      throw new AssertionError(answer.statusCode() + " " + answer.body());
    }
    return json(answer).get("id").asText();
  }

  JsonNode job(String id) {
    return json(get("/v1/jobs/" + id));
  }

  public JsonNode awaitEnd(String id) {
    JsonNode job = json(get("/v1/jobs/" + id + "?wait_seconds=60"));
    if (!job.hasNonNull("finished_at")) {
      throw new AssertionError("Not finished: " + job);
    }
    return job;
  }

  public JsonNode awaitState(String id, String state) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> job(id).get("state").asText().equals(state));
    return job(id);
  }

  /** An answer that is a problem of RFC 9457 with this status. */
  static void assertProblem(HttpResponse<String> response, int status) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
    JsonNode problem = json(response);
    assertThat(problem.get("type").asText()).startsWith("urn:errand:problem:");
    assertThat(problem.get("status").asInt()).isEqualTo(status);
    assertThat(problem.get("title").asText()).isNotEmpty();
    assertThat(problem.get("detail").asText()).isNotEmpty();
    assertThat(problem.get("instance").asText()).startsWith("/");
  }
}
