package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who may do what in the console, and what is refused whoever asks. */
class ConsoleRulesIT {
  private static final Pattern ROUTE =
      Pattern.compile("RouteLog\\].* Resource: ([A-Z]+) (/console\\S*)$");
  private static final List<String> ROLES = List.of("viewer", "submitter", "operator", "admin");

  /** What needs no session. */
  private static final Set<String> OPEN =
      Set.of(
          "GET /console/login",
          "POST /console/login",
          "POST /console/login/provider",
          "GET /console/login/callback",
          "POST /console/login/callback",
          "GET /console/assets/{version}/{name}");

  /** An administrator of the project {@code default}. */
  private static final String SERVER_ADMIN = "server admin";

  /** The least role of a route that is no read; and of reads that are not for everybody. */
  private static final Map<String, String> RULES =
      Map.ofEntries(
          Map.entry("POST /console/logout", "viewer"),
          Map.entry("POST /console/project", "viewer"),
          Map.entry("GET /console/schedules/:new", "submitter"),
          Map.entry("POST /console/schedules/:new", "submitter"),
          Map.entry("GET /console/schedules/{name}/edit", "submitter"),
          Map.entry("POST /console/schedules/{name}/edit", "submitter"),
          Map.entry("GET /console/commands/:new", "admin"),
          Map.entry("POST /console/commands/:new", "admin"),
          Map.entry("GET /console/commands/{name}/edit", "admin"),
          Map.entry("POST /console/commands/{name}/edit", "admin"),
          Map.entry("POST /console/commands/{name}/retire", "admin"),
          Map.entry("GET /console/jobs/new", "submitter"),
          Map.entry("POST /console/jobs/new", "submitter"),
          Map.entry("POST /console/jobs/bulk", "submitter"),
          Map.entry("POST /console/jobs/{id}/cancel", "submitter"),
          Map.entry("POST /console/jobs/{id}/release", "submitter"),
          Map.entry("POST /console/jobs/{id}/retry", "submitter"),
          Map.entry("POST /console/operations/{id}/stop", "submitter"),
          Map.entry("POST /console/queues", "operator"),
          Map.entry("POST /console/queues/{name}", "operator"),
          Map.entry("POST /console/queues/{name}/pause", "operator"),
          Map.entry("POST /console/queues/{name}/resume", "operator"),
          Map.entry("POST /console/queues/{name}/circuit", "operator"),
          Map.entry("POST /console/schedules/{name}/run", "submitter"),
          Map.entry("POST /console/schedules/{name}/pause", "submitter"),
          Map.entry("POST /console/schedules/{name}/resume", "submitter"),
          Map.entry("POST /console/schedules/{name}/delete", "submitter"),
          Map.entry("POST /console/commands/{name}", "submitter"),
          Map.entry("POST /console/webhooks/{id}/resend", "submitter"),
          Map.entry("GET /console/audit", "admin"),
          Map.entry("GET /console/keys", "admin"),
          Map.entry("POST /console/keys", "admin"),
          Map.entry("POST /console/keys/{id}/revoke", "admin"),
          Map.entry("POST /console/keys/{id}/rotate", "admin"),
          Map.entry("POST /console/keys/projects", SERVER_ADMIN),
          Map.entry("POST /console/keys/projects/{name}/delete", SERVER_ADMIN));

  private static TestServer server;

