package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Many jobs in one submit, through a real server. */
class BatchIT extends OneServer {
  @Test
  void aBatchOfAThousandIsStoredInOrderOrNotAtAll() {
    ArrayNode jobs = TestServer.JSON.createArrayNode();
    String run = UUID.randomUUID().toString();
    for (int i = 0; i < 1_000; i++) {
      jobs.addObject()
          .put("run_at", "2099-01-01T00:00:00Z")
          .put("idempotency_key", run + i)
          .putArray("command")
          .add("true");
    }
    String body = TestServer.JSON.createObjectNode().set("jobs", jobs).toString();
    HttpResponse<String> answer = server.post("/v1/jobs/batch", body);
    assertThat(answer.statusCode()).isEqualTo(202);
    assertThat(json(answer).get("ids")).hasSize(1_000);
    assertThat(json(server.post("/v1/jobs/batch", body)).get("ids"))
        .isEqualTo(json(answer).get("ids"));
    String queue = "batch-" + run.substring(0, 8);
    String refused =
        "{\"jobs\":[{\"command\":[\"true\"],\"queue\":\"%s\"},".formatted(queue)
            + "{\"command\":[\"false\"],\"idempotency_key\":\""
            + run
            + "7\"}]}";
    HttpResponse<String> conflict = server.post("/v1/jobs/batch", refused);
    assertProblem(conflict, 422);
    assertThat(json(conflict).get("errors").get(0).get("field").asText())
        .isEqualTo("jobs[1].idempotency_key");
    assertThat(json(server.get("/v1/jobs?queue=" + queue)).get("jobs")).isEmpty();
    jobs.addObject().putArray("command").add("true");
    assertProblem(
        server.post(
            "/v1/jobs/batch", TestServer.JSON.createObjectNode().set("jobs", jobs).toString()),
        400);
  }

  @Test
  void jobsOfABatchThatShareSomeOfTheirFieldsKeepTheirOwn() {
    String start =
        "{\"run_at\":\"2099-01-01T00:00:00Z\",\"command\":[\"echo\",\"\\u00e9 \\\"\\\\\"]";
    List<String> items =
        Stream.of(
                "",
                ",\"queue\":\"other\"",
                "",
                ",\"priority\":5,\"labels\":{\"a\":\"1\"},\"env\":{\"B\":\"2\"}",
                ",\"working_directory\":\"/\",\"stdin\":\"x\"",
                ",\"timeout_seconds\":1.5,\"kill_grace_seconds\":0",
                ",\"stdout_limit_bytes\":1,\"stderr_limit_bytes\":2",
                ",\"max_attempts\":1,\"on_lost\":\"hold\",\"success_exit_codes\":[0,3]",
                ",\"backoff\":{\"jitter\":\"none\"},\"retry\":[{\"when\":\"signal\",\"then\":\"fail\"}]",
                ",\"limits\":{\"nice\":3},\"sandbox\":{\"read_only\":true}",
                ",\"concurrency_key\":\"k\",\"expires_at\":\"2099-01-02T00:00:00Z\"",
                "")
            .map(fields -> start + fields + "}")
            .toList();
    JsonNode ids =
        json(server.post("/v1/jobs/batch", "{\"jobs\":[" + String.join(",", items) + "]}"))
            .get("ids");
    for (int i = 0; i < items.size(); i++) {
      assertThat(asked(server.get("/v1/jobs/" + ids.get(i).asText())))
          .isEqualTo(asked(server.post("/v1/jobs", items.get(i))));
    }
  }

  /** A job as an answer shows it, without what differs between two of one body. */
  private static JsonNode asked(HttpResponse<String> answer) {
    return ((ObjectNode) json(answer)).without(List.of("id", "created_at"));
  }

  @Test
  void oneKeyTwiceInABatchIsOneJobIfTheBodiesAgree() {
    String key = UUID.randomUUID().toString();
    String item = "{\"command\":[\"true\"],\"idempotency_key\":\"" + key + "\"}";
    JsonNode ids =
        json(server.post("/v1/jobs/batch", "{\"jobs\":[" + item + "," + item + "]}")).get("ids");
    assertThat(ids.get(0)).isEqualTo(ids.get(1));
    String other = item.replace("true", "false");
    assertProblem(server.post("/v1/jobs/batch", "{\"jobs\":[" + item + "," + other + "]}"), 422);
    assertThat(
            server
                .post("/v1/jobs", "{\"command\":[\"true\"]}", "Idempotency-Key", key)
                .headers()
                .firstValue("Idempotent-Replayed"))
        .contains("true");
  }

  private static void assertRefused(String body, String detail) {
    HttpResponse<String> answer = server.post("/v1/jobs/batch", body);
    assertProblem(answer, 400);
    assertThat(json(answer).get("detail").asText()).as(body).contains(detail);
  }

  @Test
  void whatIsWrongIsToldAsIfTheWholeHadBeenReadBefore() {
    String good = "{\"command\":[\"true\"]}";
    String bad = "{\"command\":[]}";
    String badKey = "{\"command\":[\"true\"],\"idempotency_key\":\"\\u00e9\"}";
    assertRefused("", "is empty");
    assertRefused(" ", "is empty");
    assertRefused("[]", "must be an object");
    assertRefused("{}", "jobs: must be a list of 1 to 1000 jobs");
    assertRefused("{\"jobs\":null}", "jobs: must be a list of 1 to 1000 jobs");
    assertRefused("{\"jobs\":[]}", "jobs: must be a list of 1 to 1000 jobs");
    assertRefused("{\"jobs\":{\"a\":[1]}}", "jobs: must be a list of at most 1000");
    assertRefused("{\"jobs\":[1]}", "jobs[0]: must be an object");
    assertRefused("{\"jobs\":[" + bad + "],\"x\":[{}]}", "x: is not a known field");
    assertRefused("{\"jobs\":[" + good + "," + bad + "]}", "jobs[1].command: must be a list");
    assertRefused("{\"jobs\":[" + bad + "," + good, "is not acceptable JSON");
    assertRefused("{\"jobs\":[" + bad + "]} x", "is not acceptable JSON");
    assertRefused("{\"jobs\":[" + good + "]} {}", "is not acceptable JSON");
    assertRefused("{\"jobs\":[" + good + "],\"jobs\":[]}", "is not acceptable JSON");
    assertRefused("{\"jobs\":[{\"command\":[\"a\"],\"command\":[]}]}", "is not acceptable JSON");
    assertRefused("{\"jobs\":[" + bad + "," + badKey + "," + bad + "]}", "jobs[1].idempotency_key");
    assertRefused("{\"jobs\":[" + badKey + "]", "is not acceptable JSON");
    assertRefused(
        "{\"jobs\":[" + badKey + ("," + bad).repeat(1_000) + "]}",
        "jobs: must be a list of at most 1000");
    HttpResponse<String> many =
        server.post("/v1/jobs/batch", "{\"jobs\":[1" + ",1".repeat(99) + "]}");
    assertThat(json(many).get("errors")).hasSize(20);
  }
}
