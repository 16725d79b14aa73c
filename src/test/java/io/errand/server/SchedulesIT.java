package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Schedules from outside, with two servers on one database. */
@Timeout(600)
class SchedulesIT {
  private static final String JOB = "\"job\": {\"command\": [\"true\"]}";

  private static TestServer server;
  private static TestServer second;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("ERRAND_MAX_SCHEDULES", "30"));
    Map<String, String> external = new HashMap<>(BuiltInDatabase.settingsOf(server));
    external.put("ERRAND_TOKEN", server.token());
    second = TestServer.start(external);
  }

  @AfterAll
  static void stop() {
    second.close();
    server.close();
  }

  private static JsonNode create(String name, String members) {
    String body = "{\"name\": \"" + name + "\", " + members + "}";
    HttpResponse<String> answer = server.post("/v1/schedules", body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
    assertThat(answer.headers().firstValue("Location")).contains("/v1/schedules/" + name);
    return TestServer.json(answer);
  }

  private static JsonNode get(String path) {
    HttpResponse<String> answer = server.get(path);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return TestServer.json(answer);
  }

  private static JsonNode patch(String name, String body) {
    HttpResponse<String> answer = server.call("PATCH", "/v1/schedules/" + name, body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return TestServer.json(answer);
  }

  private static void delete(String name) {
    assertThat(server.call("DELETE", "/v1/schedules/" + name, "").statusCode()).isEqualTo(204);
  }

  private static List<JsonNode> ticks(String name) {
    List<JsonNode> ticks = new ArrayList<>();
    get("/v1/schedules/" + name + "/ticks?page_size=100").get("ticks").forEach(ticks::add);
    return ticks;
  }

  private static String sql(String query) {
    try {
      return BuiltInDatabase.sql(server, query);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** As if no server had run for so long. */
  private static void downFor(String name, String interval) {
    sql(
        "UPDATE errand.schedules SET handled_until = next_tick_at - interval '"
            + interval
            + "' - interval '1 microsecond', next_tick_at = next_tick_at - interval '"
            + interval
            + "' WHERE name = '"
            + name
            + "' RETURNING 1");
  }

  private static void awaitTicks(String name, int count) {
    await().atMost(Duration.ofMinutes(3)).until(() -> ticks(name).size() >= count);
  }

  @Test
  void everyTickIsOneJobWithTwoServersAlsoWhereOneIsKilled() {
    create(
        "pulse",
        "\"cron\": \"@every 1s\", \"overlap\": \"replace\", \"catch_up\": \"all\", " + JOB);
    awaitTicks("pulse", 4);
    second.killWithChildren("Guardian");
    second.awaitExit();
    int before = ticks("pulse").size();
    awaitTicks("pulse", before + 4);
    second.restart();
    before = ticks("pulse").size();
    awaitTicks("pulse", before + 4);
    patch("pulse", "{\"paused\": true}");
    List<JsonNode> ticks = ticks("pulse");
    assertThat(ticks).extracting(tick -> tick.get("tick_at").asText()).doesNotHaveDuplicates();
    assertThat(ticks)
        .filteredOn(tick -> !tick.get("job_id").isNull())
        .hasSizeGreaterThanOrEqualTo(12)
        .extracting(tick -> tick.get("job_id").asText())
        .doesNotHaveDuplicates();
    assertThat(
            sql(
                "SELECT extract(epoch FROM max(scheduled_at) - min(scheduled_at))::bigint + 1"
                    + " - count(*) FROM errand.jobs WHERE schedule = 'pulse'"))
        .as("seconds without a job, or with more than one")
        .isEqualTo("0");
    Cli history = server.cli("verify-history");
    assertThat(history.stdout()).contains("every rule holds");
  }

  @Test
  void aScheduleIsMadeShownChangedAndRemoved() {
    JsonNode made =
        create(
            "nightly",
            "\"cron\": \"30 2 * * *\", \"zone\": \"Europe/Berlin\", \"job\": {\"command\":"
                + " [\"echo\", \"hi\"], \"priority\": 3, \"env\": {\"SECRET\": \"xyzzy\"},"
                + " \"stdin\": \"plugh\"}");
    assertThat(made.get("overlap").asText()).isEqualTo("skip");
    assertThat(made.get("catch_up").asText()).isEqualTo("none");
    assertThat(made.get("catch_up_limit").asInt()).isEqualTo(100);
    assertThat(made.get("paused").asBoolean()).isFalse();
    assertThat(made.get("next_runs")).hasSize(5);
    assertThat(made.get("next_runs").get(0).get("local_time").asText()).contains("T0");
    assertThat(made.get("next_runs").get(0).get("tick_at").asText())
        .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:00\\.000000Z");
    assertThat(made.get("job").get("env_names").get(0).asText()).isEqualTo("SECRET");
    assertThat(made.get("job").get("stdin_bytes").asInt()).isEqualTo(5);
    assertThat(made.toString()).doesNotContain("xyzzy", "plugh");
    TestServer.assertProblem(
        server.post("/v1/schedules", "{\"name\": \"nightly\", \"cron\": \"@daily\", " + JOB + "}"),
        409);

    JsonNode changed =
        patch(
            "nightly",
            "{\"job\": {\"priority\": 7}, \"zone\": null, \"overlap\": \"queue\","
                + " \"ends_at\": \"2099-01-01T00:00:00Z\"}");
    assertThat(changed.get("zone").asText()).isEqualTo("UTC");
    assertThat(changed.get("job").get("priority").asInt()).isEqualTo(7);
    assertThat(changed.get("job").get("command")).hasSize(2);
    assertThat(changed.get("job").get("env_names")).hasSize(1);
    assertThat(changed.get("next_runs").get(0).get("local_time").asText())
        .endsWith("T02:30:00.000000+00:00");
    assertThat(patch("nightly", "{\"ends_at\": null, \"overlap\": null}").get("overlap").asText())
        .isEqualTo("skip");
    assertThat(
            patch("nightly", "{\"cron\": null, \"times\": [\"2098-01-01T00:00:00+01:00\"]}")
                .get("times")
                .get(0)
                .asText())
        .isEqualTo("2097-12-31T23:00:00.000000Z");

    JsonNode list = get("/v1/schedules?page_size=1");
    assertThat(list.get("schedules")).hasSize(1);
    assertThat(list.get("schedules").get(0).has("job")).isFalse();
    TestServer.assertProblem(server.get("/v1/schedules?page_token=abc"), 400);

    HttpResponse<String> run =
        server.post("/v1/schedules/nightly/run", "", "Idempotency-Key", "r1");
    assertThat(run.statusCode()).as(run.body()).isEqualTo(202);
    String id = TestServer.json(run).get("id").asText();
    JsonNode job = server.awaitEnd(id);
    assertThat(job.get("schedule").asText()).isEqualTo("nightly");
    assertThat(job.get("scheduled_at").isNull()).isTrue();
    assertThat(job.get("stdout").asText()).isEqualTo("hi\n");
    HttpResponse<String> again =
        server.post("/v1/schedules/nightly/run", "", "Idempotency-Key", "r1");
    assertThat(again.headers().firstValue("Idempotent-Replayed")).contains("true");
    assertThat(TestServer.json(again).get("id").asText()).isEqualTo(id);
    assertThat(get("/v1/jobs?schedule=nightly").get("jobs")).hasSize(1);
    assertThat(get("/v1/jobs?schedule=nobody").get("jobs")).isEmpty();

    delete("nightly");
    for (String path : List.of("", "/ticks")) {
      TestServer.assertProblem(server.get("/v1/schedules/nightly" + path), 404);
    }
    TestServer.assertProblem(server.call("DELETE", "/v1/schedules/nightly", ""), 404);
    TestServer.assertProblem(server.call("PATCH", "/v1/schedules/nightly", "{}"), 404);
    TestServer.assertProblem(server.post("/v1/schedules/nightly/run", ""), 404);
    assertThat(server.job(id).get("state").asText()).isEqualTo("succeeded");
  }

  @Test
  void aTickReplacesTheJobThatRuns() {
    create(
        "replaced",
        "\"cron\": \"0 0 1 1 *\", \"overlap\": \"replace\", \"catch_up\": \"latest\","
            + " \"job\": {\"command\": [\"sleep\", \"600\"]}");
    downFor("replaced", "1 year");
    awaitTicks("replaced", 1);
    String first = ticks("replaced").get(0).get("job_id").asText();
    server.awaitState(first, "running");
    sql(
        "UPDATE errand.schedules SET cron = NULL, times = ARRAY[now()], next_tick_at = now()"
            + " WHERE name = 'replaced' RETURNING 1");
    awaitTicks("replaced", 2);
    assertThat(server.awaitEnd(first).get("state").asText()).isEqualTo("cancelled");
    String next = ticks("replaced").get(0).get("job_id").asText();
    assertThat(server.awaitState(next, "running").get("scheduled_at").isNull()).isFalse();
    assertThat(server.job(next).get("concurrency_key").asText()).startsWith("schedule:");
    server.post("/v1/jobs/" + next + "/cancel", "");
    delete("replaced");
  }

  @Test
  void aDowntimeIsRecordedAndListedByThePage() {
    create(
        "weekly",
        "\"cron\": \"@weekly\", \"overlap\": \"queue\", \"catch_up\": \"all\","
            + " \"catch_up_limit\": 3, "
            + JOB);
    downFor("weekly", "70 days");
    awaitTicks("weekly", 4);
    JsonNode page = get("/v1/schedules/weekly/ticks?page_size=3");
    assertThat(page.get("next_ticks")).hasSize(5);
    for (JsonNode tick : page.get("ticks")) {
      assertThat(tick.get("skipped").isNull()).isTrue();
      assertThat(server.awaitEnd(tick.get("job_id").asText()).get("scheduled_at"))
          .isEqualTo(tick.get("tick_at"));
    }
    JsonNode rest =
        get("/v1/schedules/weekly/ticks?page_token=" + page.get("next_page_token").asText());
    assertThat(rest.get("ticks")).hasSize(1);
    assertThat(rest.get("ticks").get(0).get("skipped").asText()).isEqualTo("missed");
    assertThat(rest.get("ticks").get(0).get("ticks").asInt()).isEqualTo(7);
    assertThat(rest.get("next_page_token").asText()).isEmpty();
    TestServer.assertProblem(
        server.get(
            "/v1/schedules/weekly/ticks?page_token="
                + page.get("next_page_token").asText().substring(4)),
        400);
    JsonNode shown = get("/v1/schedules/weekly");
    assertThat(shown.get("last_tick").get("job_state").asText()).isEqualTo("succeeded");
    delete("weekly");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"cron\": \"@daily\" | name",
        "\"name\": \"UP\", \"cron\": \"@daily\" | name",
        "\"name\": \"b\\u0000\", \"cron\": \"@daily\" | name",
        "\"name\": \"b\" | cron",
        "\"name\": \"b\", \"cron\": \"61 * * * *\" | cron",
        "\"name\": \"b\", \"cron\": 5 | cron",
        "\"name\": \"b\", \"cron\": \"0 0 30 2 *\" | cron",
        "\"name\": \"b\", \"cron\": \"@every 1ms\" | cron",
        "\"name\": \"b\", \"cron\": \"@daily\", \"times\": [\"2099-01-01T00:00:00Z\"] | times",
        "\"name\": \"b\", \"times\": [] | times",
        "\"name\": \"b\", \"times\": [\"soon\"] | times[0]",
        "\"name\": \"b\", \"times\": [\"2001-01-01T00:00:00Z\"] | times",
        "\"name\": \"b\", \"cron\": \"@daily\", \"ends_at\": \"2001-01-01T00:00:00Z\" | cron",
        "\"name\": \"b\", \"cron\": \"@daily\", \"zone\": \"Mars/Base\" | zone",
        "\"name\": \"b\", \"cron\": \"@daily\", \"zone\": \"+02:00\" | zone",
        "\"name\": \"b\", \"cron\": \"@daily\", \"overlap\": \"stack\" | overlap",
        "\"name\": \"b\", \"cron\": \"@daily\", \"catch_up\": \"some\" | catch_up",
        "\"name\": \"b\", \"cron\": \"@daily\", \"catch_up_limit\": 1001 | catch_up_limit",
        "\"name\": \"b\", \"cron\": \"@daily\", \"jitter_seconds\": -1 | jitter_seconds",
        "\"name\": \"b\", \"cron\": \"@daily\", \"starts_at\": \"x\" | starts_at",
        "\"name\": \"b\", \"cron\": \"@daily\", \"starts_at\": \"2099-01-02T00:00:00Z\","
            + " \"ends_at\": \"2099-01-01T00:00:00Z\" | ends_at",
        "\"name\": \"b\", \"cron\": \"@daily\", \"paused\": 1 | paused",
        "\"name\": \"b\", \"cron\": \"@daily\", \"colour\": 1 | colour"
      })
  void badInputNamesItsFieldAndMakesNothing(String members, String field) {
    HttpResponse<String> refused = server.post("/v1/schedules", "{" + members + ", " + JOB + "}");
    TestServer.assertProblem(refused, 400);
    assertThat(TestServer.json(refused).get("errors").get(0).get("field").asText())
        .isEqualTo(field);
    assertThat(server.get("/v1/schedules/b").statusCode()).isEqualTo(404);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "null | job",
        "[] | job",
        "{} | job.command",
        "{\"command\": [\"true\"], \"when\": 1} | job.when",
        "{\"command\": [\"true\"], \"run_at\": \"2099-01-01T00:00:00Z\"} | job.run_at",
        "{\"command\": [\"true\"], \"expires_at\": \"2099-01-01T00:00:00Z\"} | job.expires_at",
        "{\"command\": [\"true\"], \"timeout_seconds\": 0} | job.timeout_seconds"
      })
  void theJobIsCheckedWhenTheScheduleIsMade(String job, String field) {
    HttpResponse<String> refused =
        server.post(
            "/v1/schedules", "{\"name\": \"b\", \"cron\": \"@daily\", \"job\": " + job + "}");
    TestServer.assertProblem(refused, 400);
    assertThat(TestServer.json(refused).get("errors").get(0).get("field").asText())
        .isEqualTo(field);
  }

  @Test
  void aBadChangeChangesNothing() {
    JsonNode made = create("firm", "\"cron\": \"@daily\", " + JOB);
    for (String change :
        List.of(
            "{\"cron\": \"x\"}",
            "{\"cron\": null}",
            "{\"job\": null}",
            "{\"job\": {\"command\": []}}",
            "{\"job\": {\"run_at\": \"2099-01-01T00:00:00Z\"}}",
            "{\"name\": \"other\"}",
            "{\"what\": 1}",
            "[]")) {
      TestServer.assertProblem(server.call("PATCH", "/v1/schedules/firm", change), 400);
    }
    JsonNode shown = get("/v1/schedules/firm");
    assertThat(shown).isEqualTo(made);
    delete("firm");
  }

  @Test
  void aCallerHasABoundedNumberOfSchedules() {
    int made = 0;
    HttpResponse<String> answer;
    do {
      answer =
          server.post(
              "/v1/schedules",
              "{\"name\": \"many-" + made + "\", \"cron\": \"@yearly\", " + JOB + "}");
      made++;
    } while (answer.statusCode() == 201 && made <= 30);
    TestServer.assertProblem(answer, 409);
    assertThat(answer.body()).contains("ERRAND_MAX_SCHEDULES");
    Cli list = server.cli("schedules", "-o", "name");
    assertThat(list.stdout().lines().count()).isGreaterThanOrEqualTo(made - 1L);
    for (int i = 0; i < made - 1; i++) {
      delete("many-" + i);
    }
  }

  @Test
  void theCommandLineDoesAllOfIt() {
    Cli made =
        server.cli(
            "schedules",
            "create",
            "--cron",
            "15 4 * * MON-FRI",
            "--zone",
            "Asia/Kathmandu",
            "--overlap",
            "queue",
            "--catch-up",
            "latest",
            "-l",
            "team=media",
            "cli-made",
            "--",
            "echo",
            "--zone",
            "-o",
            "$HOME");
    assertThat(made.exitCode()).as(made.stderr()).isZero();
    assertThat(made.stdout()).contains("NAME", "cli-made", "15 4 * * MON-FRI", "Asia/Kathmandu");
    JsonNode shown = get("/v1/schedules/cli-made");
    assertThat(shown.get("job").get("command").toString())
        .isEqualTo("[\"echo\",\"--zone\",\"-o\",\"$HOME\"]");
    assertThat(shown.get("job").get("labels").get("team").asText()).isEqualTo("media");

    assertThat(server.cli("schedules", "pause", "cli-made").exitCode()).isZero();
    assertThat(get("/v1/schedules/cli-made").get("paused").asBoolean()).isTrue();
    assertThat(server.cli("schedules").stdout()).contains("cli-made", "true");
    assertThat(server.cli("schedules", "resume", "cli-made").exitCode()).isZero();
    Cli updated =
        server.cli(
            "schedules",
            "update",
            "cli-made",
            "--every",
            "90m",
            "--timeout",
            "5",
            "--default",
            "overlap",
            "-o",
            "json");
    assertThat(updated.exitCode()).as(updated.stderr()).isZero();
    assertThat(updated.stdout()).contains("@every 90m");
    shown = get("/v1/schedules/cli-made");
    assertThat(shown.get("overlap").asText()).isEqualTo("skip");
    assertThat(shown.get("job").get("timeout_seconds").asInt()).isEqualTo(5);
    assertThat(shown.get("job").get("command")).hasSize(4);
    Cli listed = server.cli("schedules", "update", "cli-made", "--at", "2098-01-01T00:00:00Z");
    assertThat(listed.stdout()).contains("1 times");

    String id = server.cli("schedules", "run", "cli-made").stdout().trim();
    assertThat(server.awaitEnd(id).get("stdout").asText()).isEqualTo("--zone -o $HOME\n");
    Cli ticks = server.cli("schedules", "ticks", "cli-made");
    assertThat(ticks.stdout()).contains("TICK_AT", "2098-01-01T00:00:00.000000Z", "to come");
    assertThat(server.cli("schedules", "get", "cli-made", "-o", "json").stdout())
        .contains("\"next_runs\"");

    Cli without = server.cli("schedules", "create", "--every", "5m", "x", "echo", "hi");
    assertThat(without.exitCode()).isEqualTo(2);
    assertThat(without.stderr()).contains("the command stands behind --");
    Cli wrong = server.cli("schedules", "create", "--cron", "61 * * * *", "x", "--", "true");
    assertThat(wrong.exitCode()).isEqualTo(2);
    assertThat(wrong.stderr()).contains("--cron minute (field 1): \"61\" is not within 0 to 59");
    Cli timeout =
        server.cli("schedules", "create", "--every", "5m", "--timeout", "0", "x", "--", "true");
    assertThat(timeout.stderr()).contains("--timeout must be");

    Cli deleted = server.cli("schedules", "delete", "cli-made", "no-such");
    assertThat(deleted.exitCode()).isEqualTo(1);
    assertThat(deleted.stderr()).contains("no-such: There is no schedule no-such");
    assertThat(server.get("/v1/schedules/cli-made").statusCode()).isEqualTo(404);
    assertThat(server.cli("schedules", "--help").stdout()).contains("create", "ticks");
  }
}