  @BeforeAll
  static void start() {
    server =
        TestServer.start(
            Map.of("ERRAND_JAVA_OPTIONS", "-Dquarkus.log.category.\"io.errand.api\".level=DEBUG"));
    server.call("PUT", "/v1/projects/other", "{}");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** All routes of the console, as METHOD PATH, from the router. */
  private static List<String> routes() {
    List<String> routes = RolesIT.routes(server, ROUTE);
    assertThat(routes).hasSizeGreaterThan(12).containsAll(OPEN).containsAll(RULES.keySet());
    return routes;
  }

  private static String least(String route) {
    String rule = RULES.get(route);
    if (rule == null) {
      assertThat(route).as("no rule for this route").startsWith("GET ");
      return "viewer";
    }
    return rule;
  }

  private static String path(String route) {
    return route
        .substring(route.indexOf(' ') + 1)
        .replace("{id}", new UUID(7, 7).toString())
        .replaceAll("\\{[a-z]+}", "no-such-thing");
  }

  @Test
  void eachRoleMayDoWhatItsRuleSaysAndNoMore() {
    for (String role : ROLES) {
      ConsoleClient client = ConsoleClient.signedIn(WithKey.of(server, role, "other"));
      for (String route : routes()) {
        if (OPEN.contains(route) || route.endsWith("/logout")) {
          continue;
        }
        HttpResponse<String> answer =
            route.startsWith("GET ") ? client.get(path(route)) : client.submit(path(route));
        String what = role + ": " + route + " gives " + answer.statusCode();
        if (least(route).equals(SERVER_ADMIN)
            || ROLES.indexOf(role) < ROLES.indexOf(least(route))) {
          assertThat(answer.statusCode()).as(what).isEqualTo(403);
        } else {
          assertThat(answer.statusCode()).as(what).isNotIn(401, 403).isLessThan(500);
        }
      }
    }
  }

  @Test
  void nobodyIsServedWithoutASession() {
    ConsoleClient client = new ConsoleClient(server.url());
    for (String cookie : List.of("", "errand_session=", "errand_session=" + "A".repeat(43))) {
      client.cookie = cookie;
      for (String route : routes()) {
        if (!OPEN.contains(route)) {
          HttpResponse<String> answer =
              route.startsWith("GET ")
                  ? client.get(path(route))
                  : client.post(path(route), List.of("csrf", "x"));
          int refused = route.startsWith("GET ") ? 303 : 401;
          if (cookie.isEmpty()) {
            assertThat(answer.statusCode()).as(route).isEqualTo(refused);
          } else { // an address may send so many wrong ones only
            assertThat(answer.statusCode()).as(route).isIn(refused, 429);
          }
        }
      }
    }
  }

  @Test
  void aSignInLeadsToPagesOfTheConsoleOnly() {
    for (String next : List.of("/../v1/jobs", "/jobs/../../v1/me", "/.", "//example.org")) {
      HttpResponse<String> answer =
          new ConsoleClient(server.url())
              .post("/console/login", List.of("key", server.token(), "next", next));
      assertThat(answer.statusCode()).isEqualTo(303);
      assertThat(answer.headers().firstValue("Location").orElseThrow())
          .as(next)
          .matches("([a-z:0-9/.]*/)?console");
    }
  }

  @Test
  void aChangeWithoutTheTokenOfItsSessionChangesNothing() {
    String id = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    ConsoleClient client = ConsoleClient.signedIn(server);
    ConsoleClient other = ConsoleClient.signedIn(server);
    String path = "/console/jobs/" + id + "/cancel";
    for (List<String> fields :
        List.of(List.<String>of(), List.of("csrf", ""), List.of("csrf", other.csrf))) {
      HttpResponse<String> answer = client.post(path, fields);
      assertThat(answer.statusCode()).isEqualTo(403);
      assertThat(answer.body()).contains("token of your session");
    }
    for (List<String> headers :
        List.of(
            List.of("Origin", "https://evil.example"),
            List.of("Origin", "null"),
            List.of("Sec-Fetch-Site", "cross-site"),
            List.of("Sec-Fetch-Site", "same-site"))) {
      assertThat(
              client
                  .post(path, List.of("csrf", client.csrf), headers.toArray(String[]::new))
                  .statusCode())
          .as(headers.toString())
          .isEqualTo(403);
    }
    assertThat(client.get(path).statusCode()).isEqualTo(405);
    assertThat(server.job(id).get("state").asText()).isEqualTo("queued");
    HttpResponse<String> done =
        client.post(path, List.of("csrf", client.csrf), "Origin", server.url());
    assertThat(done.statusCode()).as(done.body()).isEqualTo(303);
    assertThat(server.job(id).get("state").asText()).isEqualTo("cancelled");
    Awaitility.await() // it is written behind the answer
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(server.get("/v1/audit").body())
                    .contains("POST /console/jobs/{id}/cancel", "POST /console/login"));
  }

