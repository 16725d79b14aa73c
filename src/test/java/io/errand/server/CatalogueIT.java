package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Named commands, projects that take no others, and policies of queues. */
@Timeout(600)
class CatalogueIT {
  private static final String SAY =
      "{'command':['/bin/echo','{word}','--times={n}'],'parameters':{"
          + "'word':{'type':'string','required':true,'pattern':'[a-z ]+'},"
          + "'n':{'type':'integer','maximum':9}}%s}";
  private static final String FILE =
      "# of the operator\ncommand: [/bin/echo, of a file, '{n}']\n"
          + "parameters:\n  n: {type: integer, default: 1}\n";

  private static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws IOException {
    folder = Files.createTempDirectory("errand-catalogue");
    write("filed.yaml", FILE);
    server = TestServer.start(Map.of("ERRAND_CATALOGUE_DIR", folder.toString()));
  }

  @AfterAll
  static void stop() {
    server.close();
    TestServer.delete(folder);
  }

  /** As a file appears that is written beside and then renamed. */
  private static void write(String name, String text) throws IOException {
    Path beside = Files.writeString(folder.resolve(".new"), text);
    Files.move(beside, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
  }

  private static String json(String text) {
    return text.replace('\'', '"');
  }

  private static HttpResponse<String> put(ApiClient client, String name, String definition) {
    return client.call("PUT", "/v1/commands/" + name, json(definition));
  }

  private static String id(HttpResponse<String> submitted) {
    assertThat(submitted.statusCode()).as(submitted.body()).isIn(200, 202);
    return ApiClient.json(submitted).get("id").asText();
  }

  private static void assertRefused(HttpResponse<String> answer, String field, String... words) {
    ApiClient.assertProblem(answer, 400);
    assertThat(ApiClient.json(answer).get("errors").findValuesAsText("field")).contains(field);
    for (String word : words) {
      assertThat(answer.body()).contains(word);
    }
  }

  @Test
  void aJobNamesACommandAndItsVersionStaysWithIt() {
    JsonNode first = ApiClient.json(put(server, "say", SAY.formatted("")));
    assertThat(first.get("version").asInt()).isEqualTo(1);
    assertThat(first.get("created_by").asText()).isEqualTo("admin");
    String body = json("{'run':'say','parameters':{'word':'two words','n':3}}");
    String id = id(server.post("/v1/jobs", body, "Idempotency-Key", "say-once"));
    JsonNode job = server.awaitEnd(id);
    assertThat(job.get("stdout").asText()).isEqualTo("two words --times=3\n");
    assertThat(job.get("run").asText()).isEqualTo("say");
    assertThat(job.get("run_version").asInt()).isEqualTo(1);
    assertThat(job.get("parameters").get("word").asText()).isEqualTo("two words");

    HttpResponse<String> second =
        put(server, "say", SAY.formatted(",'defaults':{'priority':5}").replace("--", "++"));
    assertThat(second.statusCode()).isEqualTo(200);
    assertThat(ApiClient.json(second).get("version").asInt()).isEqualTo(2);
    assertThat(id(server.post("/v1/jobs", body, "Idempotency-Key", "say-once"))).isEqualTo(id);
    JsonNode again = server.awaitEnd(id(server.post("/v1/jobs", body)));
    assertThat(again.get("stdout").asText()).isEqualTo("two words ++times=3\n");
    assertThat(again.get("priority").asInt()).isEqualTo(5);
    JsonNode retried =
        server.awaitEnd(
            ApiClient.json(server.post("/v1/jobs/" + id + "/retry", "")).get("id").asText());
    assertThat(retried.get("run_version").asInt()).isEqualTo(1);

    JsonNode old = ApiClient.json(server.get("/v1/commands/say?version=1"));
    assertThat(old.get("command").toString()).contains("--times={n}");
    assertThat(ApiClient.json(server.get("/v1/commands/say/versions")).get("versions")).hasSize(2);
    assertThat(put(server, "say", old.toString()).statusCode()).isEqualTo(200);
    assertThat(server.get("/v1/commands").body()).contains("\"say\"").contains("\"filed\"");
    assertThat(server.call("DELETE", "/v1/commands/say", "").statusCode()).isEqualTo(204);
    ApiClient.assertProblem(server.get("/v1/commands/say"), 404);
    assertRefused(server.post("/v1/jobs", body), "run", "no command of the catalogue");
    assertThat(ApiClient.json(put(server, "say", SAY.formatted(""))).get("version").asInt())
        .isEqualTo(4);
  }

  @Test
  void whatIsWrongWithAJobIsNamed() {
    put(
        server,
        "checked",
        SAY.formatted(",'defaults':{'max_attempts':1,'pinned':['max_attempts']}"));
    String run = "{'run':'checked','parameters':{'word':'a'}%s}";
    assertThat(server.post("/v1/jobs", json(run.formatted(",'priority':1"))).statusCode())
        .isEqualTo(202);
    for (String field :
        List.of(
            "'max_attempts':2",
            "'env':{'A':'b'}",
            "'stdin':'x'",
            "'working_directory':'/'",
            "'user':'root'",
            "'sandbox':{}",
            "'command':['/bin/true']")) {
      assertRefused(server.post("/v1/jobs", json(run.formatted("," + field))), field.split("'")[1]);
    }
    String wrong = "{'run':'checked','parameters':%s}";
    assertRefused(
        server.post("/v1/jobs", json(wrong.formatted("{'word':'-x'}"))), "parameters.word");
    assertRefused(server.post("/v1/jobs", json(wrong.formatted("{}"))), "parameters.word");
    assertRefused(
        server.post("/v1/jobs", json(wrong.formatted("{'word':'a','n':10}"))), "parameters.n");
    assertRefused(
        server.post("/v1/jobs", json(wrong.formatted("{'word':'a','x':1}"))), "parameters.x");
    assertRefused(
        server.post("/v1/jobs", json("{'command':['/bin/true'],'parameters':{}}")), "parameters");
    assertRefused(
        server.post(
            "/v1/jobs/batch",
            json("{'jobs':[{'command':['true']}," + run.formatted(",'env':{'A':'b'}") + "]}")),
        "jobs[1].env");
    JsonNode preview =
        ApiClient.json(server.post("/v1/jobs?validate_only=true", json(run.formatted(""))));
    assertThat(preview.get("job").get("command").toString()).isEqualTo("[\"/bin/echo\",\"a\"]");
    assertThat(preview.get("job").get("run").asText()).isEqualTo("checked");
    assertRefused(put(server, "bad", "{'command':['sh','-c','{x}']}"), "command[0]");
    assertRefused(
        put(server, "bad", "{'command':['/bin/true'],'defaults':{'max_attempts':0}}"),
        "defaults.max_attempts");
    ApiClient.assertProblem(
        put(WithKey.of(server, "operator", "default"), "bad", "{'command':['/bin/true']}"), 403);
  }

  @Test
  void aRequestIsAnsweredAgainWhenItsCommandIsGone() {
    put(server, "brief", SAY.formatted(""));
    String body = json("{'run':'brief','parameters':{'word':'hi'}}");
    String other = json("{'run':'brief','parameters':{'word':'ho'}}");
    String id = id(submit("of a command", body));
    UUID own = UUID.randomUUID();
    assertThat(server.call("PUT", "/v1/jobs/" + own, body).statusCode()).isEqualTo(202);
    assertThat(server.call("DELETE", "/v1/commands/brief", "").statusCode()).isEqualTo(204);
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> server.post("/v1/jobs", body).statusCode() == 400);
    HttpResponse<String> again = submit("of a command", body);
    assertThat(id(again)).isEqualTo(id);
    assertThat(again.headers().firstValue("Idempotent-Replayed")).hasValue("true");
    HttpResponse<String> byId = server.call("PUT", "/v1/jobs/" + own, body);
    assertThat(id(byId)).isEqualTo(own.toString());
    assertThat(byId.headers().firstValue("Idempotent-Replayed")).hasValue("true");
    assertRefused(submit("of a command", other), "run");
    assertRefused(submit("unknown", body), "run");
    assertRefused(server.call("PUT", "/v1/jobs/" + own, other), "run");
  }

