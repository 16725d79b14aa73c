package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.Access;
import io.errand.store.reads.ExplainReads;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the role sees that the API reads for clients as. */
class SeparationTest extends StoreFixture {
  /** Tables of no project, and those that the role may not read at all. */
  private static final List<String> OF_NO_PROJECT =
      List.of(
          "audit_begun",
          "audit_head",
          "console_links",
          "console_sessions",
          "console_sign_ins",
          "flyway_schema_history",
          "submits_to_admit",
          "workers");

  private static final List<String> UNREADABLE =
      List.of("idempotency_keys", "live_output", "operation_jobs", "watches");

  /** Of each table one row of the project default and one of the project media. */
  private static final String ROWS =
      """
      INSERT INTO errand.projects (name) VALUES ('media') ON CONFLICT DO NOTHING;
      DELETE FROM errand.api_keys; DELETE FROM errand.commands;
      INSERT INTO errand.jobs SELECT (jsonb_populate_record(j, jsonb_build_object(
          'id', gen_random_uuid(), 'project', 'media', 'queue', 'media/default'))).* FROM errand.jobs j;
      INSERT INTO errand.attempts (job_id, attempt, outcome, worker) SELECT id, 1, 'lost', 'w' FROM errand.jobs;
      INSERT INTO errand.job_events (job_id, to_state, attempt, actor)
          SELECT id, state, 0, 'test' FROM errand.jobs WHERE project = 'media';
      INSERT INTO errand.job_dependencies (job_id, after_id) SELECT id, gen_random_uuid() FROM errand.jobs;
      INSERT INTO errand.queues (name) VALUES ('default'), ('media/default');
      INSERT INTO errand.queue_counts (queue, state, jobs) VALUES ('media/default', 'queued', 1);
      INSERT INTO errand.queue_depths (queue, sampled_at, waiting, running)
          VALUES ('default', now(), 1, 1), ('media/default', now(), 1, 1);
      INSERT INTO errand.queue_events (queue, event, actor)
          VALUES ('default', 'settings_changed', 'test'), ('media/default', 'settings_changed', 'test');
      INSERT INTO errand.circuit_counts (queue, slice, attempts, failures)
          VALUES ('default', now(), 1, 1), ('media/default', now(), 1, 1);
      INSERT INTO errand.schedules (id, principal, name, cron, zone, overlap, catch_up, catch_up_limit,
              jitter_seconds, paused, job, handled_until, project)
          SELECT gen_random_uuid(), 'tester', 's', '@daily', 'UTC', 'skip', 'none', 1, 0, true, '{}', now(), p.name
          FROM errand.projects p WHERE p.name IN ('default', 'media');
      INSERT INTO errand.schedule_ticks (schedule_id, tick_at, last_tick_at, ticks, skipped)
          SELECT id, now(), now(), 1, 'paused' FROM errand.schedules;
      INSERT INTO errand.operations (id, principal, kind, filter, fingerprint, project)
          SELECT gen_random_uuid(), 'tester', 'cancel', '{}', '', p.name
          FROM errand.projects p WHERE p.name IN ('default', 'media');
      INSERT INTO errand.webhook_deliveries (id, job_id, principal, type, url, host, project)
          SELECT gen_random_uuid(), id, 'tester', 't', 'u', 'h', project FROM errand.jobs;
      INSERT INTO errand.disabled_webhooks (principal, url, delivery_id, project)
          SELECT project, 'u', id, project FROM errand.webhook_deliveries;
      INSERT INTO errand.commands (project, name, version) VALUES ('default', 'c', 1), ('media', 'c', 1);
      INSERT INTO errand.command_versions (project, name, version, definition, created_by)
          VALUES ('default', 'c', 1, '{}', 't'), ('media', 'c', 1, '{}', 't');
      INSERT INTO errand.api_keys (id, name, principal, role, project, secret_hash, created_by) VALUES
          ('aaaaaaaaaaaa', 'k', 'k', 'viewer', 'default', sha256('a'), 't'),
          ('bbbbbbbbbbbb', 'k', 'k', 'viewer', 'media', sha256('b'), 't');
      SELECT errand.audit_append('[
          {"kind": "change", "action": "a", "project": "default", "tries": 1},
          {"kind": "change", "action": "a", "project": "media", "tries": 1}]')
      """;

  private UUID job;

  @BeforeEach
  void fill() throws SQLException {
    job = submit();
    database.execute(ROWS.substring(0, ROWS.lastIndexOf("SELECT errand.audit")));
    database.value(ROWS.substring(ROWS.lastIndexOf("SELECT errand.audit")));
  }

  @AfterEach
  void remove() throws SQLException {
    Database.emptied()
        .execute(
            "DELETE FROM errand.api_keys; DELETE FROM errand.commands;"
                + " DELETE FROM errand.projects WHERE name = 'media'");
  }