  private static RawHttp.Answer login(String host) throws IOException {
    return RawHttp.send(
        server.url(),
        "GET /console/login HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  }

  @Test
  void theConsoleIsServedUnderItsOwnNamesOnly() throws IOException {
    String port = server.url().substring(server.url().lastIndexOf(':') + 1);
    for (String host : List.of("evil.example", "evil.example:" + port, "127.0.0.1.evil.example")) {
      RawHttp.Answer answer = login(host);
      assertThat(answer.status()).as(host).isEqualTo(403);
      assertThat(answer.text()).doesNotContain("<form");
    }
    for (String host : List.of("localhost:" + port, "127.0.0.1", "[::1]:" + port)) {
      assertThat(login(host).status()).as(host).isEqualTo(200);
    }
  }

  @Test
  void aViewerIsOfferedNothingThatItMayNotDo() {
    String id = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    ConsoleClient viewer = ConsoleClient.signedIn(WithKey.of(server, "viewer", "default"));
    for (String path : List.of("/console/jobs", "/console/jobs/" + id, "/console")) {
      String page = viewer.get(path).body();
      assertThat(page).as(path).contains("<nav class=\"side\"");
      assertThat(page.replaceAll("(?s)<details class=\"who\">.*?</details>", ""))
          .as(path)
          .doesNotContain("method=\"post\"")
          .doesNotContain("/jobs/new");
    }
    assertThat(viewer.submit("/console/jobs/" + id + "/cancel").statusCode()).isEqualTo(403);
    assertThat(server.job(id).get("state").asText()).isEqualTo("queued");
  }

  @Test
  void nothingOfAnotherProjectIsThere() {
    String id = server.submit("true", Map.of("queue", "secret-queue"));
    server.awaitEnd(id);
    ConsoleClient other = ConsoleClient.signedIn(WithKey.of(server, "admin", "other"));
    for (String path : List.of("", "/output", "/output/stream", "/process")) {
      assertThat(other.get("/console/jobs/" + id + path).statusCode()).as(path).isEqualTo(404);
    }
    for (String change : List.of("cancel", "release", "retry")) {
      assertThat(other.submit("/console/jobs/" + id + "/" + change).statusCode()).isEqualTo(404);
    }
    for (String path : List.of("/console", "/console/jobs", "/console/jobs/export?format=jsonl")) {
      assertThat(other.get(path).body()).as(path).doesNotContain(id).doesNotContain("secret-queue");
    }
  }

  @Test
  void aSessionEndsWithItsKeyAndWithTheSignOut() {
    WithKey key = WithKey.of(server, "operator", "default");
    ConsoleClient client = ConsoleClient.signedIn(key);
    assertThat(client.get("/console/jobs").statusCode()).isEqualTo(200);
    String id = TestServer.json(key.get("/v1/me")).get("key_id").asText();
    assertThat(server.call("DELETE", "/v1/keys/" + id, "").statusCode()).isEqualTo(204);
    assertThat(client.get("/console/jobs").statusCode()).isEqualTo(303);
    ConsoleClient leaving = ConsoleClient.signedIn(server);
    assertThat(leaving.submit("/console/logout").statusCode()).isEqualTo(303);
    assertThat(leaving.get("/console/jobs").statusCode()).isEqualTo(303);
  }

  @Test
  void whatIsExportedIsTheList() {
    ConsoleClient client = ConsoleClient.signedIn(server);
    Set<String> ids = new LinkedHashSet<>();
    for (int i = 0; i < 120; i++) { // more than a page of an export
      ids.add(server.submit("true", Map.of("queue", "exported", "run_at", "2099-01-01T00:00:00Z")));
    }
    List<String> lines =
        client.get("/console/jobs/export?format=jsonl&queue=exported").body().lines().toList();
    assertThat(lines).hasSize(120);
    ids.forEach(id -> assertThat(lines.toString()).contains(id));
    HttpResponse<String> csv = client.get("/console/jobs/export?format=csv&queue=exported");
    assertThat(csv.headers().firstValue("Content-Type").orElse("")).startsWith("text/csv");
    assertThat(csv.body().lines().toList()).hasSize(121).first().asString().startsWith("id,state,");
    assertThat(client.get("/console/jobs?bogus=1").statusCode()).isEqualTo(400);
  }
}
