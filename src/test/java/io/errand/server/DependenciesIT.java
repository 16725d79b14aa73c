package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/** Order among jobs, from outside, with two workers; the last test kills one of them. */
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DependenciesIT {
  private static final Map<String, String> QUICK =
      Map.of("ERRAND_LEASE_SECONDS", "5", "ERRAND_WORKER_SLOTS", "4");
  private static final String LATER = "2099-01-01T00:00:00Z";

  private static TestServer first;
  private static TestServer second;

  @BeforeAll
  static void start() throws IOException {
    first = TestServer.start(QUICK);
    Map<String, String> external = new HashMap<>(QUICK);
    external.putAll(BuiltInDatabase.settingsOf(first));
    external.put("ERRAND_TOKEN", "a-token-of-our-own");
    second = TestServer.start(external);
  }

  @AfterAll
  static void stop() {
    if (second != null) {
      second.close();
    }
    first.close();
  }

  private static JsonNode dependencies(String id, String query) {
    return json(first.get("/v1/jobs/" + id + "/dependencies" + query));
  }

  private static void assertRefused(HttpResponse<String> answer, String field, String message) {
    assertProblem(answer, 400);
    JsonNode error = json(answer).get("errors").get(0);
    assertThat(error.get("field").asText()).isEqualTo(field);
    assertThat(error.get("message").asText()).contains(message);
  }

  private static HttpResponse<String> batch(String... items) {
    return first.post("/v1/jobs/batch", "{\"jobs\":[" + String.join(",", items) + "]}");
  }

  private static String item(String members) {
    return "{\"command\":[\"true\"]" + members + "}";
  }

  @Test
  @Order(1)
  void aJobWaitsForOthersAndSaysSo() {
    String one = first.submit("exit 0", Map.of("run_at", LATER));
    String two = first.submit("exit 78", Map.of());
    assertThat(second.awaitEnd(two).get("state").asText()).isEqualTo("failed");
    HttpResponse<String> answer =
        first.post(
            "/v1/jobs",
            item(
                ",\"after\":[\"%s\",\"%s\",\"%s\"],\"on_dependency_failure\":\"run\""
                    .formatted(two, one, one.toUpperCase(Locale.ROOT))),
            "Idempotency-Key",
            "waits");
    assertThat(answer.statusCode()).isEqualTo(202);
    JsonNode job = json(answer);
    assertThat(job.get("state").asText()).isEqualTo("queued");
    assertThat(job.get("after").toString()).isEqualTo("[\"%s\",\"%s\"]".formatted(two, one));
    assertThat(job.get("on_dependency_failure").asText()).isEqualTo("run");
    String id = job.get("id").asText();
    JsonNode page = dependencies(id, "");
    assertThat(page.get("waiting_for").asInt()).isEqualTo(1);
    assertThat(page.get("after").toString())
        .isEqualTo(
            "[{\"id\":\"%s\",\"state\":\"failed\"},{\"id\":\"%s\",\"state\":\"queued\"}]"
                .formatted(two, one));
    assertThat(page.get("next_page_token").asText()).isEmpty();
    assertThat(dependencies(one, "").get("before").get(0).get("id").asText()).isEqualTo(id);
    JsonNode half = dependencies(id, "?page_size=1");
    String token = half.get("next_page_token").asText();
    assertThat(dependencies(id, "?page_size=1&page_token=" + token).get("after").get(0))
        .isEqualTo(page.get("after").get(1));
    assertProblem(first.get("/v1/jobs/" + one + "/dependencies?page_token=" + token), 400);
    assertProblem(first.get("/v1/jobs/" + one + "/dependencies?page_size=0"), 400);
    assertProblem(first.get("/v1/jobs/" + UUID.randomUUID() + "/dependencies"), 404);
    assertThat(json(first.get("/v1/jobs?page_size=500")).get("jobs").findValuesAsText("id"))
        .contains(id);

    first.post("/v1/jobs/" + one + "/cancel", "");
    assertThat(first.awaitEnd(id).get("state").asText()).isEqualTo("succeeded");
    assertThat(dependencies(id, "").get("waiting_for").asInt()).isZero();
    HttpResponse<String> again =
        first.post(
            "/v1/jobs",
            item(
                ",\"after\":[\"%s\",\"%s\",\"%s\"],\"on_dependency_failure\":\"run\""
                    .formatted(two, one, one.toUpperCase(Locale.ROOT))),
            "Idempotency-Key",
            "waits");
    assertThat(again.headers().firstValue("Idempotent-Replayed")).contains("true");
    assertThat(json(again).get("id").asText()).isEqualTo(id);
  }

  @Test
  @Order(2)
  void whatIsWrongIsNamedAndNothingIsStored() {
    String queue = "refused";
    String there = first.submit("exit 0", Map.of("run_at", LATER));
    String unknown = UUID.randomUUID().toString();
    String after = ",\"queue\":\"" + queue + "\",\"after\":";
    assertRefused(
        first.post("/v1/jobs", item(after + "[\"" + there + "\",\"" + unknown + "\"]")),
        "after[1]",
        "does not exist");
    assertRefused(first.post("/v1/jobs", item(after + "[\"a\"]")), "after[0]", "id of a job");
    assertRefused(first.post("/v1/jobs", item(after + "[7]")), "after[0]", "string");
    assertRefused(first.post("/v1/jobs", item(after + "{}")), "after", "list");
    assertRefused(
        first.post("/v1/jobs", item(after + "[],\"on_dependency_failure\":\"x\"")),
        "on_dependency_failure",
        "cancel, run");
    assertRefused(
        first.post("/v1/jobs", item(",\"on_dependency_failure\":\"run\"")),
        "on_dependency_failure",
        "with after only");
    assertRefused(first.post("/v1/jobs", item(",\"ref\":\"a\"")), "ref", "not a known field");
    assertRefused(
        first.call("PUT", "/v1/jobs/" + unknown, item(after + "[\"" + unknown + "\"]")),
        "after[0]",
        "does not exist");
    assertRefused(
        batch(item(after + "[],\"ref\":\"a\""), item(after + "[\"a\",\"" + unknown + "\"]")),
        "jobs[1].after[1]",
        "does not exist");
    assertRefused(
        batch(item(after + "[\"b\"],\"ref\":\"a\""), item(after + "[\"a\"],\"ref\":\"b\"")),
        "jobs[1].after[0]",
        "makes a cycle: a after b after a");
    assertThat(json(first.get("/v1/jobs?queue=" + queue)).get("jobs")).isEmpty();
    HttpResponse<String> put =
        first.call("PUT", "/v1/jobs/" + unknown, item(after + "[\"" + there + "\"]"));
    assertThat(put.statusCode()).isEqualTo(202);
    assertThat(
            first
                .call("PUT", "/v1/jobs/" + unknown, item(after + "[\"" + there + "\"]"))
                .headers()
                .firstValue("Idempotent-Replayed"))
        .contains("true");
    assertProblem(first.call("PUT", "/v1/jobs/" + unknown, item(after + "[]")), 409);
    first.post("/v1/jobs/" + there + "/cancel", "");
    JsonNode cancelled = second.awaitEnd(unknown);
    assertThat(cancelled.get("reason").asText()).isEqualTo("dependency_failed");
    assertThat(cancelled.get("detail").asText()).isEqualTo("job " + there + " was cancelled");
    assertThat(json(first.get("/v1/jobs/" + unknown + "/events")).get("events").get(1).get("actor"))
        .hasToString("\"dependency\"");
  }

  @Test
  @Order(3)
  void jobsOfABatchRunInTheOrderOfTheirRefs() {
    JsonNode ids =
        json(batch(
                item(",\"after\":[\"left\",\"right\"],\"idempotency_key\":\"join\""),
                item(",\"after\":[\"split\"],\"ref\":\"left\",\"idempotency_key\":\"left\""),
                item(",\"after\":[\"split\"],\"ref\":\"right\""),
                item(",\"ref\":\"split\"")))
            .get("ids");
    List<JsonNode> jobs = new ArrayList<>();
    ids.forEach(id -> jobs.add(second.awaitEnd(id.asText())));
    assertThat(jobs).allMatch(job -> job.get("state").asText().equals("succeeded"));
    for (int side : List.of(1, 2)) {
      assertThat(jobs.get(0).get("claimed_at").asText())
          .isGreaterThan(jobs.get(side).get("finished_at").asText());
      assertThat(jobs.get(side).get("claimed_at").asText())
          .isGreaterThan(jobs.get(3).get("finished_at").asText());
    }
    JsonNode more =
        json(
            batch(
                item(",\"after\":[\"split\"],\"ref\":\"left\",\"idempotency_key\":\"left\""),
                item(",\"ref\":\"split\""),
                item(",\"after\":[\"left\"],\"run_at\":\"" + LATER + "\"")));
    assertThat(more.get("ids").get(0)).isEqualTo(ids.get(1));
    assertThat(first.job(more.get("ids").get(2).asText()).get("after").get(0))
        .isEqualTo(ids.get(1));
  }

  @Test
  @Order(4)
  void theCommandLineSubmitsAndShowsThem() {
    String one = first.submit("exit 0", Map.of("run_at", LATER));
    Cli submitted = first.cli("submit", "--after", one, "--", "echo", "behind");
    assertThat(submitted.exitCode()).as(submitted.stderr()).isZero();
    String id = submitted.stdout().trim();
    assertThat(first.cli("dependencies", id).stdout()).contains("RELATION").contains(one);
    assertThat(first.cli("dependencies", "-o", "name", one).stdout()).isEqualTo(id + "\n");
    assertThat(first.cli("get", "-o", "wide", id).stdout()).contains("AFTER").contains(one);
    assertThat(first.cli("dependencies", "x").exitCode()).isEqualTo(2);
    Cli refused =
        first.cli("submit", "--after", UUID.randomUUID().toString(), "--", "echo", "never");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.stderr()).contains("--after names job ");
    assertThat(first.cli("submit", "--on-dependency-failure", "run", "--", "true").stderr())
        .contains("--on-dependency-failure is allowed with");
    first.post("/v1/jobs/" + one + "/cancel", "");
    assertThat(first.awaitEnd(id).get("reason").asText()).isEqualTo("dependency_failed");
  }

  @Test
  @Order(5)
  void aKilledWorkerChangesNothingAboutTheOrder() {
    int width = 40;
    ArrayNode jobs = TestServer.JSON.createArrayNode();
    for (int i = 0; i < width; i++) {
      jobs.addObject().put("ref", "first" + i).putArray("command").add("sleep").add("0.2");
    }
    for (int i = 0; i < width; i++) {
      ObjectNode job = jobs.addObject().put("ref", "second" + i);
      job.putArray("command").add("sleep").add("0.2");
      job.putArray("after").add("first" + i).add("first" + (i + 1) % width);
    }
    ObjectNode join = jobs.addObject();
    join.putArray("command").add("true");
    ArrayNode after = join.putArray("after");
    for (int i = 0; i < width; i++) {
      after.add("second" + i);
    }
    JsonNode ids =
        json(first.post(
                "/v1/jobs/batch", TestServer.JSON.createObjectNode().set("jobs", jobs).toString()))
            .get("ids");
    String done =
        "SELECT count(*) > 20 FROM errand.jobs WHERE command[1] = 'sleep' AND state = 'succeeded'";
    await().atMost(Duration.ofMinutes(2)).until(() -> BuiltInDatabase.sql(first, done).equals("t"));
    second.signal("KILL");
    second.awaitExit();
    await()
        .atMost(Duration.ofMinutes(3))
        .until(
            () -> first.job(ids.get(2 * width).asText()).get("state").asText().equals("succeeded"));
    for (JsonNode id : ids) {
      assertThat(first.job(id.asText()).get("state").asText()).isEqualTo("succeeded");
    }
    Cli checked = first.cli("verify-history");
    assertThat(checked.stdout()).contains("every rule holds");
    assertThat(checked.exitCode()).isZero();
  }
}
