package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What each role may do with each route of the running server, in its own project and another. */
class RolesIT {
  private static final Pattern ROUTE =
      Pattern.compile("RouteLog\\].* Resource: ([A-Z]+) (/v1/\\S*)$");
  private static final List<String> ROLES = List.of("viewer", "submitter", "operator", "admin");
  private static final String NONE = new UUID(7, 7).toString();

  /** The routes that are no read and not for whoever may submit. */
  private static final Map<String, String> RULES =
      Map.ofEntries(
          Map.entry("PATCH /v1/queues/{name}", "operator"),
          Map.entry("GET /v1/keys", "admin"),
          Map.entry("POST /v1/keys", "admin"),
          Map.entry("DELETE /v1/keys/{id}", "admin"),
          Map.entry("POST /v1/keys/{id}/rotate", "admin"),
          Map.entry("GET /v1/projects", "admin"),
          Map.entry("GET /v1/projects/{name}", "admin"),
          Map.entry("PUT /v1/projects/{name}", "admin"),
          Map.entry("DELETE /v1/projects/{name}", "admin"),
          Map.entry("PUT /v1/commands/{name}", "admin"),
          Map.entry("DELETE /v1/commands/{name}", "admin"),
          Map.entry("GET /v1/audit", "admin"),
          Map.entry("POST /v1/profile", "admin"),
          Map.entry("GET /v1/log-levels", "admin"),
          Map.entry("PUT /v1/log-levels/{name}", "admin"),
          Map.entry("DELETE /v1/log-levels/{name}", "admin"));

  /** Routes that are for administrators of the project default alone. */
  private static final Pattern OF_THE_SERVER =
      Pattern.compile(".*(/v1/projects/\\{name}|/v1/log-levels|/v1/profile).*");

  /** What whoever may submit can change. */
  private static final Set<String> OF_SUBMITTERS =
      Set.of("jobs", "schedules", "operations", "deliveries");

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

  private static List<String> routes() {
    return routes(server);
  }

  /** All routes of the API of a server that logs them, as METHOD PATH. */
  static List<String> routes(TestServer server) {
    List<String> routes = routes(server, ROUTE);
    assertThat(routes).hasSizeGreaterThan(45);
    return routes;
  }

  /** The routes of a server that logs them whose lines match, as METHOD PATH. */
  static List<String> routes(TestServer server, Pattern line) {
    return server
        .log()
        .lines()
        .map(line::matcher)
        .filter(Matcher::find)
        .map(route -> route.group(1) + " " + route.group(2))
        .filter(route -> !route.startsWith("HEAD ")) // the same rule as GET
        .distinct()
        .toList();
  }

  private static String least(String route) {
    String rule = RULES.get(route);
    if (rule != null) {
      return rule;
    }
    if (route.startsWith("GET ")) {
      return "viewer";
    }
    assertThat(OF_SUBMITTERS).as("no rule for " + route).contains(route.split("/")[2]);
    return "submitter";
  }

  private static boolean may(String role, String least) {
    return ROLES.indexOf(role) >= ROLES.indexOf(least);
  }

  private static String path(String route) {
    return route
        .substring(route.indexOf(' ') + 1)
        .replace("{id}", NONE)
        .replace("{name}", "no-such-thing");
  }

  private static String method(String route) {
    return route.substring(0, route.indexOf(' '));
  }

  @Test
  void eachRoleMayDoWhatItsRuleSaysAndNoMore() {
    for (String project : List.of("default", "other")) {
      for (String role : ROLES) {
        WithKey caller = WithKey.of(server, role, project);
        for (String route : routes()) {
          int status = caller.call(method(route), path(route), "{\"x\":1}").statusCode();
          String what = role + " of " + project + ": " + route + " gives " + status;
          if (!may(role, least(route))) {
            assertThat(status).as(what).isEqualTo(403);
          } else if (!OF_THE_SERVER.matcher(route).matches()) {
            assertThat(status).as(what).isNotIn(401, 403).isLessThan(500);
          }
        }
      }
    }
  }

  @Test
  void theCallerIsToldWhoItIs() {
    JsonNode me = TestServer.json(WithKey.of(server, "viewer", "other").get("/v1/me"));
    assertThat(me.get("name").asText()).isEqualTo("viewer of other");
    assertThat(me.get("kind").asText()).isEqualTo("key");
    assertThat(me.get("role").asText()).isEqualTo("viewer");
    assertThat(me.get("project").asText()).isEqualTo("other");
    JsonNode admin = TestServer.json(server.get("/v1/me"));
    assertThat(admin.get("principal").asText()).isEqualTo("admin");
    assertThat(admin.get("key_id").asText()).hasSize(12);
  }

