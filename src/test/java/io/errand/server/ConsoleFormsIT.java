package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Page;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The forms of the console that take a page, the choice of a project, and the bound of sessions.
 */
class ConsoleFormsIT extends OneBrowser {
  /** The columns of the chart that have a dot of a colour of the page. */
  private static final String COLUMNS =
      """
      (name) => {
        const one = new OffscreenCanvas(1, 1).getContext('2d');
        one.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
        one.fillRect(0, 0, 1, 1);
        const wanted = one.getImageData(0, 0, 1, 1).data;
        const { width, height } = document.querySelector('#depth canvas');
        const { data } = document.querySelector('#depth canvas').getContext('2d').getImageData(0, 0, width, height);
        return [...Array(width).keys()].filter((x) => [...Array(height).keys()].some((y) =>
          [0, 1, 2].every((part) => data[(y * width + x) * 4 + part] === wanted[part])));
      }
      """;

  private Page page;

  @BeforeAll
  static void start() {
    server = TestServer.start(Map.of());
    server.call("PUT", "/v1/projects/media", "{}");
  }

  @BeforeEach
  void signIn() {
    page = chromium.signedIn(server);
    page.onDialog(dialog -> dialog.accept());
  }

  @AfterEach
  void signOut() {
    page.context().close();
    // The browser notes each answer of 400.
    chromium.complaints.removeIf(line -> line.contains("status of 400"));
    assertThat(chromium.complaints).isEmpty();
  }

  private static JsonNode get(String path) {
    return TestServer.json(server.get(path));
  }

  private void open(String path) {
    page.navigate(server.url() + "/console" + path);
  }

  @Test
  void aScheduleIsLookedAtMadeAndChanged() {
    open("/schedules");
    page.click("text=New schedule");
    page.fill("[name=name]", "nightly");
    page.fill("[name=cron]", "61 2 * * *");
    page.fill("[name=zone]", "Europe/Berlin");
    page.click("text=Check and preview");
    page.waitForSelector("#fault-cron");
    assertThat(page.inputValue("[name=cron]")).isEqualTo("61 2 * * *");
    assertThat(page.inputValue("[name=name]")).isEqualTo("nightly");
    page.fill("[name=cron]", "30 2 * * *");
    page.fill("[name=job]", "{\"command\": [\"echo\"], \"env\": {\"TOKEN\": \"hush\"}}");
    page.selectOption("[name=overlap]", "queue");
    page.click("text=Check and preview");
    page.waitForSelector("#preview");
    assertThat(page.textContent("#preview .big")).containsIgnoringCase("02:30");
    assertThat(page.locator("#preview tbody tr").count()).isEqualTo(5);
    assertThat(page.textContent("#preview tbody tr")).contains("02:30:00");
    assertThat(server.get("/v1/schedules/nightly").statusCode()).isEqualTo(404);
    page.click("button:text-is('Save')");
    page.waitForSelector(".notice >> text=Saved");
    JsonNode made = get("/v1/schedules/nightly");
    assertThat(made.get("overlap").asText()).isEqualTo("queue");
    assertThat(made.get("job").get("env_names").toString()).isEqualTo("[\"TOKEN\"]");

    page.click("text=Edit");
    assertThat(page.textContent("#hint-job")).contains("the values of TOKEN");
    assertThat(page.inputValue("[name=job]")).doesNotContain("hush").contains("echo");
    page.fill("[name=job]", "{\"command\": [\"echo\"], \"priority\": 7}");
    page.fill("[name=cron]", "@every 90s");
    page.click("text=Check and preview");
    page.waitForSelector("#preview");
    assertThat(page.textContent("#preview .big")).contains("90 seconds");
    assertThat(get("/v1/schedules/nightly").get("cron").asText()).isEqualTo("30 2 * * *");
    page.click("button:text-is('Save')");
    page.waitForSelector(".notice >> text=Saved");
    JsonNode changed = get("/v1/schedules/nightly");
    assertThat(changed.get("cron").asText()).isEqualTo("@every 90s");
    assertThat(changed.get("job").get("priority").asInt()).isEqualTo(7);
    assertThat(changed.get("job").get("env_names").toString()).isEqualTo("[\"TOKEN\"]");
  }