  private static HttpResponse<String> submit(String key, String body) {
    return server.send(
        server
            .request("/v1/jobs")
            .header("Idempotency-Key", key)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  @Test
  void aProjectThatIsClosedTakesNamedCommandsOnlyWhateverTheWay() {
    server.call("PUT", "/v1/projects/closed", "{}");
    WithKey admin = WithKey.of(server, "admin", "closed");
    put(admin, "say", SAY.formatted(""));
    String free = json("{'command':['/bin/true']}");
    String named = json("{'run':'say','parameters':{'word':'a'}}");
    String freeJob = id(admin.post("/v1/jobs", free));
    admin.awaitEnd(freeJob);
    String schedule = "{'name':'%s','cron':'@yearly','job':%s}";
    assertThat(admin.post("/v1/schedules", json(schedule.formatted("early", free))).statusCode())
        .isEqualTo(201);

    server.call("PUT", "/v1/projects/closed", json("{'free_commands':false}"));
    WithKey submitter = WithKey.of(server, "submitter", "closed");
    String own = "/v1/jobs/0199b2c4-0000-7000-8000-00000000000";
    for (WithKey caller : List.of(admin, submitter)) {
      String[] said = {"named commands only"};
      assertRefused(caller.post("/v1/jobs", free), "command", said);
      assertRefused(caller.call("PUT", own + "1", free), "command", said);
      assertRefused(caller.post("/v1/jobs?validate_only=true", free), "command", said);
      assertRefused(
          caller.post("/v1/jobs/batch", "{\"jobs\":[" + named + "," + free + "]}"),
          "jobs[1].command",
          said);
      assertRefused(
          caller.post("/v1/schedules", json(schedule.formatted("late", free))),
          "job.command",
          said);
    }
    assertRefused(
        admin.call("PATCH", "/v1/schedules/early", "{\"job\":" + free + "}"), "job.command");
    ApiClient.assertProblem(admin.post("/v1/schedules/early/run", ""), 409);
    ApiClient.assertProblem(admin.post("/v1/jobs/" + freeJob + "/retry", ""), 403);
    JsonNode operation =
        ApiClient.json(admin.post("/v1/jobs/retry", json("{'filter':{'state':['succeeded']}}")));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                ApiClient.json(admin.get("/v1/operations/" + operation.get("id").asText()))
                    .get("state")
                    .asText()
                    .equals("finished"));
    assertThat(ApiClient.json(admin.get("/v1/jobs")).get("jobs")).hasSize(1);

    String job = id(submitter.post("/v1/jobs", named));
    assertThat(submitter.awaitEnd(job).get("stdout").asText()).isEqualTo("a\n");
    assertThat(submitter.call("PUT", own + "2", named).statusCode()).isEqualTo(202);
    assertThat(submitter.post("/v1/jobs/batch", "{\"jobs\":[" + named + "]}").statusCode())
        .isEqualTo(202);
    assertThat(submitter.post("/v1/jobs/" + job + "/retry", "").statusCode()).isEqualTo(202);
    assertThat(
            admin
                .call(
                    "PATCH",
                    "/v1/schedules/early",
                    json("{'job':{'command':null,'run':'say','parameters':{'word':'a'}}}"))
                .statusCode())
        .isEqualTo(200);
    assertThat(admin.post("/v1/schedules/early/run", "").statusCode()).isEqualTo(202);
  }

  @Test
  void aTickOfAClosedProjectIsSkippedWithTheReason() {
    server.call("PUT", "/v1/projects/ticking", "{}");
    WithKey admin = WithKey.of(server, "admin", "ticking");
    admin.post(
        "/v1/schedules",
        json("{'name':'free','cron':'@every 1s','paused':true,'job':{'command':['/bin/true']}}"));
    server.call("PUT", "/v1/projects/ticking", json("{'free_commands':false}"));
    admin.call("PATCH", "/v1/schedules/free", json("{'paused':false}"));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> admin.get("/v1/schedules/free/ticks").body().contains("named commands only"));
    admin.call("DELETE", "/v1/schedules/free", "");
    assertThat(ApiClient.json(admin.get("/v1/jobs")).get("jobs")).isEmpty();
  }

