package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The audit, from outside. */
class AuditIT {
  private static final String SECRET = "canary-in-stdin-and-env";

  private static TestServer server;
  private static Path file;

  @BeforeAll
  static void start() {
    Path home = TestServer.newHome();
    file = home.resolve("audit.jsonl");
    server = TestServer.on(home, Map.of("ERRAND_AUDIT_FILE", file.toString()));
    server.call("PUT", "/v1/projects/other", "{}");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static List<JsonNode> rows(ApiClient caller, String query) {
    HttpResponse<String> answer = caller.get("/v1/audit?page_size=500" + query);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return StreamSupport.stream(TestServer.json(answer).get("audit").spliterator(), false).toList();
  }

  private static JsonNode await(String query, Predicate<JsonNode> wanted) {
    return Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> rows(server, query).stream().filter(wanted).findFirst(), Optional::isPresent)
        .orElseThrow();
  }

  private static String action(String action) {
    return "&action=" + URLEncoder.encode(action, StandardCharsets.UTF_8);
  }

  @Test
  void aChangeSaysWhoDidWhatFromWhereAndHowItEnded() {
    WithKey admin = WithKey.of(server, "admin", "other");
    JsonNode me = TestServer.json(admin.get("/v1/me"));
    JsonNode key =
        TestServer.json(
            admin.post(
                "/v1/keys", "{\"name\":\"x\",\"role\":\"viewer\"}", "X-Request-Id", "audit-1"));
    String id = key.get("id").asText();
    JsonNode row = await(action("POST /v1/keys"), found -> found.get("thing").asText().equals(id));
    assertThat(row.get("kind").asText()).isEqualTo("change");
    assertThat(row.get("principal")).isEqualTo(me.get("principal"));
    assertThat(row.get("key_id")).isEqualTo(me.get("key_id"));
    assertThat(row.get("role").asText()).isEqualTo("admin");
    assertThat(row.get("project").asText()).isEqualTo("other");
    assertThat(row.get("address").asText()).isEqualTo("127.0.0.1");
    assertThat(row.get("request_id").asText()).isEqualTo("audit-1");
    assertThat(row.get("status").asInt()).isEqualTo(201);
    admin.call("DELETE", "/v1/keys/" + id, "");
    await(action("DELETE /v1/keys/{id}"), found -> found.get("thing").asText().equals(id));
    assertThat(rows(admin, ""))
        .isNotEmpty()
        .allMatch(seen -> seen.get("project").asText().equals("other"));
    assertThat(server.get("/v1/audit").body()).doesNotContain(key.get("key").asText());
  }

  @Test
  void aBulkChangeSaysItsFilter() {
    String body = "{\"filter\":{\"queue\":\"of-the-audit\"},\"expected_count\":0}";
    HttpResponse<String> answer = server.post("/v1/jobs/cancel", body);
    String operation = TestServer.json(answer).get("id").asText();
    JsonNode row =
        await(action("POST /v1/jobs/cancel"), one -> one.get("thing").asText().equals(operation));
    assertThat(row.get("filter").asText()).isEqualTo("{\"queue\":\"of-the-audit\"}");
    assertThat(row.get("count").asInt()).isZero();
  }

  @Test
  void submitsAreInTheHistoryOfTheirJobsAndNothingSecretIsInTheAudit() throws Exception {
    String id = server.submit("true", Map.of("stdin", SECRET, "run_at", "2099-01-01T00:00:00Z"));
    server.post(
        "/v1/schedules",
        "{\"name\":\"audited\",\"cron\":\"@yearly\",\"job\":{\"command\":[\"true\"],\"env\":{\"A\":\"%s\"}}}"
            .formatted(SECRET));
    server.post("/v1/jobs/" + id + "/cancel", "");
    await(action("POST /v1/jobs/{id}/cancel"), row -> row.get("thing").asText().equals(id));
    await(action("POST /v1/schedules"), row -> row.get("thing").asText().equals("audited"));
    assertThat(rows(server, action("POST /v1/jobs"))).isEmpty();
    assertThat(server.get("/v1/audit?page_size=500").body()).doesNotContain(SECRET);
    assertThat(Files.readString(file)).doesNotContain(SECRET).doesNotContain(server.token());
  }