  static List<String> tablesOfProjects() throws SQLException {
    return List.of(
        Database.emptied()
            .value(
                "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class"
                    + " WHERE relnamespace = 'errand'::regnamespace AND relkind = 'r'"
                    + " AND relname <> ALL ('{"
                    + String.join(",", OF_NO_PROJECT)
                    + "}')")
            .split(" "));
  }

  /** A new table is in the list above, or is confined. */
  @ParameterizedTest
  @MethodSource("tablesOfProjects")
  void theReaderSeesRowsOfTheProjectThatItNamesAndNoneWithoutAName(String table)
      throws SQLException {
    assertThat(
            database.value(
                "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = 'errand."
                    + table
                    + "'::regclass"))
        .isEqualTo("t");
    if (UNREADABLE.contains(table)) {
      assertThatThrownBy(() -> rows(null, table))
          .isInstanceOfSatisfying(
              SQLException.class, fault -> assertThat(fault.getSQLState()).isEqualTo("42501"));
      return;
    }
    if (table.equals("removed_jobs")) { // no more than how a job of a known id ended
      assertThatThrownBy(() -> read(null, "SELECT principal FROM errand.removed_jobs"))
          .hasMessageContaining("permission denied");
      return;
    }
    assertThat(rows(null, table)).as("without a project").isZero();
    assertThat(rows("", table)).as("of a project without a name").isZero();
    assertThat(rows("no-such-project", table)).isZero();
    int ours = rows("default", table);
    int theirs = rows("media", table);
    assertThat(ours).as("of default").isPositive();
    assertThat(theirs).as("of media").isPositive();
    assertThat(Integer.parseInt(database.value("SELECT count(*) FROM errand." + table)))
        .as("all, and none twice")
        .isGreaterThanOrEqualTo(ours + theirs);
  }

  @Test
  void whatTheReaderSeesIsOfItsProject() throws SQLException {
    assertThat(read("media", "SELECT string_agg(DISTINCT project, ' ') FROM errand.jobs"))
        .isEqualTo("media");
    assertThat(read("media", "SELECT count(*) FROM errand.attempts WHERE job_id = '" + job + "'"))
        .isEqualTo("0");
    assertThat(read("default", "SELECT count(*) FROM errand.attempts WHERE job_id = '" + job + "'"))
        .isEqualTo("1");
    assertThat(read("media", "SELECT string_agg(DISTINCT name, ' ') FROM errand.queues"))
        .isEqualTo("media/default");
    assertThatThrownBy(() -> read("media", "SELECT secret_hash FROM errand.api_keys"))
        .hasMessageContaining("permission denied");
    assertThatThrownBy(() -> read("media", "UPDATE errand.jobs SET priority = 1 RETURNING 1"))
        .hasMessageContaining("permission denied");
  }

  /** As a statement would be whose condition was forgotten. */
  @Test
  void aReadForAClientIsThatOfTheReader() throws SQLException {
    try (Connection connection = database.projectReads().connection("media");
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT current_user, count(*) FROM errand.jobs GROUP BY 1")) {
      row.next();
      assertThat(row.getString(1)).isEqualTo("errand_reader");
      assertThat(row.getInt(2)).isEqualTo(1);
    }
    ExplainReads explain = new ExplainReads(database.projectReads());
    assertThat(explain.facts(job, Access.toProject("default", "tester"))).isPresent();
    assertThat(explain.facts(job, Access.toProject("media", "tester"))).isEmpty();
  }

  /** A pooled session is what it was before, also after a statement that has failed. */
  @Test
  void theConnectionIsNotConfinedAnyMoreOnceItIsClosed() throws SQLException {
    try (Connection pooled = database.dataSource().getConnection()) {
      TreeMap<String, String> seen = new TreeMap<>();
      ProjectReads reads = new ProjectReads(OneConnection.source(pooled));
      for (String sql : List.of("SELECT 1", "SELECT 1 / 0")) {
        try (Connection connection = reads.connection("media");
            Statement statement = connection.createStatement()) {
          statement.execute(sql);
        } catch (SQLException e) {
          seen.put(sql, e.getSQLState());
        }
        try (Statement statement = pooled.createStatement();
            ResultSet row =
                statement.executeQuery(
                    "SELECT current_user, coalesce(current_setting('errand.project', true), '')")) {
          row.next();
          assertThat(row.getString(1)).isEqualTo("errand");
          assertThat(row.getString(2)).isEmpty();
        }
        assertThat(pooled.getAutoCommit()).isTrue();
      }
      assertThat(seen).containsOnlyKeys("SELECT 1 / 0");
    }
  }

  private int rows(@Nullable String project, String table) throws SQLException {
    String column = table.equals("api_keys") ? "count(id)" : "count(*)";
    return Integer.parseInt(read(project, "SELECT " + column + " FROM errand." + table));
  }

  private String read(@Nullable String project, String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SET ROLE errand_reader");
      if (project != null) {
        statement.execute("SELECT set_config('errand.project', '" + project + "', false)");
      }
      try (ResultSet row = statement.executeQuery(sql)) {
        row.next();
        return row.getString(1);
      }
    }
  }
}
