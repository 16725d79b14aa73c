package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.submit.ApiRules;
import io.errand.job.Access;
import io.errand.job.ProjectNames;
import io.errand.store.control.Housekeeping;
import io.errand.store.history.HistoryCheck;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** Jobs that an ordinary role submits by SQL, against the same jobs through the API. */
class SqlSubmitTest extends SqlSubmitFixture {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The arguments that ask for a job of the API. */
  private static String arguments(String job) throws IOException {
    StringJoiner arguments = new StringJoiner(", ");
    for (Map.Entry<String, JsonNode> member : JSON.readTree(job).properties()) {
      JsonNode value = member.getValue();
      String name = member.getKey().equals("user") ? "run_as" : member.getKey();
      String text =
          switch (name) {
            case "command" -> array(value) + "::text[]";
            case "success_exit_codes" -> array(value) + "::integer[]";
            case "env", "labels", "backoff", "retry", "limits", "sandbox", "on_finish" ->
                quoted(value.toString());
            default -> value.isNull() ? "NULL" : quoted(value.asText());
          };
      arguments.add(name + " => " + text);
    }
    return arguments.toString();
  }

  private static String quoted(String text) {
    return "'" + text.replace("'", "''") + "'";
  }

  private static String array(JsonNode list) {
    List<String> elements = new ArrayList<>();
    list.forEach(one -> elements.add(one.isNull() ? "NULL" : quoted(one.asText())));
    return "ARRAY[" + String.join(", ", elements) + "]";
  }

  private static String job(String members) {
    return "{\"command\": [\"true\"]" + (members.isEmpty() ? "" : ", ") + members + "}";
  }

  @Test
  void valuesOfTheQueueFillWhatIsNotGiven() throws SQLException {
    database.execute(
        """
        INSERT INTO errand.queues (name, defaults) VALUES ('media', '{"priority": 7, "timeout_seconds": 5,
            "backoff": {"base_seconds": 2}, "success_exit_codes": [0, 3], "limits": {"nice": 3, "open_files": 99},
            "expires_after_seconds": 60}')
        """);
    String asked = "ARRAY['true'], queue => 'media', priority => 1, limits => '{\"nice\": 4}'";
    UUID id = submit(app, asked + ", idempotency_key => 'k'");
    assertThat(
            database.value(
                "SELECT concat_ws(' ', priority, timeout_seconds, max_attempts, backoff->>'base_seconds',"
                    + " success_exit_codes, limits->>'nice', limits->>'open_files',"
                    + " extract(epoch FROM expires_at - run_at)::integer)"
                    + " FROM errand.jobs WHERE id = '"
                    + id
                    + "'"))
        .isEqualTo("1 5 3 2 {0,3} 4 99 60");
    database.execute("UPDATE errand.queues SET defaults = '{\"priority\": 9}'");
    assertThat(submit(app, asked + ", idempotency_key => 'k'")).isEqualTo(id); // the same request
  }

  @Test
  void aQueueThatIsFullTakesNoMore() throws SQLException {
    database.execute("INSERT INTO errand.queues (name, max_depth) VALUES ('narrow', 1)");
    submit(app, "ARRAY['true'], queue => 'narrow'");
    assertThatThrownBy(() -> submit(app, "ARRAY['true'], queue => 'narrow'"))
        .isInstanceOf(SQLException.class)
        .hasMessageContaining("max_depth")
        .extracting(fault -> ((SQLException) fault).getSQLState())
        .isEqualTo("ER429");
    assertThat(count("jobs")).isEqualTo("1");
  }