  @Test
  void refusedTriesAreCountedByAddressAndMinute() {
    WithKey nobody = new WithKey(server, "not-a-key-of-this-server");
    for (int i = 0; i < 5; i++) {
      TestServer.assertProblem(nobody.get("/v1/jobs"), 401);
    }
    JsonNode row = await("", found -> found.get("status").asInt() == 401);
    assertThat(row.get("kind").asText()).isEqualTo("refused");
    assertThat(row.get("principal").isNull()).isTrue();
    assertThat(row.get("address").asText()).isEqualTo("127.0.0.1");
    assertThat(rows(server, "").stream().filter(one -> one.get("status").asInt() == 401).count())
        .isLessThanOrEqualTo(2);
    WithKey viewer = WithKey.of(server, "viewer", "other");
    TestServer.assertProblem(viewer.call("PATCH", "/v1/queues/theirs", "{}"), 403);
    JsonNode forbidden =
        await(action("PATCH /v1/queues/{name}"), found -> found.get("status").asInt() == 403);
    assertThat(forbidden.get("thing").asText()).isEqualTo("theirs");
    assertThat(forbidden.get("role").asText()).isEqualTo("viewer");
    TestServer.assertProblem(viewer.get("/v1/audit"), 403);
  }

  @Test
  void theFileHasALineForEachRowAndNoNameMakesTwo() throws Exception {
    JsonNode key = TestServer.json(server.post("/v1/keys", "{\"name\":\"a\",\"role\":\"viewer\"}"));
    // Earlier versions let a name hold such characters.
    BuiltInDatabase.sql(
        server,
        "UPDATE errand.api_keys SET name = E'viewer\\n{\"seq\":1}\\u2028\\u202e' WHERE id = '"
            + key.get("id").asText()
            + "' RETURNING name");
    new WithKey(server, key.get("key").asText()).call("DELETE", "/v1/jobs/x", "");
    JsonNode forbidden =
        await("", found -> found.get("name").asText().startsWith("viewer\\u000a{"));
    String seq = "{\"seq\":" + forbidden.get("seq").asLong() + ",";
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> Files.readString(file).contains(seq));
    List<String> lines = Files.readString(file).lines().toList();
    for (String line : lines) {
      assertThat(TestServer.JSON.readTree(line).get("hash").asText()).hasSize(64);
    }
    assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
  }

  @Test
  void theCommandListsAndVerifies() throws Exception {
    server.call("PATCH", "/v1/queues/verified", "{\"paused\":true}");
    JsonNode row =
        await(
            action("PATCH /v1/queues/{name}"), one -> one.get("thing").asText().equals("verified"));
    Cli list = server.cli("audit", "--action", "PATCH /v1/queues/{name}", "--principal", "admin");
    assertThat(list.stdout()).contains("verified").contains("127.0.0.1");
    Cli whole = server.cli("audit", "verify");
    assertThat(whole.stdout()).contains("the chain is whole");
    assertThat(whole.exitCode()).isZero();
    String seq = row.get("seq").asText();
    setThing(seq, "other");
    Cli broken = server.cli("audit", "verify");
    setThing(seq, "verified");
    assertThat(broken.stdout()).contains("row " + seq + " was changed").contains("faults: 1");
    assertThat(broken.exitCode()).isEqualTo(1);
  }

  /** As whoever owns the database can. */
  private static void setThing(String seq, String thing) throws Exception {
    Map<String, String> database = BuiltInDatabase.settingsOf(server);
    try (Connection connection =
            DriverManager.getConnection(
                database.get("ERRAND_DATABASE_URL"),
                database.get("ERRAND_DATABASE_USER"),
                database.get("ERRAND_DATABASE_PASSWORD"));
        Statement statement = connection.createStatement()) {
      statement.execute("SET session_replication_role = replica");
      statement.executeUpdate("UPDATE errand.audit SET thing = '" + thing + "' WHERE seq = " + seq);
    }
  }

  @Test
  void pagesGoOnAndWrongQueriesAreRefused() {
    for (int i = 0; i < 3; i++) {
      server.call("PATCH", "/v1/queues/paged-" + i, "{\"paused\":false}");
    }
    String filter = action("PATCH /v1/queues/{name}");
    await(filter, row -> row.get("thing").asText().equals("paged-2"));
    JsonNode first = TestServer.json(server.get("/v1/audit?page_size=1" + filter));
    String token = first.get("next_page_token").asText();
    JsonNode second =
        TestServer.json(server.get("/v1/audit?page_size=1" + filter + "&page_token=" + token));
    assertThat(second.get("audit").get(0).get("seq").asLong())
        .isLessThan(first.get("audit").get(0).get("seq").asLong());
    TestServer.assertProblem(server.get("/v1/audit?page_token=" + token), 400);
    TestServer.assertProblem(server.get("/v1/audit?since=yesterday"), 400);
    TestServer.assertProblem(server.get("/v1/audit?principal=%00"), 400);
    TestServer.assertProblem(server.get("/v1/audit?who=x"), 400);
  }
}
