package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Page;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The pages of the console beside jobs and overview, in a real browser: the main way of each. */
class ConsoleViewsIT extends OneBrowser {
  private static final List<String> VIEWS =
      List.of(
          "/console/queues",
          "/console/schedules",
          "/console/workers",
          "/console/operations",
          "/console/commands",
          "/console/webhooks",
          "/console/failures");

  private static WebhookReceiver receiver;

  private Page page;

  @BeforeAll
  static void start() {
    receiver = WebhookReceiver.http();
    server =
        TestServer.start(
            Map.of("ERRAND_LEASE_SECONDS", "5", "ERRAND_WEBHOOK_ALLOW_NETWORKS", "127.0.0.1/32"));
  }

  @AfterAll
  static void stop() {
    close(receiver);
  }

  @BeforeEach
  void signIn() {
    page = chromium.signedIn(server);
    page.onDialog(dialog -> dialog.accept());
  }

  @AfterEach
  void signOut() {
    page.context().close();
    assertThat(chromium.complaints).isEmpty();
  }

  private void open(String path) {
    page.navigate(server.url() + "/console" + path);
  }

  private static JsonNode get(String path) {
    return TestServer.json(server.get(path));
  }

  private static void put(String path, String body) {
    HttpResponse<String> answer = server.call("PUT", path, body);
    assertThat(answer.statusCode()).as(answer.body()).isIn(200, 201);
  }

  private static void schedule(ApiClient client, String name) {
    HttpResponse<String> answer =
        client.post(
            "/v1/schedules",
            """
            {"name": "%s", "cron": "30 3 * * 1-5", "zone": "Europe/Berlin",
             "job": {"command": ["echo", "nightly"], "env": {"TOKEN": "hidden-value"}}}
            """
                .formatted(name));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
  }

  @Test
  void aQueueIsMadePausedLimitedAndItsCircuitOpenedByHand() {
    open("/queues");
    page.fill("input[name=name]", "media");
    page.click("button:has-text('Make')");
    page.waitForURL("**/console/queues/media*");
    page.click("button:has-text('Pause')");
    page.waitForSelector(".head .state >> text=paused");
    assertThat(get("/v1/queues/media").get("paused").asBoolean()).isTrue();
    page.click("button:has-text('Resume')");
    page.waitForSelector(".notice >> text=Resumed");
    page.fill("input[name=max_running]", "7");
    page.fill("input[name=rate_per_second]", "2.5");
    page.check("input[name=breaker]");
    page.fill("input[name=failure_ratio]", "0.4");
    page.click("button:has-text('Save')");
    page.waitForSelector(".notice >> text=Saved");
    JsonNode queue = get("/v1/queues/media");
    assertThat(queue.get("paused").asBoolean()).isFalse();
    assertThat(queue.get("max_running").asInt()).isEqualTo(7);
    assertThat(queue.get("rate_per_second").asDouble()).isEqualTo(2.5);
    assertThat(queue.get("circuit").get("failure_ratio").asDouble()).isEqualTo(0.4);
    page.click("button:has-text('Open by hand')");
    page.waitForSelector(".head .state >> text=circuit open");
    page.click("button:has-text('Close by hand')");
    page.waitForSelector(".notice >> text=closed");
    page.fill("input[name=max_running]", "");
    page.uncheck("input[name=breaker]");
    page.click("button:has-text('Save')");
    page.waitForSelector(".notice >> text=Saved");
    queue = get("/v1/queues/media");
    assertThat(queue.get("max_running").isNull()).isTrue();
    assertThat(queue.get("circuit").isNull()).isTrue();
  }

