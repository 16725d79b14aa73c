package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Owner, API and worker as three logins of one database: what each can do, and what it cannot. */
@Timeout(600)
class SeparateRolesIT {
  private static final String TOKEN = "a-token-for-this-test";
  private static final String API = "serves_api";
  private static final String WORKER = "runs_commands";

  private static Path home;
  private static EmbeddedPostgres postgres;
  private static TestServer api;
  private static TestServer worker;

  @BeforeAll
  static void start() throws IOException, InterruptedException, SQLException {
    home = Files.createTempDirectory("errand-roles");
    TestServer.letOthersPass(home);
    postgres = EmbeddedPostgres.start(home, 100);
    for (String login : List.of("owns_errand", API, WORKER)) {
      superuser("CREATE ROLE " + login + " LOGIN PASSWORD 'a password'");
    }
    superuser("CREATE DATABASE apart OWNER owns_errand TEMPLATE template0");
    // The owner may not make roles, as in many a managed database.
    Cli migrated = Cli.answer(home.resolve("none"), as("owns_errand"), "migrate");
    assertThat(migrated.exitCode()).as(migrated.stderr()).isZero();
    assertThat(migrated.stdout()).contains("the schema is at version");
    assertThat(value("postgres", "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'errand\\__%'"))
        .isEqualTo("0");
    execute("apart", Files.readString(TestServer.CHECKOUT.resolve("db/roles.sql")));
    superuser("GRANT errand_api TO " + API);
    superuser("GRANT errand_worker TO " + WORKER);
    api = TestServer.start(process(API, "api"));
    worker = TestServer.start(process(WORKER, "worker"));
  }

  @AfterAll
  static void stop() throws IOException {
    for (TestServer server : new TestServer[] {worker, api}) {
      if (server != null) {
        server.close();
      }
    }
    postgres.close();
    TestServer.delete(home);
  }

  private static Map<String, String> as(String login) {
    Map<String, String> settings = new HashMap<>();
    settings.put("ERRAND_DATABASE_URL", postgres.jdbcUrl().replaceFirst("/postgres", "/apart"));
    settings.put("ERRAND_DATABASE_USER", login);
    settings.put("ERRAND_DATABASE_PASSWORD", "a password");
    return settings;
  }

  private static Map<String, String> process(String login, String role) {
    Map<String, String> settings = as(login);
    settings.put("ERRAND_ROLES", role);
    settings.put("ERRAND_MIGRATE", "false");
    settings.put("ERRAND_TOKEN", TOKEN);
    settings.put("ERRAND_LEASE_SECONDS", "5");
    settings.put("ERRAND_DRAIN_SECONDS", "1");
    settings.put("ERRAND_RETENTION_INTERVAL", "1s");
    settings.put("ERRAND_RETENTION_DAYS_CANCELLED", "0.00001");
    settings.put("ERRAND_WEBHOOK_ALLOW_NETWORKS", "127.0.0.1/32");
    return settings;
  }

  private static void superuser(String sql) throws SQLException {
    execute("postgres", sql);
  }