  @Test
  void anotherProjectDoesNotSeeIt() {
    put(server, "mine", SAY.formatted(""));
    server.call("PUT", "/v1/projects/stranger", "{}");
    WithKey stranger = WithKey.of(server, "admin", "stranger");
    ApiClient.assertProblem(stranger.get("/v1/commands/mine"), 404);
    ApiClient.assertProblem(stranger.get("/v1/commands/mine/versions"), 404);
    ApiClient.assertProblem(stranger.get("/v1/commands/filed"), 404);
    ApiClient.assertProblem(stranger.call("DELETE", "/v1/commands/mine", ""), 404);
    assertThat(ApiClient.json(stranger.get("/v1/commands")).get("commands")).isEmpty();
    assertRefused(
        stranger.post("/v1/jobs", json("{'run':'mine','parameters':{'word':'a'}}")), "run");
    assertThat(put(stranger, "mine", "{'command':['/bin/true']}").statusCode()).isEqualTo(201);
    assertThat(ApiClient.json(server.get("/v1/commands/mine")).get("parameters")).hasSize(2);
  }

  @Test
  void aPolicyHoldsForEachWayIntoTheQueue() throws IOException, SQLException {
    String policy =
        "{'policy':{'executables':['/bin/true'],'max_timeout_seconds':60,"
            + "'max_limits':{'memory_bytes':100000000}}}";
    ApiClient.assertProblem(
        WithKey.of(server, "operator", "default").call("PATCH", "/v1/queues/strict", json(policy)),
        403);
    String other = id(server.post("/v1/jobs", json("{'command':['/bin/false'],'queue':'strict'}")));
    server.awaitEnd(other);
    JsonNode queue = ApiClient.json(server.call("PATCH", "/v1/queues/strict", json(policy)));
    assertThat(queue.get("policy").get("executables").get(0).asText()).isEqualTo("/bin/true");

    String job =
        "{'command':['/bin/true'],'queue':'strict','timeout_seconds':9,'limits':{'memory_bytes':90000000}}";
    assertThat(server.post("/v1/jobs", json(job)).statusCode()).isEqualTo(202);
    assertRefused(server.post("/v1/jobs", json(job.replace("bin/true", "bin/id"))), "command[0]");
    assertRefused(server.post("/v1/jobs", json(job.replace(":9,", ":61,"))), "timeout_seconds");
    assertRefused(
        server.post("/v1/jobs", json(job.replace("90000000", "900000000"))), "limits.memory_bytes");
    ApiClient.assertProblem(server.post("/v1/jobs/" + other + "/retry", ""), 403);
    String waiting =
        id(
            server.post(
                "/v1/jobs", json("{'command':['/bin/id'],'run_at':'2099-01-01T00:00:00Z'}")));
    HttpResponse<String> moved =
        server.call("PATCH", "/v1/jobs/" + waiting, json("{'queue':'strict'}"));
    ApiClient.assertProblem(moved, 403);
    assertThat(moved.body()).contains("does not allow this program");
    assertThat(server.job(waiting).get("queue").asText()).isEqualTo("default");
    assertThatThrownBy(
            () ->
                BuiltInDatabase.sql(
                    server, "SELECT errand.submit(ARRAY['/bin/id'], queue => 'strict')"))
        .isInstanceOf(SQLException.class)
        .hasMessageContaining("command: the policy of the queue does not allow this program");
    assertThat(
            BuiltInDatabase.sql(
                server,
                "SELECT errand.submit(ARRAY['/bin/true'], queue => 'strict', timeout_seconds => 9,"
                    + " limits => '{\"memory_bytes\": 90000000}')"))
        .isNotEmpty();
    server.call("PATCH", "/v1/queues/strict", json("{'policy':null}"));
    assertThat(server.call("PATCH", "/v1/jobs/" + waiting, json("{'queue':'strict'}")).statusCode())
        .isEqualTo(200);
  }

