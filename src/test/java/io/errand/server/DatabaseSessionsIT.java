package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A database that somebody else has set up, with defaults of their own. */
class DatabaseSessionsIT {
  private static Path home;
  private static EmbeddedPostgres postgres;

  @BeforeAll
  static void start() throws IOException, InterruptedException, SQLException {
    home = java.nio.file.Files.createTempDirectory("errand-sessions");
    TestServer.letOthersPass(home);
    postgres = EmbeddedPostgres.start(home, 100);
    sql("ALTER SYSTEM SET max_notify_queue_pages = 64"); // so that it can be filled
    postgres.close();
    postgres = EmbeddedPostgres.start(home, 100);
  }

  @AfterAll
  static void stop() throws IOException {
    postgres.close();
    TestServer.delete(home);
  }

  private static String sql(String text) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection(
                postgres.jdbcUrl(), EmbeddedPostgres.ROLE, postgres.password());
        Statement statement = connection.createStatement()) {
      if (!statement.execute(text)) {
        return "";
      }
      try (ResultSet rows = statement.getResultSet()) {
        return rows.next() ? rows.getString(1) : "";
      }
    }
  }

  /** The settings of a server as a role of its own on a database of its own. */
  private static Map<String, String> database(String name, String options) throws SQLException {
    sql("CREATE ROLE " + name + " LOGIN PASSWORD 'p$$w${x}d'");
    sql("CREATE DATABASE " + name + " OWNER " + name + " TEMPLATE template0 " + options);
    Map<String, String> settings = new HashMap<>();
    settings.put("ERRAND_DATABASE_URL", postgres.jdbcUrl().replaceFirst("[^/]*$", name));
    settings.put("ERRAND_DATABASE_USER", name);
    settings.put("ERRAND_DATABASE_PASSWORD", "p$$w${x}d");
    settings.put("ERRAND_LEASE_SECONDS", "3");
    return settings;
  }

  /** The fault reaches the answer through the wrappers of three libraries. */
  @Test
  void aReplayWhoseSessionIsTerminatedIsAnsweredWith503() throws Exception {
    Map<String, String> settings = database("terminated", "");
    String job = "{\"command\": [\"true\"]}";
    try (TestServer server = TestServer.start(settings);
        Connection locking = connect(settings);
        Statement lock = locking.createStatement()) {
      HttpResponse<String> first = server.post("/v1/jobs", job, "Idempotency-Key", "k");
      server.awaitEnd(TestServer.json(first).get("id").asText());
      locking.setAutoCommit(false);
      lock.execute("LOCK TABLE errand.attempts IN ACCESS EXCLUSIVE MODE");
      CompletableFuture<HttpResponse<String>> replay =
          server
              .http()
              .sendAsync(
                  server
                      .request("/v1/jobs")
                      .header("Content-Type", "application/json")
                      .header("Idempotency-Key", "k")
                      .POST(BodyPublishers.ofString(job))
                      .build(),
                  BodyHandlers.ofString());
      await("the replay's session is terminated")
          .until(
              () ->
                  !sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                          + " WHERE datname = 'terminated' AND wait_event_type = 'Lock'")
                      .isEmpty());
      assertThat(replay.get().statusCode()).as(replay.get().body()).isEqualTo(503);
      locking.rollback();
      assertThat(server.post("/v1/jobs", job, "Idempotency-Key", "k").statusCode()).isEqualTo(200);
    }
  }

  private static Connection connect(Map<String, String> settings) throws SQLException {
    return DriverManager.getConnection(
        settings.get("ERRAND_DATABASE_URL"), EmbeddedPostgres.ROLE, postgres.password());
  }

  /** Lists may take the database long; however many there are, submits and claims go on. */
  @Test
  void theDatabaseWorksOnFewListsAtOnceAndTheOthersAreRefused() throws Exception {
    Map<String, String> settings = database("many_lists", "");
    try (TestServer server = TestServer.start(settings);
        Connection locking = connect(settings);
        Statement lock = locking.createStatement()) {
      locking.setAutoCommit(false);
      lock.execute("LOCK TABLE errand.jobs IN ACCESS EXCLUSIVE MODE");
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        answers.add(
            server
                .http()
                .sendAsync(
                    server.request("/v1/jobs?page_size=500").build(), BodyHandlers.ofString()));
      }
      await("all but two are refused; the server's own first list may be one of the two")
          .until(() -> answers.stream().filter(CompletableFuture::isDone).count() >= 58);
      assertThat(
              Integer.parseInt(
                  sql(
                      "SELECT count(*) FROM pg_stat_activity WHERE datname = 'many_lists'"
                          + " AND wait_event_type = 'Lock' AND query LIKE '%octet_length%'"
                          + " AND application_name = 'errand'")))
          .isLessThanOrEqualTo(2);
      locking.rollback();
      int refused = 0;
      for (CompletableFuture<HttpResponse<String>> answer : answers) {
        HttpResponse<String> got = answer.get();
        if (got.statusCode() == 503) {
          assertThat(got.headers().firstValue("Retry-After")).isPresent();
          refused++;
        } else {
          assertThat(got.statusCode()).isEqualTo(200);
        }
      }
      assertThat(refused).isGreaterThanOrEqualTo(58);
    }
  }

  @Test
  void aDatabaseThatTakesNoWritesIsNotReadyAndComesBackByItself() throws SQLException {
    Map<String, String> settings = database("read_only", "");
    try (TestServer server = TestServer.start(settings)) {
      sql("ALTER ROLE read_only SET default_transaction_read_only = on");
      sql(
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'read_only'");
      await()
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(
              () -> {
                HttpResponse<String> ready = server.get("/q/health/ready");
                assertThat(ready.statusCode()).isEqualTo(503);
                assertThat(ready.body()).contains("takes no writes");
              });
      String job = "{\"command\": [\"true\"]}";
      assertThat(server.post("/v1/jobs", job).statusCode()).isEqualTo(503);
      sql("ALTER ROLE read_only RESET default_transaction_read_only");
      await()
          .atMost(Duration.ofMinutes(1))
          .until(() -> server.get("/q/health/ready").statusCode() == 200);
      await()
          .atMost(Duration.ofMinutes(1))
          .until(() -> server.post("/v1/jobs", job).statusCode() == 202);
      sql("ALTER SYSTEM SET default_transaction_read_only = on");
      sql("SELECT pg_reload_conf()"); // it reaches sessions that are open
      await()
          .atMost(Duration.ofMinutes(1))
          .until(() -> server.get("/q/health/ready").statusCode() == 503);
      sql("ALTER SYSTEM RESET default_transaction_read_only");
      sql("SELECT pg_reload_conf()");
      await()
          .atMost(Duration.ofMinutes(1))
          .until(() -> server.post("/v1/jobs", job).statusCode() == 202);
    } finally {
      sql("ALTER SYSTEM RESET default_transaction_read_only");
      sql("SELECT pg_reload_conf()");
    }
  }

  /** Every setting of PostgreSQL that changes what a statement means or gives. */
  private static final Map<String, String> UNUSUAL =
      Map.ofEntries(
          Map.entry("array_nulls", "off"),
          Map.entry("transform_null_equals", "on"),
          Map.entry("standard_conforming_strings", "off"),
          Map.entry("backslash_quote", "off"),
          Map.entry("default_transaction_isolation", "serializable"),
          Map.entry("default_transaction_deferrable", "on"),
          Map.entry("quote_all_identifiers", "on"),
          Map.entry("synchronous_commit", "off"),
          Map.entry("session_replication_role", "replica"),
          Map.entry("xmloption", "document"),
          Map.entry("bytea_output", "escape"),
          Map.entry("IntervalStyle", "sql_standard"),
          Map.entry("DateStyle", "German"),
          Map.entry("TimeZone", "Asia/Kathmandu"),
          Map.entry("timezone_abbreviations", "India"),
          Map.entry("extra_float_digits", "-15"),
          Map.entry("gin_fuzzy_search_limit", "1"),
          Map.entry("row_security", "off"),
          Map.entry("check_function_bodies", "off"),
          Map.entry("plpgsql.extra_errors", "all"),
          Map.entry("client_min_messages", "debug5"),
          Map.entry("search_path", "pg_temp"),
          Map.entry("statement_timeout", "5s"),
          Map.entry("lock_timeout", "1ms"),
          Map.entry("idle_in_transaction_session_timeout", "5s"),
          Map.entry("idle_session_timeout", "5s"));

  @Test
  void noSettingOfRoleOrDatabaseChangesWhatOurStatementsMean() throws SQLException {
    Map<String, String> settings = database("unusual", "");
    sql("ALTER ROLE unusual SUPERUSER"); // so that foreign keys can be switched on again
    for (Map.Entry<String, String> setting : UNUSUAL.entrySet()) {
      String set = " SET " + setting.getKey() + " = '" + setting.getValue() + "'";
      sql("ALTER ROLE unusual" + set);
      sql("ALTER DATABASE unusual" + set);
    }
    Cli before = Cli.answer(home.resolve("none"), settings, "verify-history");
    assertThat(before.exitCode()).isEqualTo(69);
    assertThat(before.stderr()).isEqualTo("errand: this database has no Errand schema yet\n");
    try (TestServer server = TestServer.start(settings)) {
      assertThat(server.log())
          .contains("synchronous_commit = off: a crash loses the jobs and results")
          .doesNotContain("session_replication_role");
      String done = server.submit("printf %s 'a\\b'", Map.of("labels", Map.of("a", "b\\c'd")));
      JsonNode job = server.awaitEnd(done);
      assertThat(job.get("state").asText()).isEqualTo("succeeded");
      assertThat(job.get("stdout").asText()).isEqualTo("a\\b");
      assertThat(job.get("signal").isNull()).isTrue();
      assertThat(job.get("created_at").asText()).endsWith("Z");
      String retried =
          server.submit(
              "kill -9 $$", Map.of("max_attempts", 2, "backoff", Map.of("base_seconds", 0.1)));
      assertThat(server.awaitEnd(retried).get("signal").asText()).isEqualTo("SIGKILL");
      assertThat(server.cli("list", "-l", "a=b\\c'd", "-o", "name").stdout().trim())
          .isEqualTo(done);
      assertThat(server.cli(settings, "verify-history", "--settled").stdout())
          .contains("every rule holds");
      assertThat(server.log()).doesNotContain("does not answer", "refused a statement");
    }
  }

  /** Only a superuser may switch them on again. */
  @Test
  void aDatabaseWithoutForeignKeysIsRefused() throws SQLException {
    Map<String, String> settings = database("replica", "");
    sql("ALTER ROLE replica SET session_replication_role = replica");
    assertThat(TestServer.refusal(settings)).contains("session_replication_role = replica");
  }

  @Test
  void aDatabaseThatCannotHoldAllTextIsRefused() throws SQLException {
    Map<String, String> settings = database("latin", "ENCODING 'LATIN1' LOCALE 'C'");
    assertThat(TestServer.refusal(settings)).contains("LATIN1").contains("ENCODING 'UTF8'");
    settings.put("ERRAND_DATABASE_PASSWORD", "wrong-p4ss");
    assertThat(TestServer.refusal(settings))
        .contains("password authentication failed")
        .doesNotContain("wrong-p4ss", "auth.c", "SQLState");
  }

  /** A session that listens in a transaction that it leaves open keeps all notifications. */
  @Test
  void aFullQueueOfNotificationsStopsNoSubmit() throws SQLException {
    Map<String, String> settings = database("notified", "");
    try (TestServer server = TestServer.start(settings);
        Connection stuck =
            DriverManager.getConnection(
                settings.get("ERRAND_DATABASE_URL"), EmbeddedPostgres.ROLE, postgres.password());
        Connection other =
            DriverManager.getConnection(
                settings.get("ERRAND_DATABASE_URL"), EmbeddedPostgres.ROLE, postgres.password());
        Statement listen = stuck.createStatement();
        Statement fill = other.createStatement()) {
      listen.execute("LISTEN something");
      stuck.setAutoCommit(false);
      listen.execute("SELECT txid_current()");
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 1_000; i++) {
                  fill.execute("SELECT pg_notify('other', repeat('x', 7990) || " + i + ")");
                }
              })
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("NOTIFY queue");
      String id = server.submit("true", Map.of());
      assertThat(server.awaitEnd(id).get("state").asText()).isEqualTo("succeeded");
      stuck.rollback();
    }
  }
}
