package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nobody gets to anything of {@code /v1} without a token, however the path is written. */
class GateIT {
  private static final Pattern ROUTE =
      Pattern.compile("RouteLog\\].* (?:Router|Resource): .* (/\\S*)$");
  private static final String BODY = "{\"command\":[\"touch\",\"/tmp/never\"]}";

  private static TestServer server;

  @BeforeAll
  static void start() {
    server =
        TestServer.start(
            Map.of("ERRAND_JAVA_OPTIONS", "-Dquarkus.log.category.\"io.errand.api\".level=DEBUG"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void noSpellingOfAnyPathIsServedWithoutAToken() throws IOException {
    int tried = 0;
    for (String path : paths(server)) {
      if (isOfConsole(path) || path.equals("/")) {
        continue;
      }
      for (String spelling : spellings(path)) {
        for (String method : List.of("GET", "POST", "PUT", "PATCH")) {
          for (String version : List.of("HTTP/1.1", "HTTP/1.0")) {
            RawHttp.Answer answer = RawHttp.send(server.url(), request(method, spelling, version));
            assertThat(answer.status())
                .as("%s %s %s: %s", method, spelling, version, answer.text())
                .isIn(400, 401, 404);
            tried++;
          }
        }
      }
    }
    assertThat(tried).isGreaterThan(1_000);
    JsonNode queues = TestServer.json(server.get("/v1/queues"));
    assertThat(queues.toString()).doesNotContain("\"queued\":1").doesNotContain("\"succeeded\":1");
  }

  /** A page without a session leads to the sign-in; only that and its style are shown. */
  @Test
  void noSpellingOfAnyPageOfTheConsoleIsServedWithoutASession() throws IOException {
    int tried = 0;
    for (String path : paths(server)) {
      if (!isOfConsole(path)
          || path.equals("/console/login")
          || path.startsWith("/console/assets/")) {
        continue;
      }
      for (String spelling : spellings(path)) {
        for (String method : List.of("GET", "POST")) {
          RawHttp.Answer answer = RawHttp.send(server.url(), request(method, spelling, "HTTP/1.1"));
          assertThat(answer.status())
              .as("%s %s: %s", method, spelling, answer.text())
              .isIn(302, 303, 400, 401, 403, 404, 405, 415);
          tried++;
        }
      }
    }
    assertThat(tried).isGreaterThan(1_000);
  }

  @Test
  void aProcessWithoutTheApiServesNoSpellingOfIt() throws IOException {
    try (TestServer worker = TestServer.start(Map.of("ERRAND_ROLES", "worker"))) {
      for (String spelling : spellings("/v1/jobs")) {
        String head = "Authorization: Bearer " + worker.token() + "\r\n";
        String request =
            request("POST", spelling, "HTTP/1.1").replace("\r\nHost:", "\r\n" + head + "Host:");
        assertThat(RawHttp.send(worker.url(), request).status()).as(spelling).isIn(400, 404);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/%2e/v1/jobs",
        "/q/%2e%2e/v1/jobs",
        "/v1//jobs",
        "/%76%31/jobs",
        "/v1/jobs;x=y",
        "/v1;x=y/jobs",
        "/v1/jobs;",
        "/v1/jobs/",
        "/v1/jobs//"
      })
  void aPathThatIsNotWrittenAsItIsRoutedIsNotServedWithATokenEither(String path)
      throws IOException {
    String head = "Authorization: Bearer " + server.token() + "\r\n";
    String request =
        request("POST", path, "HTTP/1.1").replace("\r\nHost:", "\r\n" + head + "Host:");
    assertThat(RawHttp.send(server.url(), request).status()).isEqualTo(404);
  }

  @Test
  void matrixParametersAreNotLeftOutOfAPath() {
    String id = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    server.post("/v1/jobs/" + id + "/cancel", "");
    for (String path :
        List.of("/v1/jobs/" + id, "/v1/jobs/" + id + "/events", "/v1/queues/default")) {
      assertThat(server.get(path).statusCode()).as(path).isEqualTo(200);
      TestServer.assertProblem(server.get(path + ";x=y"), 404);
      TestServer.assertProblem(server.get(path.replaceFirst("/v1/[a-z]+", "$0;x")), 404);
    }
  }

  @Test
  void aSlashAtTheEndIsNoSpellingOfARoute() {
    String id = server.submit("exec sleep 600", Map.of());
    server.post("/v1/jobs/" + id + "/cancel", "");
    for (String path : List.of("/v1/jobs", "/v1/jobs/" + id, "/v1/queues", "/v1/workers")) {
      assertThat(server.get(path).statusCode()).as(path).isEqualTo(200);
      assertThat(server.get(path + "/").statusCode()).as(path + "/").isEqualTo(404);
    }
  }

  /** A parameter that would change what a call means is never overlooked. */
  @Test
  void everyRouteRefusesParametersThatItDoesNotKnow() {
    int routes = 0;
    for (String path : paths(server)) {
      if (!path.startsWith("/v1/") || path.equals("/v1/")) {
        continue;
      }
      int refused = 0;
      for (String method : List.of("GET", "POST", "PUT", "PATCH", "DELETE")) {
        HttpResponse<String> answer = server.call(method, path + "?wait=5", "{\"paused\":false}");
        assertThat(answer.statusCode()).as(method + " " + path + answer.body()).isIn(400, 405);
        if (answer.statusCode() == 400) {
          assertThat(TestServer.json(answer).get("errors").get(0).get("field").asText())
              .as(method + " " + path)
              .isEqualTo("wait");
          refused++;
        }
      }
      assertThat(refused).as(path).isPositive();
      routes += refused;
    }
    assertThat(routes).isGreaterThanOrEqualTo(16);
  }

  @Test
  void thePagesOfTheFrameworkForDevelopersAreNotThere() throws IOException {
    for (String path :
        List.of(
            "/q/swagger-ui",
            "/q/swagger-ui/",
            "/q/swagger-ui/index.html",
            "/q/dev",
            "/q/dev-ui",
            "/q/dev-ui/",
            "/q/dev-v1/",
            "/q/arc",
            "/q/health-ui/",
            "/swagger-ui/")) {
      assertThat(RawHttp.send(server.url(), request("GET", path, "HTTP/1.1")).status())
          .as(path)
          .isEqualTo(401);
      assertThat(server.get(path).statusCode()).as(path).isEqualTo(404);
    }
  }

  @Test
  void everyAnswerForbidsSniffingAndStoring() {
    for (String path : List.of("/v1/jobs", "/v1/queues", "/v1/nothing", "/q/health/live")) {
      assertThat(server.get(path).headers().firstValue("X-Content-Type-Options"))
          .as(path)
          .hasValue("nosniff");
      assertThat(server.get(path).headers().firstValue("Cache-Control"))
          .as(path)
          .hasValue("no-store");
    }
  }

  /** Every path that a router of the running server serves, as it has logged them. */
  private static List<String> paths(TestServer server) {
    List<String> paths =
        server
            .log()
            .lines()
            .map(ROUTE::matcher)
            .filter(Matcher::find)
            .map(route -> route.group(1).replaceAll("\\{[^}]*}", new UUID(1, 2).toString()))
            .distinct()
            .filter(path -> !path.equals("/q/metrics")) // public, and written as it is routed
            .toList();
    assertThat(paths)
        .hasSizeGreaterThan(10)
        .contains("/v1/jobs", "/v1/queues", "/q/")
        .allMatch(
            path ->
                path.startsWith("/v1/") || isOfConsole(path) || List.of("/q/", "/").contains(path));
    return paths;
  }

  private static boolean isOfConsole(String path) {
    return path.equals("/console") || path.startsWith("/console/");
  }

  private static List<String> spellings(String path) {
    List<String> all = new ArrayList<>();
    for (String prefix :
        List.of(
            "",
            "/.",
            "/%2e",
            "/%2E",
            "/x/..",
            "/x/%2e%2e",
            "/x/.%2e",
            "/x/%2E.",
            "/q/%2e%2e",
            "/q/health/../..",
            "/q/health/%2e%2e/%2e%2e",
            "/%252e",
            "/",
            "/;x",
            "/%5c",
            "/\\",
            "/%2f",
            "/%00",
            "/%c0%ae",
            "http://x",
            "/q/health/live/..%2f..")) {
      all.add(prefix + path);
    }
    for (String suffix : List.of("/", ".", "/.", "/%2e", ";x", "%00", "%20", "?x", "#x", "//")) {
      all.add(path + suffix);
    }
    all.add(path.replace("/v1/", "/V1/"));
    all.add(path.replace("/v1/", "/%76%31/"));
    all.add(path.replace("/v1/", "/v1//"));
    all.add(path.replace("/v1/", "/v1/%2e/"));
    all.add(path.replace("/v1/", "/v1;a=b/"));
    all.add(path.replace("/v1/", "/v1%2f"));
    all.add(path.replace("/v1/", "\\v1\\"));
    return all;
  }

  private static String request(String method, String path, String version) {
    return method
        + " "
        + path
        + " "
        + version
        + "\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
        + BODY.length()
        + "\r\n\r\n"
        + BODY;
  }
}