  /** The things of a project, by the names of the variables in routes. */
  private static Map<String, String> things(ApiClient owner, String queue) {
    owner.call("PATCH", "/v1/queues/" + queue, "{\"paused\": true}");
    String first = owner.submit("true", Map.of("queue", queue, "labels", Map.of("of", queue)));
    owner.submit("true", Map.of("queue", queue, "after", List.of(first)));
    owner.post(
        "/v1/schedules",
        "{\"name\":\"%s\",\"cron\":\"@yearly\",\"job\":{\"command\":[\"true\"]}}".formatted(queue));
    String operation =
        TestServer.json(
                owner.post("/v1/jobs/release", "{\"filter\":{\"queue\":\"" + queue + "\"}}"))
            .get("id")
            .asText();
    Map<String, String> things = new LinkedHashMap<>();
    things.put("jobs", first);
    things.put("queues", queue);
    things.put("schedules", queue);
    things.put("operations", operation);
    return things;
  }

  @Test
  void nothingOfAnotherProjectIsThere() {
    Map<String, String> things = things(server, "theirs");
    for (String role : ROLES) {
      WithKey caller = WithKey.of(server, role, "other");
      for (String route : routes()) {
        String kind = route.split("/")[2];
        String thing = things.get(kind);
        String template = route.substring(route.indexOf(' ') + 1);
        if (thing == null || route.startsWith("PUT ") || route.equals("PATCH /v1/queues/{name}")) {
          continue; // makes a thing of that name in its own project
        }
        if (template.contains("{")) {
          String path = template.replace("{id}", thing).replace("{name}", thing);
          String body = route.startsWith("PATCH /v1/jobs") ? "{\"priority\":1}" : "{}";
          HttpResponse<String> answer = caller.call(method(route), path, body);
          assertThat(answer.statusCode())
              .as(role + " " + method(route) + " " + path + " " + answer.body())
              .isIn(403, 404);
          assertThat(answer.statusCode() == 403).isEqualTo(!may(role, least(route)));
        } else if (route.startsWith("GET ")) {
          assertThat(caller.get(template).body()).as(role + " " + route).doesNotContain(thing);
        } else if (may(role, least(route))
            && !List.of("/v1/jobs", "/v1/schedules", "/v1/jobs/batch").contains(template)) {
          String filter =
              "{\"filter\":{\"ids\":[\"%s\"]},\"dry_run\":true%s}"
                  .formatted(
                      things.get("jobs"),
                      template.endsWith("update") ? ",\"set\":{\"priority\":1}" : "");
          HttpResponse<String> answer = caller.call(method(route), template, filter);
          assertThat(answer.statusCode()).as(route + answer.body()).isEqualTo(200);
          assertThat(TestServer.json(answer).get("count").asInt()).as(route).isZero();
        }
      }
      if (may(role, "submitter")) {
        TestServer.assertProblem(
            caller.post(
                "/v1/jobs", "{\"command\":[\"true\"],\"after\":[\"" + things.get("jobs") + "\"]}"),
            400);
      }
    }
    String job = String.valueOf(things.get("jobs"));
    assertThat(server.job(job).get("state").asText()).isEqualTo("queued");
  }

  @Test
  void aSubmitterSeesAndChangesItsOwnJobsOnly() {
    WithKey one = WithKey.of(server, "submitter", "default");
    WithKey two = WithKey.of(server, "submitter", "default");
    String id = one.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
    assertThat(one.get("/v1/jobs/" + id).statusCode()).isEqualTo(200);
    assertThat(one.get("/v1/jobs").body()).contains(id);
    TestServer.assertProblem(two.get("/v1/jobs/" + id), 404);
    TestServer.assertProblem(two.post("/v1/jobs/" + id + "/cancel", ""), 404);
    assertThat(two.get("/v1/jobs").body()).doesNotContain(id);
    assertThat(WithKey.of(server, "viewer", "default").get("/v1/jobs").body()).contains(id);
    WithKey operator = WithKey.of(server, "operator", "default");
    JsonNode cancelled = TestServer.json(operator.post("/v1/jobs/" + id + "/cancel", ""));
    assertThat(cancelled.get("state").asText()).isEqualTo("cancelled");
    JsonNode events = TestServer.json(one.get("/v1/jobs/" + id + "/events")).get("events");
    assertThat(events.toString()).contains("client operator of default#");
  }

  @Test
  void projectsShareNoQueueAndNoConcurrencyKey() {
    WithKey other = WithKey.of(server, "operator", "other");
    server.call("PATCH", "/v1/queues/shared", "{\"paused\": true}");
    String theirs = server.submit("true", Map.of("queue", "shared"));
    String busy = server.submit("sleep 600", Map.of("concurrency_key", "k"));
    server.awaitState(busy, "running");
    String ours = other.submit("true", Map.of("queue", "shared", "concurrency_key", "k"));
    JsonNode job = other.awaitEnd(ours);
    assertThat(job.get("state").asText()).isEqualTo("succeeded");
    assertThat(job.get("queue").asText()).isEqualTo("shared");
    assertThat(job.get("concurrency_key").asText()).isEqualTo("k");
    assertThat(job.get("project").asText()).isEqualTo("other");
    assertThat(server.job(theirs).get("state").asText()).isEqualTo("queued");
    assertThat(other.get("/v1/jobs?queue=shared").body()).contains(ours).doesNotContain(theirs);
    assertThat(TestServer.json(other.get("/v1/queues/shared")).get("paused").asBoolean()).isFalse();
    server.post("/v1/jobs/" + busy + "/cancel", "");
  }