  @Test
  void filesComeFirstAndAreReadAgain() throws IOException {
    String body = json("{'run':'filed'}");
    JsonNode job = server.awaitEnd(id(server.post("/v1/jobs", body)));
    assertThat(job.get("stdout").asText()).startsWith("of a file ");
    assertThat(job.get("run_version").asInt()).isZero();
    JsonNode filed = ApiClient.json(server.get("/v1/commands/filed"));
    assertThat(filed.get("read_only").asBoolean()).isTrue();
    ApiClient.assertProblem(put(server, "filed", "{'command':['/bin/true']}"), 409);
    ApiClient.assertProblem(server.call("DELETE", "/v1/commands/filed", ""), 409);

    write("filed.yaml", "command: [sh, '-c', '{x}']\n");
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              server.get("/v1/commands");
              return server.log().contains("command[0] must be an absolute path");
            });
    assertThat(server.post("/v1/jobs", body).statusCode()).isEqualTo(202);
    write("exponent.json", json("{'command':['/bin/true'],'description':1e9999999999}"));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              assertThat(server.get("/v1/commands").statusCode()).isEqualTo(200);
              return server.log().contains("a number whose exponent is too large");
            });
    Files.delete(folder.resolve("exponent.json"));
    write("filed.yaml", FILE.replace("default: 1", "default: 77"));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                ApiClient.json(server.post("/v1/jobs", body))
                    .get("command")
                    .toString()
                    .contains("77"));
  }

  @Test
  void theClientRunsNamedCommands() throws IOException {
    Path file = Files.writeString(folder.resolve("definition"), json(SAY.formatted("")));
    assertThat(cli("commands", "put", "typed", file.toString()).stdout()).contains("\"typed\"");
    assertThat(cli("commands", "get", "typed").stdout()).contains("{word}");
    assertThat(cli("commands").stdout()).contains("typed").contains("filed");
    assertThat(cli("commands", "versions", "typed").stdout()).contains("admin");
    Cli run = cli("run", "--named", "typed", "--parameter", "word=hello there");
    assertThat(run.withoutWait().stderr()).isEmpty();
    assertThat(run.stdout()).isEqualTo("hello there\n");
    Cli wrong = cli("submit", "--named", "typed", "--parameter", "n=1");
    assertThat(wrong.exitCode()).isNotZero();
    assertThat(wrong.stderr()).contains("--parameter word is required");
    assertThat(cli("run", "--named", "typed", "--", "true").exitCode()).isEqualTo(2);
    assertThat(cli("commands", "delete", "typed").exitCode()).isZero();
  }

  private static Cli cli(String verb, String... arguments) {
    return Cli.answer(server.home(), Map.of(), verb, arguments);
  }
}
