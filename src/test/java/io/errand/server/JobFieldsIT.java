package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * A field of a job is read, stored, shown, copied by a retry and documented, whatever way the job
 * comes in. The OpenAPI document names the fields; a field that is missing in one of the places
 * fails here.
 */
class JobFieldsIT extends OneServer {
  /** A value for each field that is not its default. */
  private static final String ALL =
      """
      {"command": ["true"], "description": "é of all fields", "queue": "fields", "priority": 7,
       "run_at": "2020-01-02T03:04:05Z", "expires_at": "2099-01-02T03:04:05Z", "stdin": "é",
       "env": {"A": "b"}, "working_directory": "/", "timeout_seconds": 61.5,
       "kill_grace_seconds": 2.5, "max_attempts": 2,
       "backoff": {"base_seconds": 2, "factor": 3.5, "max_seconds": 9, "jitter": "none"},
       "retry": [{"when": "exit_code", "codes": [2, "64-78"], "then": "fail"}],
       "success_exit_codes": [0, 3], "on_lost": "hold", "stdout_limit_bytes": 10,
       "stderr_limit_bytes": 20, "concurrency_key": "fields", "concurrency_limit": 2,
       "labels": {"k": "v"},
       "limits": {"memory_bytes": 100000000, "nice": 5}, "user": null, "sandbox": null,
       "on_finish": {"url": "http://127.0.0.1:9/hook?a=b", "secret_ref": "secret://none"},
       "after": ["%s"], "on_dependency_failure": "run"}
      """;

  /** Fields whose value is in no answer, with what is there instead. */
  private static final Set<String> HIDDEN = Set.of("stdin", "env");

  /** CatalogueIT sees to them. */
  private static final Set<String> INSTEAD_OF_A_COMMAND = Set.of("run", "parameters");

  /** Fields that a retry does not copy: it runs at once. */
  private static final Set<String> OF_ONE_JOB = Set.of("run_at", "after", "on_dependency_failure");

  @Test
  void everyFieldIsReadStoredShownAndCopiedWhateverWayAJobComesIn() throws IOException {
    String before = server.submit("exit 78", Map.of());
    ObjectNode sent = (ObjectNode) TestServer.JSON.readTree(ALL.formatted(before));
    Set<String> fields = documented();
    fields.removeAll(INSTEAD_OF_A_COMMAND);
    assertThat(names(sent)).isEqualTo(fields);
    sent.remove("user"); // a host may not have them: AccountsIT and SandboxTest see to them
    sent.remove("sandbox");
    String single = id(server.post("/v1/jobs", sent.toString()).body(), "id");
    assertShown(sent, single);
    server.awaitEnd(single);
    assertShown(sent, id(server.post("/v1/jobs/" + single + "/retry", "").body(), "id"));
    String own = UUID.randomUUID().toString();
    assertThat(server.call("PUT", "/v1/jobs/" + own, sent.toString()).statusCode()).isEqualTo(202);
    assertShown(sent, own);
    String batch = server.post("/v1/jobs/batch", "{\"jobs\": [" + sent + "]}").body();
    assertShown(sent, TestServer.JSON.readTree(batch).get("ids").get(0).asText());
  }

  @Test
  void everyFieldHasARowInTheReference() throws IOException {
    String http = Files.readString(Path.of("docs/reference/http-api.md"));
    for (String field : documented()) {
      assertThat(http).contains("`" + field + "`");
    }
  }

  private static Set<String> documented() {
    JsonNode document = TestServer.json(server.get("/q/openapi?format=json"));
    return names(document.at("/components/schemas/JobRequest/properties"));
  }

  private static Set<String> names(JsonNode object) {
    Set<String> names = new TreeSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static String id(String body, String field) throws IOException {
    return TestServer.JSON.readTree(body).get(field).asText();
  }

  private static void assertShown(JsonNode sent, String id) {
    JsonNode job = server.job(id);
    for (String field : names(sent)) {
      if (HIDDEN.contains(field)) {
        continue;
      }
      JsonNode shown = job.path(field);
      if (OF_ONE_JOB.contains(field) && !job.get("retry_of").isNull()) {
        continue;
      }
      assertThat(sent.get(field).equals(JobFieldsIT::compare, shown))
          .as(field + " of " + job)
          .isTrue();
    }
    assertThat(job.get("stdin_bytes").asInt()).isEqualTo(2);
    assertThat(job.get("env_names").get(0).asText()).isEqualTo("A");
  }

  /** Numbers by their value, times whatever their fraction. */
  private static int compare(JsonNode one, JsonNode other) {
    return one.isNumber() && other.isNumber()
        ? Double.compare(one.asDouble(), other.asDouble())
        : text(one).compareTo(text(other));
  }

  private static String text(JsonNode value) {
    return value.toString().replaceAll("\\.0+Z", "Z");
  }
}