  @Test
  void aProjectIsShownItsQueuesAndKeysByTheirOwnNames() {
    WithKey other = WithKey.of(server, "operator", "other");
    other.call("PATCH", "/v1/queues/moved-to", "{\"paused\": true}");
    other.call("PATCH", "/v1/queues/moved-from", "{\"paused\": true, \"max_depth\": 10}");
    String body = "{\"command\":[\"true\"],\"queue\":\"moved-from\",\"concurrency_key\":\"own\"}";
    List<String> shown = new ArrayList<>();
    shown.add(other.post("/v1/jobs?validate_only=true", body).body());
    assertThat(shown.get(0)).contains("\"moved-from\"", "\"own\"");
    String id = TestServer.json(other.post("/v1/jobs", body)).get("id").asText();
    other.call("PATCH", "/v1/jobs/" + id, "{\"queue\": \"moved-to\"}");
    for (String path :
        List.of(
            "/v1/jobs",
            "/v1/jobs/" + id,
            "/v1/jobs/" + id + "/events",
            "/v1/jobs/" + id + "/explain",
            "/v1/queues",
            "/v1/queues/moved-to",
            "/v1/queues/moved-from/events",
            "/v1/workers")) {
      shown.add(other.get(path).body());
    }
    assertThat(shown).noneMatch(answer -> answer.contains("other/") || answer.contains("\\u001f"));
    assertThat(shown.get(3)).contains("queue moved-from to moved-to");
    other.post("/v1/jobs/" + id + "/cancel", "");
  }

  @Test
  void oneIdempotencyKeyOfTwoCallersIsTwoJobs() {
    WithKey one = WithKey.of(server, "submitter", "default");
    WithKey two = WithKey.of(server, "submitter", "other");
    String body = "{\"command\":[\"true\"]}";
    String first =
        TestServer.json(one.post("/v1/jobs", body, "Idempotency-Key", "same")).get("id").asText();
    String second =
        TestServer.json(two.post("/v1/jobs", body, "Idempotency-Key", "same")).get("id").asText();
    assertThat(first).isNotEqualTo(second);
  }

  private static HttpResponse<String> send(
      String project, String method, String path, String body, String key) {
    return server.send(
        server
            .request(path)
            .header("Errand-Project", project)
            .header("Content-Type", "application/json")
            .header(key.isEmpty() ? "Errand-No-Key" : "Idempotency-Key", key)
            .method(method, HttpRequest.BodyPublishers.ofString(body)));
  }

  @Test
  void keysAndIdsOfAnAdministratorAreItsOwnInEachProject() {
    String body = "{\"command\":[\"true\"]}";
    String batch = "{\"jobs\":[{\"command\":[\"true\"],\"idempotency_key\":\"batch-of-all\"}]}";
    Set<String> ids = new HashSet<>();
    for (String project : List.of("default", "other", "other")) {
      HttpResponse<String> answer = send(project, "POST", "/v1/jobs", body, "of-all");
      assertThat(answer.statusCode()).as(answer.body()).isIn(200, 202);
      assertThat(TestServer.json(answer).get("project").asText()).isEqualTo(project);
      ids.add(TestServer.json(answer).get("id").asText());
      HttpResponse<String> batched = send(project, "POST", "/v1/jobs/batch", batch, "");
      assertThat(batched.statusCode()).as(batched.body()).isEqualTo(202);
      String id = TestServer.json(batched).get("ids").get(0).asText();
      ids.add(id);
      assertThat(send(project, "GET", "/v1/jobs/" + id, "", "").statusCode()).isEqualTo(200);
    }
    assertThat(ids).hasSize(4);
    String own = "/v1/jobs/" + UUID.randomUUID();
    assertThat(send("default", "PUT", own, body, "").statusCode()).isEqualTo(202);
    TestServer.assertProblem(send("other", "PUT", own, body, ""), 409);
  }

  @Test
  void anAdministratorOfDefaultWorksInAnyProjectThatItNames() {
    WithKey other = WithKey.of(server, "operator", "other");
    String id = other.submit("true", Map.of());
    TestServer.assertProblem(server.get("/v1/jobs/" + id), 404);
    HttpResponse<String> found =
        server.send(server.request("/v1/jobs/" + id).header("Errand-Project", "other"));
    assertThat(TestServer.json(found).get("id").asText()).isEqualTo(id);
    assertThat(
            server
                .send(server.request("/v1/jobs").header("Errand-Project", "no-such-project"))
                .statusCode())
        .isEqualTo(404);
    assertThat(
            server.send(server.request("/v1/jobs").header("Errand-Project", "Bad!")).statusCode())
        .isEqualTo(400);
    WithKey admin = WithKey.of(server, "admin", "other");
    assertThat(
            admin.send(admin.request("/v1/jobs").header("Errand-Project", "default")).statusCode())
        .isEqualTo(403);
  }
}
