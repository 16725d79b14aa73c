package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused, and how: always with a problem that says what is wrong. */
class RefusalIT extends OneServer {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {}                                                        | command
          {"command":[]}                                            | command
          {"command":"true"}                                        | command
          {"command":[""]}                                          | command[0]
          {"command":["a",1]}                                       | command[1]
          {"command":["a\\u0000b"]}                                 | command[0]
          {"command":["\\ud800"]}                                   | command[0]
          {"command":["true"],"colour":"red"}                       | colour
          {"command":["true"],"queue":"No Such"}                    | queue
          {"command":["true"],"priority":101}                       | priority
          {"command":["true"],"priority":1.5}                       | priority
          {"command":["true"],"priority":1e99}                      | priority
          {"command":["true"],"run_at":"yesterday"}                 | run_at
          {"command":["true"],"timeout_seconds":0}                  | timeout_seconds
          {"command":["true"],"kill_grace_seconds":301}             | kill_grace_seconds
          {"command":["true"],"max_attempts":0}                     | max_attempts
          {"command":["true"],"max_attempts":10001}                 | max_attempts
          {"command":["true"],"stdout_limit_bytes":1048577}         | stdout_limit_bytes
          {"command":["true"],"env":{"A-B":"x"}}                    | env.A-B
          {"command":["true"],"env":{"ERRAND_X":"x"}}               | env.ERRAND_X
          {"command":["true"],"env":{"LD_PRELOAD":"x"}}             | env.LD_PRELOAD
          {"command":["true"],"env":{"TRACEPARENT":"x"}}            | env.TRACEPARENT
          {"command":["true"],"env":{"A":1}}                        | env.A
          {"command":["true"],"working_directory":"here"}           | working_directory
          {"command":["true"],"on_lost":"panic"}                    | on_lost
          {"command":["true"],"backoff":{"jitter":"some"}}          | backoff.jitter
          {"command":["true"],"backoff":{"base":1}}                 | backoff.base
          {"command":["true"],"backoff":{"max_seconds":0.5}}        | backoff.max_seconds
          {"command":["true"],"retry":[{"when":"never"}]}           | retry[0].when
          {"command":["true"],"retry":[{"when":"timeout","codes":[1],"then":"fail"}]} | retry[0].codes
          {"command":["true"],"retry":[{"when":"exit_code","codes":["9-3"],"then":"fail"}]} | retry[0].codes[0]
          {"command":["true"],"success_exit_codes":[]}              | success_exit_codes
          {"command":["true"],"success_exit_codes":[256]}           | success_exit_codes[0]
          {"command":["true"],"labels":{"a":{}}}                    | labels.a
          {"command":["true"],"labels":{"a:b":"c"}}                 | labels
          {"command":["true"],"timeout_seconds":1e99999999999}      | body
          {"command":["true"],"limits":{"memory_bytes":1}}          | limits.memory_bytes
          {"command":["true"],"limits":{"memory":1}}                | limits.memory
          {"command":["true"],"limits":{"nice":20}}                 | limits.nice
          {"command":["true"],"limits":{"disk_bytes":0}}            | limits.disk_bytes
          {"command":["true"],"limits":{"disk_bytes":1.5}}          | limits.disk_bytes
          {"command":["true"],"limits":{"disk_bytes":1125899906842625}} | limits.disk_bytes
          {"command":["true"],"limits":{"disk_files":0}}            | limits.disk_files
          {"command":["true"],"limits":{"disk_files":16777217}}     | limits.disk_files
          {"command":["true"],"limits":{"disk_files":"9"}}          | limits.disk_files
          {"command":["true"],"user":"../root"}                     | user
          {"command":["true"],"user":""}                            | user
          {"command":["true"],"user":"a:b"}                         | user
          {"command":["true"],"user":"a\\nb"}                       | user
          {"command":["true"],"sandbox":{"writable":["here"]}}      | sandbox.writable[0]
          {"command":["true"],"sandbox":true}                       | sandbox
          {"command":["true"],"command":["false"]}                  | body
          [1]                                                       | body
          {"command":                                               | body
          """)
  void aBadFieldIsNamed(String body, String field) {
    HttpResponse<String> answer = server.post("/v1/jobs", body);
    assertProblem(answer, 400);
    assertThat(json(answer).get("errors").findValuesAsText("field")).contains(field);
  }

  @Test
  void aBodyTooDeepOrTooLargeIsRefused() {
    assertProblem(server.post("/v1/jobs", "[".repeat(10_000)), 400);
    assertProblem(server.post("/v1/jobs", "{\"stdin\":\"" + "x".repeat(1 << 20) + "\"}"), 413);
    assertProblem(server.post("/v1/jobs/batch", "x".repeat((16 << 20) + 1)), 413);
  }

  @Test
  void whatTheFrameworkRefusesIsAProblemToo() {
    assertProblem(server.get("/v1/nothing"), 404);
    assertProblem(server.get("/v1/jobs/" + UUID.randomUUID()), 404);
    assertProblem(server.get("/v1/jobs/no-uuid"), 404);
    assertProblem(server.call("DELETE", "/v1/jobs", ""), 405);
    assertProblem(server.send(server.request("/v1/jobs").header("Accept", "text/html")), 406);
    assertProblem(
        server.send(
            server
                .request("/v1/jobs")
                .header("Content-Type", "text/plain")
                .POST(HttpRequest.BodyPublishers.ofString("x"))),
        415);
  }

  @Test
  void aMethodThatIsNotAllowedNamesThoseThatAre() {
    HttpResponse<String> answer = server.call("DELETE", "/v1/jobs", "");
    assertThat(answer.headers().firstValue("Allow").orElse("")).contains("GET").contains("POST");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/v1/jobs | GET, HEAD, OPTIONS, PATCH, POST",
        "/v1/jobs/batch | OPTIONS, POST",
        "/v1/jobs/00000000-0000-0000-0000-000000000000 | DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
        "/v1/jobs/x/output/stream | GET, HEAD, OPTIONS",
        "/v1/jobs/x/cancel | OPTIONS, POST",
        "/v1/jobs/cancel | OPTIONS, POST",
        "/v1/operations | GET, HEAD, OPTIONS",
        "/v1/operations/x | DELETE, GET, HEAD, OPTIONS",
        "/v1/queues | GET, HEAD, OPTIONS",
        "/v1/queues/q | GET, HEAD, OPTIONS, PATCH"
      })
  void theMethodsAreThoseOfExactlyThatPath(String path, String allowed) {
    HttpResponse<String> options = server.call("OPTIONS", path, "");
    assertThat(options.statusCode()).isEqualTo(200);
    assertThat(options.body()).isEmpty();
    assertThat(options.headers().firstValue("Allow")).hasValue(allowed);
    for (String method : List.of("GET", "POST", "PUT", "PATCH", "DELETE")) {
      HttpResponse<String> answer = server.call(method, path, "{\"x\":1}");
      assertThat(answer.statusCode() == 405)
          .as("%s %s gives %s", method, path, answer.statusCode())
          .isEqualTo(!List.of(allowed.split(", ")).contains(method));
      if (answer.statusCode() == 405) {
        assertProblem(answer, 405);
        assertThat(answer.headers().firstValue("Allow")).hasValue(allowed);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/v1/nothing", "/v1/jobs/x/y", "/v1/jobs/x/output/stream/z", "/v1/workers/x"})
  void aPathThatIsNotThereHasNoMethods(String path) {
    HttpResponse<String> options = server.call("OPTIONS", path, "");
    assertProblem(options, 404);
    assertThat(options.headers().firstValue("Allow")).isEmpty();
    assertProblem(server.get(path), 404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/jobs",
        "/v1/nothing",
        "/v1",
        "/v1/queues",
        "/v1/workers",
        "/v1/jobs/x/output"
      })
  void nothingIsSaidToWhoHasNoToken(String path) throws Exception {
    for (String authorization : List.of("", "Bearer wrong", "Basic eDp5", "Bearer")) {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(server.url() + path)).timeout(Duration.ofSeconds(30));
      if (!authorization.isEmpty()) {
        request.header("Authorization", authorization);
      }
      HttpResponse<String> answer = server.http().send(request.build(), BodyHandlers.ofString());
      assertProblem(answer, 401);
      assertThat(answer.headers().firstValue("WWW-Authenticate")).isPresent();
    }
  }

  @Test
  void aParameterThatIsNotKnownIsNeverOverlooked() {
    assertProblem(server.post("/v1/jobs?validate-only=true", "{\"command\":[\"true\"]}"), 400);
    assertProblem(server.get("/v1/jobs?label=a:%00"), 400);
    assertProblem(server.get("/v1/queues?x"), 400);
    assertProblem(server.get("/v1/workers?x=y"), 400);
    assertProblem(server.get("/v1/jobs?label=a:1&label=a:2"), 400);
  }

  @Test
  void overlongUtf8AndUnknownEscapesAreRefused() {
    assertProblem(
        server.send(
            server
                .request("/v1/jobs")
                .header("Content-Type", "application/json")
                .POST(
                    HttpRequest.BodyPublishers.ofByteArray(
                        "{\"command\":[\"\u00c0\u00af\"]}"
                            .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)))),
        400);
    assertProblem(
        server.post("/v1/jobs", "{\"command\":[\"true\"]}", "Idempotency-Key", "\"a\\b\""), 400);
  }

  @Test
  void inABatchEachFaultIsNamedOnce() {
    HttpResponse<String> answer =
        server.post("/v1/jobs/batch", "{\"jobs\":[{\"command\":[\"true\"]},null,7]}");
    assertProblem(answer, 400);
    assertThat(json(answer).get("errors").findValuesAsText("field"))
        .filteredOn(field -> !field.endsWith(".command"))
        .containsExactly("jobs[1]", "jobs[2]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"a\":[1,", "[[[1,2", "{\"a\" 1}", "nonsense", "\"\\q\""})
  void whatIsWrongWithTheJsonIsSaidWithoutTheNamesOfOurParser(String body) {
    HttpResponse<String> answer = server.post("/v1/jobs", body);
    assertProblem(answer, 400);
    assertThat(answer.body()).doesNotContain("Source", "Stream", "Feature");
  }

  @Test
  void aBodyThatIsTooDeepIsToldTheBound() {
    HttpResponse<String> answer = server.post("/v1/jobs", "[".repeat(100));
    assertThat(json(answer).get("errors").get(0).get("message").asText())
        .contains("64")
        .doesNotContain("Stream");
  }
}