  @Test
  void aSettingThatIsWrongIsSaidAndChangesNothing() {
    server.call("PATCH", "/v1/queues/strict", "{\"weight\": 2}");
    ConsoleClient client = ConsoleClient.signedIn(server);
    HttpResponse<String> answer =
        client.submit(
            "/console/queues/strict", "weight", "-1", "max_running", "many", "overload", "refuse");
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body())
        .contains("id=\"fault-max_running\">must be a whole number")
        .contains("id=\"fault-weight\">must be a number");
    assertThat(get("/v1/queues/strict").get("weight").asDouble()).isEqualTo(2);
  }

  @Test
  void aScheduleIsShownInWordsRunPausedAndDeleted() {
    schedule(server, "nightly");
    open("/schedules");
    assertThat(page.textContent("#schedules"))
        .contains("at 03:30, Monday to Friday")
        .contains("Europe/Berlin");
    page.click("main a:text-is('nightly')");
    assertThat(page.textContent("main:has-text('Next runs')"))
        .contains("03:30:00 +0")
        .contains("env_names")
        .doesNotContain("hidden-value");
    page.click("button:has-text('Run now')");
    page.waitForURL("**/console/jobs/*");
    String job = page.url().replaceAll(".*/|\\?.*", "");
    assertThat(server.awaitEnd(job).get("state").asText()).isEqualTo("succeeded");
    open("/schedules/nightly");
    page.click("button:has-text('Pause')");
    page.waitForSelector(".head .state >> text=paused");
    assertThat(get("/v1/schedules/nightly").get("paused").asBoolean()).isTrue();
    page.click("button:has-text('Delete')");
    page.waitForURL("**/console/schedules?notice=removed");
    assertThat(server.get("/v1/schedules/nightly").statusCode()).isEqualTo(404);
    assertThat(server.job(job).get("state").asText()).isEqualTo("succeeded");
  }

  @Test
  void pastTicksAreShownWithTheirJobs() {
    HttpResponse<String> made =
        server.post(
            "/v1/schedules",
            "{\"name\":\"often\",\"cron\":\"@every 1s\",\"job\":{\"command\":[\"true\"]}}");
    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> !get("/v1/schedules/often/ticks").get("ticks").isEmpty());
    open("/schedules/often");
    assertThat(page.textContent(".big")).isEqualTo("every second");
    page.locator("#ticks a[href*='/jobs/']").first().click();
    page.waitForURL("**/console/jobs/*");
    assertThat(server.call("DELETE", "/v1/schedules/often", "").statusCode()).isEqualTo(204);
  }

  @Test
  void aWorkerIsShownWithWhatItRuns() {
    String id = server.submit("exec sleep 600", Map.of());
    server.awaitState(id, "running");
    open("/workers");
    assertThat(page.textContent(".worker")).contains("slots busy").contains("Guarantees");
    page.click(".worker a[href$='" + id + "']");
    page.waitForURL("**/console/jobs/" + id);
    server.post("/v1/jobs/" + id + "/cancel", "");
  }

  @Test
  void anOperationIsListedUntilItHasEnded() {
    server.submit("true", Map.of("queue", "ops", "run_at", "2099-01-01T00:00:00Z"));
    HttpResponse<String> answer =
        server.post("/v1/jobs/cancel", "{\"filter\":{\"queue\":\"ops\"}}");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    String id = TestServer.json(answer).get("id").asText();
    open("/operations");
    page.waitForSelector("tr:has(a[href$='" + id + "']) .state.succeeded");
    page.click("nav.tabs a >> text=failed");
    page.waitForURL("**/console/operations?state=failed");
    assertThat(page.locator("a[href$='" + id + "']").count()).isZero();
    open("/operations");
    page.click("a[href$='" + id + "']");
    page.waitForSelector("#operation .state");
  }

  @Test
  void aCommandOfTheCatalogueIsSubmittedByAForm() {
    put(
        "/v1/commands/greet",
"""
{"description": "Greets <b>somebody</b>", "command": ["/bin/echo", "{who}", "{times}", "{tone}"],
 "parameters": {"who": {"type": "string", "required": true, "pattern": "[a-z]+"},
                "times": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1},
                "tone": {"type": "enum", "values": ["warm", "cold"], "default": "warm"}}}
""");
    open("/commands");
    assertThat(page.textContent("main")).contains("Greets <b>somebody</b>");
    page.click("main a:text-is('greet')");
    page.fill("[name='p.who']", "Everybody");
    page.fill("[name='p.times']", "3");
    page.click("button:has-text('Submit job')");
    assertThat(page.textContent("[role=alert]")).contains("parameters.who must match [a-z]+");
    chromium.complaints.clear(); // the browser notes the 400 of that answer
    assertThat(page.inputValue("[name='p.times']")).isEqualTo("3");
    page.fill("[name='p.who']", "world");
    page.selectOption("[name='p.tone']", "cold");
    page.click("button:has-text('Submit job')");
    page.waitForURL("**/console/jobs/*");
    String id = page.url().replaceAll(".*/|\\?.*", "");
    assertThat(server.awaitEnd(id).get("stdout").asText()).isEqualTo("world 3 cold\n");
  }

  @Test
  void aKeyIsShownOnceRotatedAndRevoked() {
    open("/keys");
    page.fill("form[action$='/keys'] input[name=name]", "deploy");
    page.selectOption("select[name=role]", "operator");
    page.click("button:has-text('Make key')");
    String key = page.textContent("#secret");
    WithKey caller = new WithKey(server, key);
    assertThat(TestServer.json(caller.get("/v1/me")).get("role").asText()).isEqualTo("operator");
    open("/keys");
    assertThat(page.content()).doesNotContain(key);
    String row = "tr:has(td.key:has-text('deploy')) ";
    page.click(row + "button:has-text('Rotate')");
    page.waitForSelector("#secret");
    String other = page.textContent("#secret");
    assertThat(other).isNotEqualTo(key);
    assertThat(caller.get("/v1/me").statusCode()).isEqualTo(401);
    WithKey rotated = new WithKey(server, other);
    assertThat(rotated.get("/v1/me").statusCode()).isEqualTo(200);
    page.click(row + "button:has-text('Revoke')");
    page.waitForSelector(".notice >> text=revoked");
    assertThat(rotated.get("/v1/me").statusCode()).isEqualTo(401);
    assertThat(page.textContent(row + ".state")).isEqualTo("revoked");
  }

  @Test
  void aProjectIsMadeAndDeleted() {
    open("/keys");
    page.fill("form[action$='/projects'] input[name=name]", "shop");
    page.fill("input[name=max_waiting]", "500");
    page.uncheck("input[name=free_commands]");
    page.click("form[action$='/projects'] button");
    page.waitForSelector(".notice >> text=Saved");
    JsonNode project = get("/v1/projects/shop");
    assertThat(project.get("free_commands").asBoolean()).isFalse();
    assertThat(project.get("max_waiting").asInt()).isEqualTo(500);
    page.click("tr:has(td.key:text-is('shop')) button");
    page.waitForSelector(".notice >> text=Removed");
    assertThat(server.get("/v1/projects/shop").statusCode()).isEqualTo(404);
  }

  @Test
  void theAuditIsFilteredByItsAddressAndPaged() {
    for (int i = 0; i < 3; i++) {
      server.call("PATCH", "/v1/queues/audited", "{\"weight\": " + (i + 1) + "}");
    }
    open("/audit?action=PATCH+%2Fv1%2Fqueues%2F%7Bname%7D&page_size=2");
    assertThat(page.locator("[data-row]").count()).isEqualTo(2);
    assertThat(page.inputValue("input[name=action]")).isEqualTo("PATCH /v1/queues/{name}");
    page.click("a[rel=next]");
    page.waitForURL("**page_token**");
    assertThat(page.textContent("tbody")).contains("PATCH /v1/queues/{name}");
    page.click("main a:text-is('Newest')");
    page.click("main a:text-is('Clear')");
    page.waitForURL("**/console/audit");
    assertThat(page.textContent("tbody")).contains("POST /console/login");
  }

  @Test
  void failuresWithOneCauseAreOneGroupAndAreRetriedTogether() {
    for (String who : List.of("17", "4711")) {
      server.awaitEnd(
          server.submit("echo 'no user " + who + " <i>here</i>' >&2; exit 67", Map.of()));
    }
    server.awaitEnd(server.submit("exit 68", Map.of()));
    open("/failures");
    String group = ".failure:has-text('no user <n> <i>here</i>') ";
    page.waitForSelector(group);
    assertThat(page.textContent(group + "h2")).contains("exit 67");
    assertThat(page.textContent(group + ".cardhead strong")).isEqualTo("2");
    assertThat(page.textContent(".failure:has-text('exit 68')")).contains("nothing to stderr");
    page.click(group + "summary");
    assertThat(page.locator(group + "li a").count()).isEqualTo(2);
    page.click(group + "button[value=retry]");
    page.waitForSelector(".confirm h1");
    assertThat(page.textContent(".confirm h1")).contains("2 jobs");
  }

  @Test
  void aDeliveryIsShownAndSentAgain() {
    String url = "http://127.0.0.1:" + receiver.port() + "/hook";
    String id = server.submit("true", Map.of("on_finish", Map.of("url", url)));
    server.awaitEnd(id);
    receiver.await("/hook", 1);
    open("/webhooks");
    page.waitForSelector("tr:has-text('/hook') .state.succeeded");
    page.click("tr:has-text('/hook') button");
    page.waitForSelector(".notice >> text=sent again");
    assertThat(receiver.await("/hook", 2)).hasSizeGreaterThanOrEqualTo(2);
  }

  @Test
  void aViewerIsOfferedNoChange() {
    schedule(server, "watched");
    put("/v1/commands/watched", "{\"command\": [\"/bin/true\"]}");
    server.call("PATCH", "/v1/queues/watched", "{\"circuit\": {\"failure_ratio\": 0.5}}");
    server.awaitEnd(server.submit("exit 70", Map.of()));
    ConsoleClient viewer = ConsoleClient.signedIn(WithKey.of(server, "viewer", "default"));
    for (String path : VIEWS) {
      assertReadOnly(path, viewer.get(path));
    }
    for (String path :
        List.of(
            "/console/queues/watched", "/console/schedules/watched", "/console/commands/watched")) {
      assertReadOnly(path, viewer.get(path));
    }
    assertThat(viewer.get("/console/audit").statusCode()).isEqualTo(403);
    assertThat(viewer.get("/console/keys").statusCode()).isEqualTo(403);
    assertThat(viewer.submit("/console/queues/watched/pause").statusCode()).isEqualTo(403);
    assertThat(get("/v1/queues/watched").get("paused").asBoolean()).isFalse();
  }

  private static void assertReadOnly(String path, HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(path).isEqualTo(200);
    assertThat(answer.body().replaceAll("(?s)<details class=\"who\">.*?</details>", ""))
        .as(path)
        .contains("<nav class=\"side\"")
        .doesNotContain("method=\"post\"")
        .doesNotContain("/console/keys")
        .doesNotContain("/console/audit");
  }

  @Test
  void nothingOfAnotherProjectIsShownOrChanged() {
    put("/v1/projects/beside", "{}");
    schedule(server, "ours-alone");
    put("/v1/commands/ours-alone", "{\"command\": [\"/bin/true\"]}");
    String running =
        server.submit("exec sleep 601", Map.of("queue", "ours-alone", "labels", Map.of()));
    server.awaitState(running, "running");
    server.awaitEnd(server.submit("echo ours-alone >&2; exit 71", Map.of("queue", "ours-alone")));
    ConsoleClient other = ConsoleClient.signedIn(WithKey.of(server, "admin", "beside"));
    for (String path : VIEWS) {
      assertThat(other.get(path).body())
          .as(path)
          .contains("<nav class=\"side\"")
          .doesNotContain("ours-alone")
          .doesNotContain(running);
    }
    for (String path : List.of("queues", "schedules", "commands")) {
      assertThat(other.get("/console/" + path + "/ours-alone").statusCode()).isEqualTo(404);
    }
    assertThat(other.submit("/console/schedules/ours-alone/run").statusCode()).isEqualTo(404);
    assertThat(other.submit("/console/schedules/ours-alone/delete").statusCode()).isEqualTo(404);
    assertThat(other.submit("/console/commands/ours-alone").statusCode()).isEqualTo(404);
    // A queue of that name in the other project is another queue.
    assertThat(other.submit("/console/queues/ours-alone/pause").statusCode()).isEqualTo(303);
    assertThat(get("/v1/queues/ours-alone").get("paused").asBoolean()).isFalse();
    String key =
        TestServer.json(WithKey.of(server, "viewer", "default").get("/v1/me"))
            .get("key_id")
            .asText();
    assertThat(other.get("/console/keys").body()).doesNotContain(key);
    assertThat(other.submit("/console/keys/" + key + "/revoke").statusCode()).isEqualTo(404);
    assertThat(other.submit("/console/keys/projects", "name", "mine").statusCode()).isEqualTo(403);
    assertThat(other.get("/console/audit").body()).doesNotContain("of default");
    server.post("/v1/jobs/" + running + "/cancel", "");
  }
}