  @Test
  void everyFieldOfAJobIsAnArgument() throws SQLException {
    Set<String> arguments =
        new TreeSet<>(
            List.of(
                database
                    .value(
                        "SELECT array_to_string(proargnames, ',') FROM pg_proc WHERE oid = 'errand.submit'::regproc")
                    .split(",")));
    Set<String> fields = new TreeSet<>(ApiRules.fields());
    fields.remove("user"); // run_as
    fields.removeAll(Set.of("run", "parameters")); // the database knows no named commands
    fields.addAll(Set.of("run_as", "idempotency_key"));
    assertThat(arguments).isEqualTo(fields);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"queue\": \"\"",
        "\"queue\": \"A\"",
        "\"queue\": \"a b\"",
        "\"queue\": \"a\\n\"",
        "\"queue\": \"-a\"",
        "\"queue\": \"%65\"",
        "\"description\": \"%1001\"",
        "\"priority\": -101",
        "\"priority\": 101",
        "\"run_at\": \"1969-12-31T23:59:59Z\"",
        "\"expires_at\": \"1969-12-31T23:59:59Z\"",
        "\"working_directory\": \"tmp\"",
        "\"working_directory\": \"\"",
        "\"working_directory\": \"/%4095\"",
        "\"timeout_seconds\": 0",
        "\"timeout_seconds\": -1",
        "\"timeout_seconds\": 31536001",
        "\"kill_grace_seconds\": -0.5",
        "\"kill_grace_seconds\": 300.5",
        "\"max_attempts\": 0",
        "\"max_attempts\": 10001",
        "\"on_lost\": \"ignore\"",
        "\"on_lost\": \"\"",
        "\"stdout_limit_bytes\": -1",
        "\"stdout_limit_bytes\": 1048577",
        "\"stderr_limit_bytes\": 1048577",
        "\"concurrency_key\": \"\"",
        "\"concurrency_key\": \"%256\"",
        "\"concurrency_limit\": 2",
        "\"concurrency_key\": \"k\", \"concurrency_limit\": 0",
        "\"concurrency_key\": \"k\", \"concurrency_limit\": 10001",
        "\"success_exit_codes\": []",
        "\"success_exit_codes\": [0, 256]",
        "\"success_exit_codes\": [-1]",
        "\"success_exit_codes\": [null]",
        "\"env\": []",
        "\"env\": {\"A\": 1}",
        "\"env\": {\"A\": null}",
        "\"env\": {\"\": \"x\"}",
        "\"env\": {\"1A\": \"x\"}",
        "\"env\": {\"A-B\": \"x\"}",
        "\"env\": {\"A\\n\": \"x\"}",
        "\"env\": {\"é\": \"x\"}",
        "\"env\": {\"ERRAND_X\": \"x\"}",
        "\"env\": {\"LD_PRELOAD\": \"x\"}",
        "\"env\": {\"TRACEPARENT\": \"x\"}",
        "\"env\": {\"A\": \"secret://\"}",
        "\"env\": {\"A\": \"secret://a b\"}",
        "\"env\": {\"A\": \"secret://a\\n\"}",
        "\"stdin\": \"secret://../a\"",
        "\"stdin\": \"secret://%101\"",
        "\"env\": {\"A\": \"%131072\"}",
        "\"labels\": \"x\"",
        "\"labels\": {\"a\": 5}",
        "\"labels\": {\"\": \"x\"}",
        "\"labels\": {\"a:b\": \"x\"}",
        "\"labels\": {\"a\": \"%256\"}",
        "\"labels\": {\"a\\u001b[31m\": \"x\"}",
        "\"labels\": {\"a\\u2028b\": \"x\"}",
        "\"concurrency_key\": \"a\\u001fb\"",
        "\"concurrency_key\": \"a\\u202eb\"",
        "\"labels\": {\"%256\": \"a\"}",
        "\"backoff\": 5",
        "\"backoff\": {\"base\": 1}",
        "\"backoff\": {\"base_seconds\": -1}",
        "\"backoff\": {\"base_seconds\": \"1\"}",
        "\"backoff\": {\"base_seconds\": 2592001}",
        "\"backoff\": {\"factor\": 0.5}",
        "\"backoff\": {\"factor\": 101}",
        "\"backoff\": {\"base_seconds\": 10.5, \"max_seconds\": 10}",
        "\"backoff\": {\"max_seconds\": 1e10}",
        "\"backoff\": {\"jitter\": \"some\"}",
        "\"backoff\": {\"jitter\": 1}",
        "\"retry\": {}",
        "\"retry\": [5]",
        "\"retry\": [null]",
        "\"retry\": [{}]",
        "\"retry\": [{\"when\": \"timeout\"}]",
        "\"retry\": [{\"then\": \"fail\"}]",
        "\"retry\": [{\"when\": \"lost\", \"then\": \"fail\"}]",
        "\"retry\": [{\"when\": \"timeout\", \"then\": \"stop\"}]",
        "\"retry\": [{\"when\": \"timeout\", \"then\": \"fail\", \"else\": 1}]",
        "\"retry\": [{\"when\": \"timeout\", \"then\": \"fail\", \"codes\": [1]}]",
        "\"retry\": [{\"when\": \"exit_code\", \"then\": \"fail\", \"codes\": []}]",
        "\"retry\": [{\"when\": \"exit_code\", \"then\": \"fail\", \"codes\": [1, 256]}]",
        "\"retry\": [{\"when\": \"exit_code\", \"then\": \"fail\", \"codes\": [\"9-3\"]}]",
        "\"retry\": [{\"when\": \"exit_code\", \"then\": \"fail\", \"codes\": [\"x\"]}]",
        "\"retry\": [{\"when\": \"exit_code\", \"then\": \"fail\", \"codes\": [true]}]",
        "\"retry\": [{\"when\": \"exit_code\", \"then\": \"fail\", \"codes\": [1.5]}]",
        "\"retry\": [{\"when\": \"exit_code\", \"then\": \"fail\", \"codes\": 1}]",
        "\"limits\": []",
        "\"limits\": {\"memory\": 1}",
        "\"limits\": {\"memory_bytes\": 1048575}",
        "\"limits\": {\"memory_bytes\": 1e30}",
        "\"limits\": {\"memory_bytes\": \"1\"}",
        "\"limits\": {\"cpu_seconds\": 0}",
        "\"limits\": {\"processes\": 1048577}",
        "\"limits\": {\"file_size_bytes\": -1}",
        "\"limits\": {\"open_files\": 15}",
        "\"limits\": {\"disk_bytes\": 0}",
        "\"limits\": {\"disk_files\": 16777217}",
        "\"limits\": {\"nice\": 20}",
        "\"limits\": {\"nice\": 1.5}",
        "\"user\": \"\"",
        "\"user\": \"a:b\"",
        "\"user\": \"a/b\"",
        "\"user\": \"a\\u0085b\"",
        "\"user\": \"%256\"",
        "\"sandbox\": 1",
        "\"sandbox\": {\"network\": 1}",
        "\"sandbox\": {\"read_only\": \"no\"}",
        "\"sandbox\": {\"net\": true}",
        "\"sandbox\": {\"writable\": \"/tmp\"}",
        "\"sandbox\": {\"writable\": [1]}",
        "\"sandbox\": {\"writable\": [\"/ok\", \"tmp\"]}",
        "\"sandbox\": {\"writable\": [\"/a/../b\"]}",
        "\"sandbox\": {\"writable\": [\"/a/.\"]}",
        "\"on_finish\": []",
        "\"on_finish\": {}",
        "\"on_finish\": {\"url\": 5}",
        "\"on_finish\": {\"url\": \"ftp://example.org\"}",
        "\"on_finish\": {\"url\": \"http://u@example.org\"}",
        "\"on_finish\": {\"url\": \"http://example.org:0\"}",
        "\"on_finish\": {\"url\": \"http://example.org:65536\"}",
        "\"on_finish\": {\"url\": \"http://example.org/#x\"}",
        "\"on_finish\": {\"url\": \"http://example.org/\\n\"}",
        "\"on_finish\": {\"url\": \"http://example.org/%2048\"}",
        "\"on_finish\": {\"url\": \"http://example.org\", \"secret_ref\": \"x\"}",
        "\"on_finish\": {\"url\": \"http://example.org\", \"secret_ref\": \"secret://.x\"}",
        "\"on_finish\": {\"url\": \"http://example.org\", \"secret_ref\": \"secret://x\\n\"}",
        "\"on_finish\": {\"url\": \"http://example.org\", \"secret\": \"x\"}"
      })
  void whatTheApiRefusesIsRefusedInTheSameWords(String members) throws Exception {
    assertRefused(job(withLengths(members)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "[\"\"]", "[\"a\", null]", "[\"%131072\"]", "[[\"a\"], [\"b\"]]"})
  void soIsABadCommand(String command) throws Exception {
    assertRefused("{\"command\": " + withLengths(command) + "}");
  }

  /** {@code %5} is a text of five characters: a table cannot hold long ones. */
  private static String withLengths(String text) {
    java.util.regex.Matcher length = java.util.regex.Pattern.compile("%([0-9]+)").matcher(text);
    return length.replaceAll(found -> "x".repeat(Integer.parseInt(found.group(1))));
  }

  private void assertRefused(String job) throws IOException {
    List<String> complaints = ApiRules.complaints(job);
    assertThat(complaints).as(job).isNotEmpty();
    String expected = complaints.get(0).replaceFirst("^user:", "run_as:");
    String arguments = job.contains("[[") ? "ARRAY[ARRAY['a'], ARRAY['b']]" : arguments(job);
    assertThatThrownBy(() -> submit(app, arguments))
        .isInstanceOfSatisfying(
            SQLException.class,
            fault -> {
              assertThat(fault.getSQLState()).isEqualTo("22023");
              assertThat(message(fault))
                  .isEqualTo(
                      job.contains("[[")
                          ? "command: must be a list of 1 to 1024 strings"
                          : expected);
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\"description\": \"é😀\", \"queue\": \"a.b-c_1\", \"priority\": -100",
        "\"run_at\": \"2027-01-02T03:04:05.123456+02:00\", \"expires_at\": \"2099-01-01T00:00:00Z\"",
        "\"stdin\": \"a\\nb 'x' \\\\\", \"env\": {\"A\": \"\", \"_b9\": \"é\"}",
        "\"working_directory\": \"/\", \"timeout_seconds\": 0.001, \"kill_grace_seconds\": 0",
        "\"timeout_seconds\": 31536000, \"kill_grace_seconds\": 300, \"max_attempts\": 10000",
        "\"backoff\": {\"base_seconds\": 4000.25, \"factor\": 1}",
        "\"backoff\": {\"base_seconds\": null, \"max_seconds\": 2592000, \"jitter\": \"none\"}",
        "\"retry\": [{\"when\": \"exit_code\", \"codes\": [2, \"3\", \"64-78\", \"7-7\"], \"then\": \"fail\"},"
            + " {\"when\": \"timeout\", \"codes\": null, \"then\": \"retry\"}]",
        "\"success_exit_codes\": [3, 0, 3], \"on_lost\": \"hold\"",
        "\"stdout_limit_bytes\": 0, \"stderr_limit_bytes\": 1048576, \"concurrency_key\": \"k\"",
        "\"concurrency_key\": \"k\", \"concurrency_limit\": 10000",
        "\"labels\": {\"a\": \"b\", \"c d\": \"\"}, \"limits\": {\"memory_bytes\": 1048576, \"nice\": 0}",
        "\"limits\": {\"open_files\": 16.0, \"disk_files\": 1, \"cpu_seconds\": null}, \"user\": \"nobody\"",
        "\"sandbox\": {}",
        "\"sandbox\": {\"network\": true, \"read_only\": false, \"writable\": [\"/a\", \"/b..c\"]}",
        "\"on_finish\": {\"url\": \"https://[::1]:8443/a?b=[1]'\", \"secret_ref\": \"secret://a.b\"}",
        "\"on_finish\": {\"url\": \"http://example.org\"}, \"sandbox\": null, \"labels\": null"
      })
  void whatTheApiAcceptsBecomesTheSameRow(String members) throws Exception {
    String job = job(members);
    UUID bySql = submit(app, arguments(job));
    UUID byApi = submit(ApiRules.read(job));
    assertThat(database.value("SELECT (" + row(bySql) + ") = (" + row(byApi) + ")"))
        .as(() -> shown(bySql) + "\n" + shown(byApi))
        .isEqualTo("t");
    assertThat(bySql.version()).isEqualTo(7);
    assertThat(bySql.variant()).isEqualTo(2);
  }

  /** A query for what a job is, without when and by whom. */
  private static String row(UUID id) {
    return "SELECT to_jsonb(j) - '{id,created_at,principal,fingerprint}'::text[]"
        + " || jsonb_build_object('run_at', CASE WHEN run_at = created_at THEN NULL ELSE run_at END)"
        + " FROM errand.jobs j WHERE id = '"
        + id
        + "'";
  }

  private String shown(UUID id) {
    try {
      return database.value(row(id));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aJobIsThereExactlyIfItsTransactionCommits() throws Exception {
    try (Connection listening = database.dataSource().getConnection()) {
      execute(listening, "LISTEN errand");
      app.setAutoCommit(false);
      submit(app, "ARRAY['true']");
      assertThat(claim(5)).isEmpty();
      app.rollback();
      assertThat(count("jobs")).isEqualTo("0");
      assertThat(count("job_events")).isEqualTo("0");
      assertThat(count("queue_counts")).isEqualTo("0");
      assertThat(listening.unwrap(PGConnection.class).getNotifications(1)).isNullOrEmpty();

      UUID id = submit(app, "ARRAY['echo', 'a b'], queue => 'q'");
      app.commit();
      Awaitility.await()
          .until(
              () -> {
                var heard = listening.unwrap(PGConnection.class).getNotifications(100);
                return heard != null && heard.length > 0 && heard[0].getParameter().equals("ready");
              });
      assertThat(
              database.value(
                  "SELECT to_state || ' ' || actor FROM errand.job_events WHERE job_id = '"
                      + id
                      + "'"))
          .isEqualTo("queued client " + CALLER);
      assertThat(database.value("SELECT queue || state || jobs FROM errand.queue_counts"))
          .isEqualTo("qqueued1");
      assertThat(claim(5))
          .singleElement()
          .satisfies(job -> assertThat(job.command()).containsExactly("echo", "a b"));
      try (Connection checking = database.dataSource().getConnection()) {
        assertThat(HistoryCheck.check(checking, false).violations()).isEmpty();
      }
    }
  }

  @Test
  void aKeyMakesARepeatHarmless() throws SQLException {
    String request = "ARRAY['true'], idempotency_key => 'k', timeout_seconds => %s, labels => '%s'";
    UUID first = submit(app, request.formatted("5", "{\"a\": \"1\", \"b\": \"2\"}"));
    assertThat(submit(app, request.formatted("5.0", "{\"b\": \"2\", \"a\": \"1\"}")))
        .isEqualTo(first);
    execute(
        app,
        "SET timezone = 'Asia/Kolkata'; SET extra_float_digits = -3; SET datestyle = 'ISO, DMY'");
    assertThat(submit(app, request.formatted("5", "{\"a\": \"1\", \"b\": \"2\"}")))
        .isEqualTo(first);
    assertThatThrownBy(() -> submit(app, request.formatted("6", "{\"a\": \"1\", \"b\": \"2\"}")))
        .isInstanceOfSatisfying(
            SQLException.class, fault -> assertThat(fault.getSQLState()).isEqualTo("ER422"));
    assertThat(count("jobs")).isEqualTo("1");
    assertThat(submit(job(spec(1, io.errand.job.OnLost.RETRY, null, null), "k", HASH)))
        .isInstanceOf(io.errand.store.submit.Submission.Accepted.class); // of another caller

    control.cancel(first, Access.toOwn(ProjectNames.DEFAULT, CALLER));
    database.execute(
        "UPDATE errand.jobs SET created_at = now() - interval '9 days', finished_at = now() - interval '9 days' WHERE id = '"
            + first
            + "'");
    assertThat(
            new Housekeeping(database.dataSource())
                .removeFinished("cancelled", Duration.ofDays(1), 9))
        .isEqualTo(1);
    assertThatThrownBy(() -> submit(app, request.formatted("5", "{\"a\": \"1\", \"b\": \"2\"}")))
        .isInstanceOfSatisfying(
            SQLException.class, fault -> assertThat(fault.getSQLState()).isEqualTo("ER410"));
    for (String bad : List.of("''", "'é'", "repeat('x', 256)", "E'a\\n'")) {
      assertThatThrownBy(() -> submit(app, "ARRAY['true'], idempotency_key => " + bad))
          .hasMessageContaining("must be 1 to 255 printable ASCII characters");
    }
  }

  @Test
  void aRepeatWaitsForTheTransactionThatHasTheKey() throws Exception {
    app.setAutoCommit(false);
    String request = "ARRAY['true'], idempotency_key => 'k'";
    UUID first = submit(app, request);
    try (Connection other = connect()) {
      CompletableFuture<UUID> repeat =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return submit(other, request);
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      Awaitility.await()
          .until(
              () ->
                  database
                      .value(
                          "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT errand.submit(%'")
                      .equals("1"));
      app.commit();
      assertThat(repeat.get(60, TimeUnit.SECONDS)).isEqualTo(first);
    }
    assertThat(count("jobs")).isEqualTo("1");
  }

  @Test
  void onlyWhoMayDoesAndSeesNothingElse() throws SQLException {
    assertThatThrownBy(() -> execute(app, "SELECT * FROM errand.jobs"))
        .hasMessageContaining("permission denied");
    for (String function : List.of("submit_id()", "submit_env('{}')", "submit_refuse('a', 'b')")) {
      assertThatThrownBy(() -> execute(app, "SELECT errand." + function))
          .as(function)
          .hasMessageContaining("permission denied");
    }
    database.execute("REVOKE EXECUTE ON FUNCTION errand.submit FROM " + ROLE);
    assertThatThrownBy(() -> submit(app, "ARRAY['true']"))
        .hasMessageContaining("permission denied for function submit");
    assertThat(
            database.value(
                "SELECT count(*) FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
                    + " WHERE p.pronamespace = 'errand'::regnamespace AND p.proname LIKE 'submit%' AND a.grantee = 0"))
        .isEqualTo("0");
  }

  /** What the caller puts before the tables of Errand is not looked at. */
  @Test
  void theSearchPathOfTheCallerDecidesNothing() throws SQLException {
    execute(app, "CREATE TEMP TABLE jobs (id uuid)");
    execute(app, "SET search_path = pg_temp, errand, pg_catalog");
    execute(
        app,
        "CREATE FUNCTION pg_temp.length(text) RETURNS integer LANGUAGE sql AS $$ SELECT 1 / 0 $$");
    UUID id = submit(app, "ARRAY['true'], description => 'x'");
    assertThat(stateOf(id)).isEqualTo("queued");
    assertThat(database.value("SELECT principal FROM errand.jobs WHERE id = '" + id + "'"))
        .isEqualTo(CALLER);
  }
}