  @Test
  void aScheduleThatIsRunByHandNamesItsJobInTheAudit() {
    server.post(
        "/v1/schedules",
        "{\"name\":\"by-hand\",\"cron\":\"0 3 * * *\",\"job\":{\"command\":[\"true\"]}}");
    ConsoleClient client = ConsoleClient.signedIn(server);
    HttpResponse<String> answer = client.submit("/console/schedules/by-hand/run");
    assertThat(answer.statusCode()).isEqualTo(303);
    String id =
        answer.headers().firstValue("Location").orElseThrow().replaceAll(".*/jobs/|\\?.*", "");
    Awaitility.await() // it is written behind the answer
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(server.get("/v1/audit").body())
                    .contains("POST /console/schedules/{name}/run", "job_id", id));
  }

  @Test
  void aQueueIsSetWithDefaultsPolicyAndOutcomes() {
    server.call("PATCH", "/v1/queues/full", "{\"defaults\":{\"priority\":3,\"max_attempts\":2}}");
    open("/queues/full");
    page.fill("[name=max_running]", "5");
    page.fill("[name=defaults]", "{\"timeout_seconds\": 60, \"max_attempts\": 2}");
    page.fill("[name=policy]", "{\"max_timeout_seconds\": \"long\"}");
    page.click("button:text-is('Save')");
    page.waitForSelector("#fault-policy");
    assertThat(page.inputValue("[name=max_running]")).isEqualTo("5");
    assertThat(get("/v1/queues/full").get("max_running").isNull()).isTrue();
    page.fill("[name=policy]", "{\"max_timeout_seconds\": 600}");
    page.check("[name=breaker]");
    page.uncheck("[name=outcome-signal]");
    page.click("button:text-is('Save')");
    page.waitForSelector(".notice >> text=Saved");
    JsonNode queue = get("/v1/queues/full");
    assertThat(queue.get("max_running").asInt()).isEqualTo(5);
    assertThat(queue.get("defaults").get("timeout_seconds").asInt()).isEqualTo(60);
    assertThat(queue.get("defaults").get("max_attempts").asInt()).isEqualTo(2);
    assertThat(queue.get("defaults").has("priority")).isFalse();
    assertThat(queue.get("policy").get("max_timeout_seconds").asInt()).isEqualTo(600);
    assertThat(queue.get("circuit").get("outcomes").toString())
        .contains("timeout")
        .doesNotContain("signal");
  }

  @Test
  void theDepthOfAQueueIsDrawn() throws IOException, SQLException {
    server.call("PATCH", "/v1/queues/deep", "{\"weight\": 2}");
    BuiltInDatabase.sql(
        server,
        "WITH made AS (INSERT INTO errand.queue_depths (queue, sampled_at, waiting, running)"
            + " SELECT 'deep', to_timestamp(floor(extract(epoch FROM now()) / 300) * 300 - n * 300),"
            + " 40 + n % 20, 4 FROM generate_series(1, 100) n WHERE n NOT BETWEEN 50 AND 60"
            + " RETURNING 1) SELECT count(*) FROM made");
    open("/queues/deep");
    page.waitForSelector("#depth canvas");
    assertThat(page.getAttribute("#depth .chart", "aria-label")).contains("at most 59 waited");
    assertThat(page.getAttribute("#depth .chart", "data-waiting").split(",", -1)).hasSize(100);
  }

  @Test
  void aChartOfOneSampleShowsItOnAnAxisOfADay() throws IOException, SQLException {
    server.call("PATCH", "/v1/queues/sampled-once", "{\"weight\": 2}");
    BuiltInDatabase.sql(
        server,
        "INSERT INTO errand.queue_depths (queue, sampled_at, waiting, running) SELECT 'sampled-once',"
            + " to_timestamp(floor(extract(epoch FROM now()) / 300) * 300 - 36000), 40, 4"
            + " RETURNING 1");
    open("/queues/sampled-once");
    page.waitForSelector("#depth canvas");
    assertThat(page.getAttribute("#depth .chart", "data-waiting")).isEqualTo("40");
    for (String colour : List.of("--amber", "--blue")) {
      assertThat((List<?>) page.evaluate(COLUMNS, colour)).as(colour).hasSizeBetween(3, 8);
    }
  }

  @Test
  void aCommandIsMadeGetsAnotherVersionAndIsRetired() {
    open("/commands");
    page.click("text=New command");
    page.fill("[name=name]", "greet");
    page.fill("[name=command]", "/bin/echo\n{who}");
    page.fill("[name=parameters]", "{\"who\": {\"type\": \"stringy\"}}");
    page.click("button:text-is('Save')");
    page.waitForSelector("#fault-parameters");
    assertThat(page.inputValue("[name=command]")).isEqualTo("/bin/echo\n{who}");
    page.fill("[name=parameters]", "{\"who\": {\"type\": \"string\", \"required\": true}}");
    page.click("button:text-is('Save')");
    page.waitForSelector(".notice >> text=Saved");
    page.click("text=Edit");
    page.fill("[name=description]", "Greets somebody");
    page.click("button:text-is('Save')");
    page.waitForSelector(".notice >> text=Saved");
    JsonNode command = get("/v1/commands/greet");
    assertThat(command.get("version").asInt()).isEqualTo(2);
    assertThat(command.get("description").asText()).isEqualTo("Greets somebody");
    assertThat(command.get("command").toString()).isEqualTo("[\"/bin/echo\",\"{who}\"]");
    page.click("button:text-is('Retire')");
    page.waitForSelector(".notice >> text=retired");
    assertThat(server.get("/v1/commands/greet").statusCode()).isEqualTo(404);
    ConsoleClient operator = ConsoleClient.signedIn(WithKey.of(server, "operator", "default"));
    assertThat(operator.get("/console/commands").body()).doesNotContain("New command");
    assertThat(operator.submit("/console/commands/:new", "name", "x").statusCode()).isEqualTo(403);
  }

  @Test
  void anAdministratorChoosesTheProjectThatAllPagesShow() {
    String ours = server.submit("true", Map.of("queue", "ours-only"));
    ConsoleClient client = ConsoleClient.signedIn(server);
    String before = client.csrf;
    HttpResponse<String> chosen =
        client.submit("/console/project", "project", "media", "section", "/queues");
    assertThat(chosen.headers().firstValue("Location").orElse(""))
        .endsWith("/queues?notice=project");
    HttpResponse<String> queues = client.get("/console/queues");
    assertThat(queues.body()).doesNotContain("ours-only").contains("admin of media");
    for (String path : List.of("", "/output", "/output/stream")) {
      assertThat(client.get("/console/jobs/" + ours + path).statusCode()).isEqualTo(404);
    }
    // A form of a page from before is of the other project, and so is what asks for a part of it.
    HttpResponse<String> stale =
        client.post("/console/queues", List.of("csrf", before, "name", "made-in-error"));
    assertThat(stale.statusCode()).isEqualTo(403);
    HttpResponse<String> part =
        client.send(client.request("/console/queues").header("Errand-Page-Project", "default"));
    assertThat(part.statusCode()).isEqualTo(409);
    assertThat(part.headers().firstValue("HX-Refresh")).hasValue("true");
    client.csrf = queues.body().replaceAll("(?s).*data-csrf=\"([^\"]*)\".*", "$1");
    assertThat(client.submit("/console/queues", "name", "of-media").statusCode()).isEqualTo(303);
    assertThat(server.get("/v1/queues/of-media").statusCode()).isEqualTo(404);
    assertThat(client.submit("/console/project", "project", "none").statusCode()).isEqualTo(404);
    ConsoleClient viewer = ConsoleClient.signedIn(WithKey.of(server, "viewer", "default"));
    assertThat(viewer.submit("/console/project", "project", "media").statusCode()).isEqualTo(404);
    assertThat(viewer.get("/console/queues").body()).doesNotContain("Choose a project");
  }

  @Test
  void aCallerHasSoManySessionsAndTheOldestMakeRoom() {
    WithKey key = WithKey.of(server, "viewer", "default");
    ConsoleClient first = ConsoleClient.signedIn(key);
    ConsoleClient second = ConsoleClient.signedIn(key);
    for (int i = 0; i < 19; i++) {
      ConsoleClient.signedIn(key);
    }
    assertThat(first.get("/console/queues").statusCode()).isEqualTo(303);
    assertThat(second.get("/console/queues").statusCode()).isEqualTo(200);
  }
}
