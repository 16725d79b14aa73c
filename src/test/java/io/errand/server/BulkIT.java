package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Changes of many jobs at once, over two servers on one database. */
@Timeout(600)
class BulkIT {
  private static final String LATER = "2099-01-01T00:00:00Z";
  private static final String TOKEN = "a-token-for-two-servers";

  private static TestServer server;
  private static TestServer second;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("ERRAND_TOKEN", TOKEN));
    Map<String, String> settings = new HashMap<>(BuiltInDatabase.settingsOf(server));
    settings.put("ERRAND_TOKEN", TOKEN);
    second = TestServer.start(settings);
  }

  @AfterAll
  static void stop() {
    second.close();
    server.close();
  }

  /** Jobs that wait for a time that does not come. */
  private static List<String> submit(String queue, int jobs) {
    String item =
        "{\"command\":[\"true\"],\"queue\":\"" + queue + "\",\"run_at\":\"" + LATER + "\"}";
    List<String> ids = new ArrayList<>();
    for (int left = jobs; left > 0; left -= 1_000) {
      String items = (item + ",").repeat(Math.min(left, 1_000));
      HttpResponse<String> answer =
          server.post(
              "/v1/jobs/batch", "{\"jobs\":[" + items.substring(0, items.length() - 1) + "]}");
      json(answer).get("ids").forEach(id -> ids.add(id.asText()));
    }
    return ids;
  }

  private static JsonNode awaitEnd(TestServer asked, String operation) {
    await()
        .atMost(Duration.ofMinutes(5))
        .until(() -> json(asked.get("/v1/operations/" + operation)).get("finished_at").isTextual());
    return json(asked.get("/v1/operations/" + operation));
  }

  private static long count(String queue, String state) {
    return json(server.get("/v1/queues/" + queue)).get("counts").get(state).asLong();
  }

  private static void assertHistoryIsSound() throws Exception {
    Cli cli = server.cli(BuiltInDatabase.settingsOf(server), "verify-history");
    assertThat(cli.stdout()).contains("every rule holds");
  }

  @Test
  void anOperationSurvivesTheDeathOfTheServerThatCarriesItOut() throws Exception {
    submit("large", 30_000);
    submit("other", 3);
    String body = "{\"filter\":{\"queue\":\"large\"},\"expected_count\":30000}";
    server.signal("STOP"); // so that it is the other one that carries it out
    HttpResponse<String> begun = second.post("/v1/jobs/cancel", body, "Idempotency-Key", "all");
    assertThat(begun.statusCode()).isEqualTo(202);
    String id = json(begun).get("id").asText();
    assertThat(begun.headers().firstValue("Location")).contains("/v1/operations/" + id);
    await()
        .atMost(Duration.ofMinutes(1))
        .until(() -> json(second.get("/v1/operations/" + id)).get("done").asLong() > 0);
    second.killWithChildren("Guardian");
    second.awaitExit();
    server.signal("CONT");
    JsonNode end = awaitEnd(server, id);
    assertThat(end.get("state").asText()).isEqualTo("finished");
    assertThat(end.get("total").asLong()).isEqualTo(30_000);
    assertThat(end.get("done").asLong()).isEqualTo(30_000);
    assertThat(end.get("skipped").asLong()).isZero();
    assertThat(end.get("errors").asLong()).isZero();
    assertThat(count("large", "cancelled")).isEqualTo(30_000);
    assertThat(count("large", "queued")).isZero();
    assertThat(count("other", "queued")).isEqualTo(3);
    assertThat(
            BuiltInDatabase.sql(
                server,
                "SELECT count(*) FROM errand.job_events WHERE to_state = 'cancelled' AND actor ="
                    + " 'client admin, operation "
                    + id
                    + "'"))
        .isEqualTo("30000");
    HttpResponse<String> again = server.post("/v1/jobs/cancel", body, "Idempotency-Key", "all");
    assertThat(again.statusCode()).isEqualTo(200);
    assertThat(again.headers().firstValue("Idempotent-Replayed")).contains("true");
    assertThat(json(again).get("id").asText()).isEqualTo(id);
    assertProblem(
        server.post(
            "/v1/jobs/cancel", "{\"filter\":{\"queue\":\"other\"}}", "Idempotency-Key", "all"),
        422);
    assertProblem(server.post("/v1/jobs/delete", body, "Idempotency-Key", "all"), 422);
    assertHistoryIsSound();
    second.restart();
  }

  @Test
  void everyServerMayCarryOutWhatAnotherWasAskedFor() {
    String running = server.submit("exec sleep 600", Map.of("queue", "work"));
    server.awaitState(running, "running");
    List<String> waiting = submit("work", 3);
    JsonNode counted =
        json(second.post("/v1/jobs/cancel", "{\"filter\":{\"queue\":\"work\"},\"dry_run\":true}"));
    assertThat(counted.toString()).isEqualTo("{\"count\":4,\"more\":false}");
    HttpResponse<String> wrong =
        second.post("/v1/jobs/cancel", "{\"filter\":{\"queue\":\"work\"},\"expected_count\":3}");
    assertProblem(wrong, 409);
    assertThat(json(wrong).get("detail").asText()).contains("4 jobs match, and 3 were expected");
    assertThat(count("work", "queued")).isEqualTo(3);
    JsonNode begun =
        json(second.post("/v1/jobs/cancel", "{\"filter\":{\"label\":\"a:b\",\"queue\":\"work\"}}"));
    assertThat(awaitEnd(server, begun.get("id").asText()).get("total").asLong()).isZero();
    JsonNode moved =
        json(
            second.call(
                "PATCH",
                "/v1/jobs",
                "{\"filter\":{\"ids\":[\""
                    + waiting.get(0)
                    + "\",\""
                    + waiting.get(1)
                    + "\"]},\"set\":{\"queue\":\"moved\",\"priority\":7}}"));
    JsonNode updated = awaitEnd(server, moved.get("id").asText());
    assertThat(updated.get("done").asLong()).isEqualTo(2);
    assertThat(updated.get("set").toString()).isEqualTo("{\"queue\":\"moved\",\"priority\":7}");
    assertThat(server.job(waiting.get(0)).get("priority").asInt()).isEqualTo(7);
    assertThat(count("moved", "queued")).isEqualTo(2);
    JsonNode cancelled = json(second.post("/v1/jobs/cancel", "{\"filter\":{\"queue\":\"work\"}}"));
    assertThat(awaitEnd(server, cancelled.get("id").asText()).get("done").asLong()).isEqualTo(2);
    assertThat(server.awaitEnd(running).get("state").asText()).isEqualTo("cancelled");
    JsonNode retried =
        json(
            second.post(
                "/v1/jobs/retry", "{\"filter\":{\"queue\":\"work\",\"state\":\"cancelled\"}}"));
    String retry = retried.get("id").asText();
    assertThat(awaitEnd(server, retry).get("done").asLong()).isEqualTo(2);
    assertThat(json(server.get("/v1/operations?page_size=1")).get("operations").get(0))
        .isEqualTo(json(server.get("/v1/operations/" + retry)));
    JsonNode deleted =
        json(
            second.post(
                "/v1/jobs/delete",
                "{\"filter\":{\"ids\":[\"" + waiting.get(2) + "\"],\"reason\":[\"cancelled\"]}}"));
    assertThat(awaitEnd(server, deleted.get("id").asText()).get("done").asLong()).isEqualTo(1);
    assertProblem(server.get("/v1/jobs/" + waiting.get(2)), 404);
    assertProblem(second.call("DELETE", "/v1/operations/" + retry, ""), 409);
    assertProblem(second.call("DELETE", "/v1/operations/" + UUID.randomUUID(), ""), 404);
    JsonNode end = json(second.post("/v1/jobs/cancel", "{\"filter\":{\"queue\":\"work\"}}"));
    awaitEnd(server, end.get("id").asText());
  }

  @Test
  void oneJobIsUpdatedWhileItWaitsAndDeletedWhenItHasFinished() {
    String id = submit("one", 1).get(0);
    String path = "/v1/jobs/" + id;
    HttpResponse<String> patched =
        server.call(
            "PATCH",
            path,
            "{\"priority\":-3,\"queue\":\"two\",\"run_at\":\"2098-01-01T00:00:00Z\"}");
    assertThat(patched.statusCode()).isEqualTo(200);
    assertThat(json(patched).get("priority").asInt()).isEqualTo(-3);
    assertThat(json(patched).get("queue").asText()).isEqualTo("two");
    assertThat(json(patched).get("run_at").asText()).isEqualTo("2098-01-01T00:00:00.000000Z");
    assertThat(json(server.get(path + "/events")).get("events").get(1).get("detail").asText())
        .startsWith("priority 0 to -3, queue one to two, run_at 2099-");
    assertProblem(server.call("DELETE", path, ""), 409);
    assertThat(server.call("PATCH", path, "{\"run_at\":null,\"priority\":null}").statusCode())
        .isEqualTo(200);
    assertThat(server.awaitEnd(id).get("state").asText()).isEqualTo("succeeded");
    assertProblem(server.call("PATCH", path, "{\"priority\":1}"), 409);
    assertThat(server.call("DELETE", path, "").statusCode()).isEqualTo(204);
    assertProblem(server.call("DELETE", path, ""), 404);
    assertProblem(server.call("PUT", path, "{\"command\":[\"true\"]}"), 410);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "POST | cancel | {} | filter",
        "POST | cancel | {'filter':{}} | filter",
        "POST | cancel | {'filter':{'queue':null}} | filter",
        "POST | cancel | {'filter':[]} | filter",
        "POST | cancel | [] | body",
        "POST | cancel | {'filter':{'queue':'q'},'more':1} | more",
        "POST | cancel | {'filter':{'queue':'q'},'set':{'priority':1}} | set",
        "POST | cancel | {'filter':{'queue':'q'},'dry_run':1} | dry_run",
        "POST | cancel | {'filter':{'queue':'q'},'expected_count':-1} | expected_count",
        "POST | cancel | {'filter':{'queue':'q'},'expected_count':1.5} | expected_count",
        "POST | cancel | {'filter':{'queue':'NO'}} | filter.queue",
        "POST | cancel | {'filter':{'page_size':1}} | filter.page_size",
        "POST | cancel | {'filter':{'state':'none'}} | filter.state",
        "POST | cancel | {'filter':{'state':'succeeded'}} | filter.state",
        "POST | cancel | {'filter':{'state':['queued','failed']}} | filter.state[1]",
        "POST | cancel | {'filter':{'state':[]}} | filter.state",
        "POST | release | {'filter':{'state':'queued'}} | filter.state",
        "POST | retry | {'filter':{'state':'running'}} | filter.state",
        "POST | delete | {'filter':{'state':'held'}} | filter.state",
        "POST | cancel | {'filter':{'q':'echo'}} | filter.q",
        "POST | cancel | {'filter':{'ids':'x'}} | filter.ids",
        "POST | cancel | {'filter':{'ids':['x']}} | filter.ids[0]",
        "POST | cancel | {'filter':{'ids':[]}} | filter.ids",
        "POST | cancel | {'filter':{'label':'x'}} | filter.label",
        "POST | cancel | {'filter':{'label':['a:b','a:c']}} | filter.label[1]",
        "POST | cancel | {'filter':{'labels':{}}} | filter.labels",
        "POST | cancel | {'filter':{'reason':'No!'}} | filter.reason",
        "POST | cancel | {'filter':{'worker':''}} | filter.worker",
        "POST | cancel | {'filter':{'concurrency_key':'a\\u0000'}} | filter.concurrency_key",
        "POST | cancel | {'filter':{'created_after':'yesterday'}} | filter.created_after",
        "PATCH | | {'filter':{'queue':'q'}} | set",
        "PATCH | | {'filter':{'queue':'q'},'set':{}} | set",
        "PATCH | | {'filter':{'queue':'q'},'set':{'state':'x'}} | set.state",
        "PATCH | | {'filter':{'queue':'q'},'set':{'priority':101}} | set.priority",
        "PATCH | | {'filter':{'queue':'q'},'set':{'queue':'NO'}} | set.queue",
        "PATCH | | {'filter':{'queue':'q'},'set':{'run_at':'x'}} | set.run_at",
        "PATCH | 00000000-0000-4000-8000-000000000000 | {} | body",
        "PATCH | 00000000-0000-4000-8000-000000000000 | {'command':['x']} | command",
        "PATCH | 00000000-0000-4000-8000-000000000000 | {'priority':'x'} | priority"
      })
  void whatIsWrongIsNamed(String method, String path, String body, String field) {
    HttpResponse<String> answer =
        server.call(method, "/v1/jobs" + (path == null ? "" : "/" + path), body.replace('\'', '"'));
    assertProblem(answer, 400);
    List<String> named = json(answer).get("errors").findValuesAsText("field");
    assertThat(named.get(0)).isEqualTo(field);
    assertThat(named.subList(1, named.size())).doesNotContain("filter"); // it is not empty
  }

  @Test
  void listsOfOperationsArePagedAndRefuseWhatTheyDoNotKnow() {
    for (int i = 0; i < 3; i++) {
      awaitEnd(
          server,
          json(server.post("/v1/jobs/release", "{\"filter\":{\"queue\":\"none\"}}"))
              .get("id")
              .asText());
    }
    JsonNode first = json(server.get("/v1/operations?state=finished&page_size=2"));
    assertThat(first.get("operations")).hasSize(2);
    String token = first.get("next_page_token").asText();
    JsonNode next =
        json(server.get("/v1/operations?state=finished&page_size=1&page_token=" + token));
    assertThat(next.get("operations").get(0).get("id"))
        .isNotEqualTo(first.get("operations").get(1).get("id"));
    assertProblem(server.get("/v1/operations?state=stopped&page_token=" + token), 400);
    assertProblem(server.get("/v1/operations?page_token=x"), 400);
    assertProblem(server.get("/v1/operations?state=none"), 400);
    assertProblem(server.get("/v1/operations?page_size=0"), 400);
    assertProblem(server.get("/v1/operations?queue=q"), 400);
    assertProblem(server.get("/v1/operations/x"), 404);
  }

  private static Cli cli(String... arguments) {
    return server.cli(Map.of("ERRAND_TOKEN", TOKEN), arguments);
  }

  @Test
  void theCommandLineCountsAsksAndWaits() {
    submit("cli", 5);
    Cli dry = cli("cancel", "--queue", "cli", "--dry-run", "-o", "name");
    assertThat(dry.stdout()).as(dry.stderr()).isEqualTo("5\n");
    Cli unsure = cli("cancel", "--queue", "cli");
    assertThat(unsure.exitCode()).isEqualTo(2);
    assertThat(unsure.stderr()).contains("cancel 5 jobs?", "--yes");
    Cli wrong = cli("cancel", "--queue", "cli", "--yes", "--expected-count", "4");
    assertThat(wrong.exitCode()).isEqualTo(1);
    assertThat(wrong.stderr()).contains("5 jobs match, and 4 were expected");
    Cli updated = cli("update", "--priority", "9", "--to-queue", "cli2", "-q", "cli", "-y");
    assertThat(updated.exitCode()).as(updated.stderr()).isZero();
    assertThat(updated.stdout()).contains("update", "finished");
    Cli cancelled = cli("cancel", "-s", "queued", "--queue", "cli2", "--yes", "-o", "json");
    assertThat(cancelled.exitCode()).as(cancelled.stderr()).isZero();
    assertThat(cancelled.stdout()).contains("\"done\" : 5");
    assertThat(cli("cancel", "--queue", "cli2").stderr()).contains("no job matches");
    String operation = cli("operations", "-n", "1", "-o", "name").stdout().trim();
    assertThat(cli("operations", operation).stdout()).contains("cancel", "finished");
    assertThat(cli("operations", "stop", operation).exitCode()).isEqualTo(1);
    assertThat(cli("operations", "x").exitCode()).isEqualTo(2);
    Cli refused = cli("release", "--state", "queued", "--yes");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.stderr()).contains("--state of a job that is queued there is no release");
    assertThat(cli("cancel").exitCode()).isEqualTo(2);
    assertThat(cli("cancel", "--filter", "{}").exitCode()).isEqualTo(2);
    assertThat(cli("update", "--queue", "cli").exitCode()).isEqualTo(2);
    String id = submit("cli", 1).get(0);
    assertThat(cli("cancel", id, "--queue", "cli").stderr()).contains("ids or a filter");
    Cli one = cli("update", "--priority", "4", "--run-at", "now", id, "-o", "json");
    assertThat(one.stdout()).as(one.stderr()).contains("\"priority\" : 4");
    server.awaitEnd(id);
    assertThat(cli("update", "--priority", "4", id).stderr()).contains("is succeeded");
    assertThat(cli("delete", id, "-o", "name").stdout()).isEqualTo(id + "\n");
    assertProblem(server.get("/v1/jobs/" + id), 404);
  }
}