  private static void execute(String database, String sql) throws SQLException {
    try (Connection connection = connect(database);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static Connection connect(String database) throws SQLException {
    return DriverManager.getConnection(
        postgres.jdbcUrl().replaceFirst("/postgres", "/" + database),
        EmbeddedPostgres.ROLE,
        postgres.password());
  }

  private static String value(String database, String sql) throws SQLException {
    try (Connection connection = connect(database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return String.valueOf(row.getString(1));
    }
  }

  /**
   * Each kind of thing is done once; the log of PostgreSQL would tell of a right that is missing.
   */
  @Test
  void theWholeProductWorksWithItsTwoLogins() throws Exception {
    try (WebhookReceiver receiver = WebhookReceiver.http()) {
      long refusedBefore = refusals();
      String hook = "http://127.0.0.1:" + receiver.port() + "/finished";
      String retried =
          api.submit(
              "[ $ERRAND_ATTEMPT = 2 ]",
              Map.of("backoff", Map.of("base_seconds", 0.1), "on_finish", Map.of("url", hook)));
      assertThat(api.awaitEnd(retried).get("attempt").asInt()).isEqualTo(2);
      await().atMost(Duration.ofSeconds(60)).until(() -> receiver.at("/finished").size() == 1);
      for (TestServer server : List.of(api, worker)) { // each reads all that its meters show
        await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> server.meter("errand_database_up") == 1.0);
      }

      String running = api.submit("echo begins; sleep 600", Map.of());
      api.awaitState(running, "running");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> api.get("/v1/jobs/" + running + "/process").statusCode() == 200);
      assertThat(api.post("/v1/jobs/" + running + "/cancel", "").statusCode()).isEqualTo(202);
      await() // until it is cancelled, and then removed by retention
          .atMost(Duration.ofSeconds(60))
          .until(() -> api.get("/v1/jobs/" + running).statusCode() == 404);

      HttpResponseOf again = new HttpResponseOf(api.post("/v1/jobs/" + retried + "/retry", ""));
      assertThat(again.status()).isEqualTo(202);
      String later = api.submit("exit 0", Map.of("after", List.of(again.id()), "queue", "limited"));
      assertThat(
              api.call(
                      "PATCH",
                      "/v1/queues/limited",
                      "{\"max_running\": 1, \"rate_per_second\": 50,"
                          + " \"circuit\": {\"failure_ratio\": 0.5, \"minimum_attempts\": 2}}")
                  .statusCode())
          .isEqualTo(200);
      assertThat(api.awaitEnd(later).get("state").asText()).isEqualTo("succeeded");
      api.awaitEnd(api.submit("exit 1", Map.of("queue", "limited", "max_attempts", 1)));
      api.submit("exit 1", Map.of("queue", "limited", "max_attempts", 1));
      await()
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  TestServer.json(api.get("/v1/queues/limited"))
                      .at("/circuit/state")
                      .asText()
                      .equals("open"));

      String waiting = api.submit("true", Map.of("queue", "limited", "concurrency_key", "k"));
      HttpResponseOf bulk =
          new HttpResponseOf(api.post("/v1/jobs/cancel", "{\"filter\": {\"queue\": \"limited\"}}"));
      assertThat(bulk.status()).as(bulk.body()).isEqualTo(202);
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> api.get("/v1/jobs/" + waiting).statusCode() == 404); // and removed

      assertThat(
              api.post(
                      "/v1/schedules",
                      "{\"name\": \"often\", \"cron\": \"@every 1s\","
                          + " \"job\": {\"command\": [\"true\"]}}")
                  .statusCode())
          .isEqualTo(201);
      await()
          .atMost(Duration.ofSeconds(60))
          .until(
              () -> {
                JsonNode ticks = TestServer.json(api.get("/v1/schedules/often/ticks"));
                return ticks.findValues("job_id").stream().anyMatch(id -> !id.isNull());
              });
      assertThat(api.call("DELETE", "/v1/schedules/often", "").statusCode()).isEqualTo(204);

      assertThat(api.call("PUT", "/v1/projects/media", "{}").statusCode()).isLessThan(300);
      HttpResponseOf key =
          new HttpResponseOf(
              api.post(
                  "/v1/keys", "{\"name\": \"k\", \"role\": \"operator\", \"project\": \"media\"}"));
      assertThat(key.status()).as(key.body()).isEqualTo(201);
      WithKey media = new WithKey(api, TestServer.JSON.readTree(key.body()).get("key").asText());
      String theirs = media.submit("echo theirs", Map.of());
      assertThat(media.awaitEnd(theirs).get("stdout").asText()).isEqualTo("theirs\n");
      assertThat(api.get("/v1/jobs/" + theirs).statusCode()).isEqualTo(404);
      assertThat(api.call("DELETE", "/v1/keys/" + key.id(), "").statusCode()).isEqualTo(204);
      assertThat(
              api.call(
                      "PUT",
                      "/v1/commands/hello",
                      "{\"command\": [\"/bin/echo\", \"hello\"], \"parameters\": {}}")
                  .statusCode())
          .isLessThan(300);
      HttpResponseOf named = new HttpResponseOf(api.post("/v1/jobs", "{\"run\": \"hello\"}"));
      assertThat(named.status()).as(named.body()).isEqualTo(202);
      assertThat(api.awaitEnd(named.id()).get("stdout").asText()).isEqualTo("hello\n");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> api.get("/v1/audit").body().contains("DELETE /v1/keys/{id}"));

      Cli whole = Cli.answer(home.resolve("none"), as("owns_errand"), "audit", "verify");
      assertThat(whole.stdout()).contains("the chain is whole");
      assertThat(Cli.answer(home.resolve("none"), as("owns_errand"), "verify-history").stdout())
          .contains("every rule holds");
      assertThat(refusals())
          .as(Files.readString(home.resolve("postgres.log")))
          .isEqualTo(refusedBefore);
      assertThat(api.log() + worker.log()).doesNotContain("permission denied", "ERROR");
    }
  }

  /** An answer, for short. */
  private record HttpResponseOf(int status, String body) {
    HttpResponseOf(java.net.http.HttpResponse<String> answer) {
      this(answer.statusCode(), answer.body());
    }

    String id() throws IOException {
      return TestServer.JSON.readTree(body).get("id").asText();
    }
  }

  private static long refusals() throws IOException {
    return Files.readString(home.resolve("postgres.log"))
        .lines()
        .filter(line -> line.contains("permission denied"))
        .count();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "UPDATE errand.jobs SET claim_token = gen_random_uuid()",
        "UPDATE errand.jobs SET worker_id = gen_random_uuid()",
        "UPDATE errand.jobs SET attempt = attempt + 1",
        "UPDATE errand.jobs SET command = '{sh}'",
        "UPDATE errand.jobs SET project = 'default'",
        "INSERT INTO errand.jobs (id, claim_token) SELECT gen_random_uuid(), gen_random_uuid()",
        "INSERT INTO errand.attempts (job_id, attempt, outcome, worker)"
            + " VALUES (gen_random_uuid(), 1, 'success', 'me')",
        "UPDATE errand.attempts SET outcome = 'success'",
        "UPDATE errand.job_events SET actor = 'nobody'",
        "UPDATE errand.workers SET heartbeat_at = now()",
        "INSERT INTO errand.audit SELECT * FROM errand.audit",
        "UPDATE errand.audit SET principal = 'nobody'",
        "DELETE FROM errand.audit",
        "UPDATE errand.audit_head SET sealed_seq = seq",
        "SELECT errand.audit_forget('0', 1000)",
        "UPDATE errand.audit_begun SET entry = '{}'",
        "DELETE FROM errand.audit_begun",
        "SELECT errand.grant_to_roles()",
        "SELECT errand.submit(ARRAY['true'])",
        "ALTER TABLE errand.audit DISABLE TRIGGER ALL",
        "DROP TRIGGER rows_stay ON errand.audit",
        "CREATE TABLE errand.mine (one integer)",
        "CREATE OR REPLACE FUNCTION errand.project_of(queue text) RETURNS text LANGUAGE sql RETURN 'x'",
        "TRUNCATE errand.jobs",
        "DELETE FROM errand.flyway_schema_history"
      })
  void theApiMayNot(String sql) {
    assertRefused(API, sql);
  }

  @Test
  void aKeyThatIsCalledLikeACallerOfSqlMaySubmit() throws SQLException {
    WithKey key = WithKey.of(api, "submitter", "default");
    execute("apart", "UPDATE errand.api_keys SET principal = 'sql:#' || id WHERE name LIKE 'sub%'");
    assertThat(ApiClient.json(key.get("/v1/me")).get("principal").asText()).startsWith("sql:#");
    assertThat(key.submit("true", Map.of())).isNotEmpty();
  }

  @Test
  void aWorkerCannotRemoveWhatItHasJustDone() throws SQLException {
    String rows = "SELECT count(*) > 0 FROM errand.audit";
    await().atMost(Duration.ofSeconds(60)).until(() -> value("apart", rows).equals("t"));
    try (Connection connection = login(WORKER)) {
      connection.createStatement().execute("SELECT errand.audit_forget('-1 year', 10000)");
    }
    assertThat(value("apart", rows)).isEqualTo("t");
  }

  /** A job that runs has a token, which a CHECK sees to; and the API cannot write one. */
  @Test
  void theApiCanMakeNoJobRunning() throws Exception {
    String waiting =
        api.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z", "queue", "not-limited"));
    try (Connection connection = login(API);
        Statement statement = connection.createStatement()) {
      assertThatThrownBy(
              () ->
                  statement.execute(
                      "UPDATE errand.jobs SET state = 'running' WHERE id = '" + waiting + "'"))
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("jobs_break_no_rule");
    }
    assertThat(api.job(waiting).get("state").asText()).isEqualTo("queued");
    api.post("/v1/jobs/" + waiting + "/cancel", "");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT secret_hash FROM errand.api_keys",
        "SELECT count(*) FROM errand.api_keys",
        "INSERT INTO errand.api_keys (id) VALUES ('aaaaaaaaaaaa')",
        "UPDATE errand.api_keys SET role = 'admin'",
        "INSERT INTO errand.projects (name) VALUES ('mine')",
        "UPDATE errand.projects SET free_commands = true",
        "INSERT INTO errand.commands (project, name, version) VALUES ('default', 'mine', 1)",
        "UPDATE errand.command_versions SET definition = '{}'",
        "UPDATE errand.queues SET policy = NULL",
        "UPDATE errand.queues SET paused = false",
        "INSERT INTO errand.schedules (name) VALUES ('mine')",
        "UPDATE errand.schedules SET job = '{}'",
        "UPDATE errand.jobs SET command = '{sh}'",
        "UPDATE errand.jobs SET principal = 'admin'",
        "UPDATE errand.attempts SET outcome = 'success'",
        "UPDATE errand.job_events SET actor = 'nobody'",
        "SELECT errand.audit_append('[]')",
        "SELECT count(*) FROM errand.audit",
        "DELETE FROM errand.audit",
        "SELECT count(*) FROM errand.audit_begun",
        "SELECT errand.submit(ARRAY['true'])",
        "CREATE TABLE errand.mine (one integer)",
        "TRUNCATE errand.jobs",
        "ALTER TABLE errand.jobs DROP CONSTRAINT jobs_break_no_rule"
      })
  void theWorkerMayNot(String sql) {
    assertRefused(WORKER, sql);
  }

  private static Connection login(String login) throws SQLException {
    return DriverManager.getConnection(
        postgres.jdbcUrl().replaceFirst("/postgres", "/apart"), login, "a password");
  }

  /** 42501 is insufficient_privilege. */
  private static void assertRefused(String login, String sql) {
    assertThatThrownBy(
            () -> {
              try (Connection connection = login(login);
                  Statement statement = connection.createStatement()) {
                statement.execute(sql);
              }
            })
        .isInstanceOfSatisfying(
            SQLException.class, fault -> assertThat(fault.getSQLState()).isEqualTo("42501"));
  }

  @Test
  void aProcessWhoseLoginMayNotDoItsWorkIsRefused() {
    assertThat(TestServer.refusal(process(API, "api,worker")))
        .contains("The login serves_api of the database may not claim jobs: make it a member of");
    assertThat(TestServer.refusal(process(WORKER, "api,worker")))
        .contains("The login runs_commands of the database may not serve the API");
  }

  @Test
  void theDoctorTellsWhatALoginNeedNotBeAbleToDo() {
    Map<String, String> owner = process("owns_errand", "api");
    assertThat(Cli.answer(home.resolve("none"), owner, "doctor").stdout())
        .contains("owns_errand may claim jobs and change the schema, which a process with these");
    Map<String, String> apart = process(WORKER, "worker");
    assertThat(Cli.answer(home.resolve("none"), apart, "doctor").stdout())
        .contains("ok       rights of the login\n");
  }

  @Test
  void aServerThatDoesNotMigrateIsRefusedUntilSomebodyHas() throws SQLException {
    superuser("CREATE DATABASE empty OWNER owns_errand TEMPLATE template0");
    Map<String, String> settings = process("owns_errand", "api,worker");
    settings.put("ERRAND_DATABASE_URL", postgres.jdbcUrl().replaceFirst("/postgres", "/empty"));
    assertThat(TestServer.refusal(settings))
        .contains("The schema of the database lacks")
        .contains("run `errand migrate` as the owner of the schema first");
    assertThat(Cli.answer(home.resolve("none"), settings, "migrate").exitCode()).isZero();
    Cli again = Cli.answer(home.resolve("none"), settings, "migrate");
    assertThat(again.stdout()).startsWith("0 migrations were applied");
    settings.put("ERRAND_DATABASE_URL", "jdbc:postgresql://127.0.0.1:1/none");
    assertThat(Cli.answer(home.resolve("none"), settings, "migrate").exitCode()).isEqualTo(69);
  }
}
