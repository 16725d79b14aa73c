package io.errand.store.claim;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.errand.job.AttemptResult;
import io.errand.job.Decision;
import io.errand.store.claim.Completion.Usage;
import io.errand.store.history.History;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The transitions out of RUNNING: many at once, each under its token. */
@ApplicationScoped
public class CompleteStore {
  private final DataSource dataSource;

  public CompleteStore(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  private static final String NEXT_STATE =
      "CASE WHEN j.cancel_requested_at IS NULL THEN e.state ELSE e.state_if_cancelled END";

  /*
   * The row may have been asked to cancel after the decision was made, so both decisions come along
   * and the row chooses. What is not RUNNING under this token any more is left as it is: a row has a
   * token only while it is running, a CHECK sees to that. The state is not asked for again, because
   * that would invite the planner to the index of running jobs, which is full of jobs that have run;
   * each row is looked up by its id, in the order of ids, so that two of these never wait in a circle.
   */
  static final String ENDING =
      """
      ending AS (
          SELECT * FROM unnest(
              ?::uuid[], ?::uuid[], ?::timestamptz[], ?::timestamptz[], ?::text[], ?::text[],
              ?::float8[], ?::boolean[], ?::text[],
              ?::smallint[], ?::text[], ?::text[],
              ?::float8[], ?::float8[], ?::float8[], ?::bigint[],
              ?::bytea[], ?::integer[], ?::bigint[], ?::bytea[], ?::integer[], ?::bigint[],
              ?::jsonb[], ?::boolean[])
          AS e (
              job_id, claim_token, claimed_at, started_at, state, state_if_cancelled,
              delay_seconds, uncharged, outcome,
              exit_code, signal, detail,
              duration_seconds, cpu_user_seconds, cpu_system_seconds, memory_peak_bytes,
              stdout, stdout_head_bytes, stdout_bytes, stderr, stderr_head_bytes, stderr_bytes,
              signals_sent, tree_empty)
      ), done AS (
          UPDATE errand.jobs j
          SET state = NEXT_STATE,
              reason = CASE NEXT_STATE WHEN 'cancelled' THEN 'cancelled' ELSE e.outcome END,
              detail = e.detail,
              exit_code = e.exit_code,
              signal = e.signal,
              charged_attempts = j.charged_attempts - e.uncharged::integer,
              run_at = CASE WHEN NEXT_STATE IN ('queued', 'retrying')
                            THEN now() + make_interval(secs => e.delay_seconds)
                            ELSE j.run_at END,
              started_at = coalesce(e.started_at, (
                  SELECT max(a.started_at) FROM errand.attempts a WHERE a.job_id = j.id)),
              finished_at = CASE WHEN NEXT_STATE IN ('succeeded', 'failed', 'cancelled')
                                 THEN now() END,
              cancel_requested_at = CASE WHEN NEXT_STATE IN ('succeeded', 'cancelled')
                                         THEN j.cancel_requested_at END,
              duration_seconds = e.duration_seconds,
              stdout_bytes = e.stdout_bytes,
              stdout_dropped_bytes = e.stdout_bytes - octet_length(e.stdout),
              stderr_bytes = e.stderr_bytes,
              stderr_dropped_bytes = e.stderr_bytes - octet_length(e.stderr),
              worker_id = NULL,
              claim_token = NULL
          FROM (SELECT * FROM ending ORDER BY job_id) e
          WHERE j.id = e.job_id AND j.claim_token = e.claim_token
          RETURNING e.*, j.queue, j.attempt, j.worker, j.state AS next_state, j.reason,
              j.concurrency_key
      ), written AS (
      INSERT INTO errand.attempts (
          job_id, attempt, outcome, exit_code, signal, detail, claimed_at, started_at, duration_seconds,
          cpu_user_seconds, cpu_system_seconds, memory_peak_bytes, worker, stdout_bytes,
          stdout_dropped_bytes, stderr_bytes, stderr_dropped_bytes, stdout, stderr,
          stdout_head_bytes, stderr_head_bytes, signals_sent, tree_empty)
      SELECT c.job_id, c.attempt, c.outcome, c.exit_code, c.signal, c.detail, c.claimed_at,
             c.started_at, c.duration_seconds, c.cpu_user_seconds, c.cpu_system_seconds, c.memory_peak_bytes,
             c.worker, c.stdout_bytes, c.stdout_bytes - octet_length(c.stdout), c.stderr_bytes,
             c.stderr_bytes - octet_length(c.stderr), c.stdout, c.stderr, c.stdout_head_bytes,
             c.stderr_head_bytes, c.signals_sent, c.tree_empty
      FROM done c
      RETURNING job_id
      ), next_of_key AS (
          UPDATE errand.jobs SET waits_for_key = false
          WHERE id = ANY (ARRAY(
              SELECT w.id
              FROM (
                  SELECT concurrency_key, count(*) AS jobs FROM done
                  WHERE concurrency_key IS NOT NULL GROUP BY concurrency_key) d
              CROSS JOIN LATERAL (
                  SELECT w.id FROM errand.jobs w
                  WHERE w.state IN ('queued', 'retrying') AND w.waits_for_key
                    AND w.waits_for_jobs = 0
                    AND w.concurrency_key = d.concurrency_key
                  ORDER BY w.priority DESC, w.run_at, w.id
                  LIMIT d.jobs FOR UPDATE SKIP LOCKED) w))
      ), ended AS (
          SELECT job_id AS id, queue, 'running' AS from_state, next_state AS to_state, reason,
              attempt, claim_token
          FROM done
      ),
      """
              .replace("NEXT_STATE", NEXT_STATE)
          + History.of("ended", "?");

  private static final String COMPLETE = "WITH " + ENDING + "SELECT job_id FROM written";

  /**
   * Writes the ends of attempts.
   *
   * @param actor who says so, as of {@link History#of}
   * @return the jobs that were changed; a job that is missing there was no longer ours to write
   *     about, and its result is to be dropped
   * @throws SQLException if the database is away; writing the same again is harmless
   */
  public Set<UUID> complete(List<Completion> completions, String actor) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(COMPLETE)) {
      bind(connection, statement, completions, actor);
      Set<UUID> changed = new HashSet<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          changed.add(rows.getObject(1, UUID.class));
        }
      }
      return changed;
    }
  }

  /**
   * Sets the parameters of {@link #ENDING}, which come first.
   *
   * @return how many
   */
  static int bind(
      Connection connection,
      PreparedStatement statement,
      List<Completion> completions,
      String actor)
      throws SQLException {
    Columns columns = new Columns(connection, statement, completions);
    columns.add("uuid", Completion::jobId);
    columns.add("uuid", Completion::token);
    columns.add("timestamptz", completion -> time(completion.claimedAt()));
    columns.add("timestamptz", completion -> time(completion.startedAt()));
    columns.add("text", completion -> completion.decision().transition().to().wireName());
    columns.add("text", CompleteStore::stateIfCancelled);
    columns.add("float8", completion -> completion.decision().delay().toNanos() / 1e9);
    columns.add("bool", completion -> completion.decision().uncharged());
    columns.add("text", completion -> completion.result().outcome().wireName());
    columns.add("int2", ofResult(AttemptResult::exitCode));
    columns.add("text", ofResult(AttemptResult::signal));
    columns.add("text", ofResult(AttemptResult::detail));
    columns.add("float8", ofUsage(Usage::durationSeconds));
    columns.add("float8", ofUsage(Usage::cpuUserSeconds));
    columns.add("float8", ofUsage(Usage::cpuSystemSeconds));
    columns.add("int8", ofUsage(Usage::memoryPeakBytes));
    columns.add("bytea", completion -> completion.stdout().kept());
    columns.add("int4", completion -> completion.stdout().headBytes());
    columns.add("int8", completion -> completion.stdout().totalBytes());
    columns.add("bytea", completion -> completion.stderr().kept());
    columns.add("int4", completion -> completion.stderr().headBytes());
    columns.add("int8", completion -> completion.stderr().totalBytes());
    columns.add("jsonb", completion -> json(completion.ending()));
    columns.add("bool", completion -> completion.ending().treeEmpty());
    columns.bound++;
    statement.setString(columns.bound, actor);
    return columns.bound;
  }

  private static @Nullable OffsetDateTime time(@Nullable Instant time) {
    return time == null ? null : time.atOffset(ZoneOffset.UTC);
  }

  private static String stateIfCancelled(Completion completion) {
    Decision decision = completion.decision().ifCancelRequested();
    return decision.transition().to().wireName();
  }

  private static Function<Completion, @Nullable Object> ofResult(
      Function<AttemptResult, @Nullable Object> field) {
    return completion -> field.apply(completion.result());
  }

  private static Function<Completion, @Nullable Object> ofUsage(
      Function<Usage, @Nullable Object> field) {
    return completion -> completion.usage() == null ? null : field.apply(completion.usage());
  }

  /** Binds one array parameter after the other. */
  private static final class Columns {
    private final Connection connection;
    private final PreparedStatement statement;
    private final List<Completion> completions;
    private int bound;

    Columns(Connection connection, PreparedStatement statement, List<Completion> completions) {
      this.connection = connection;
      this.statement = statement;
      this.completions = completions;
    }

    void add(String type, Function<Completion, @Nullable Object> field) throws SQLException {
      // The driver takes binary values as a byte[][] only.
      Object[] values =
          type.equals("bytea") ? new byte[completions.size()][] : new Object[completions.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = field.apply(completions.get(i));
      }
      bound++;
      statement.setArray(bound, connection.createArrayOf(type, values));
    }
  }

  private static String json(Completion.Ending ending) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (int i = 0; i < ending.signals().size(); i++) {
      array
          .addObject()
          .put("signal", ending.signals().get(i))
          .put("processes", ending.processes().get(i));
    }
    return array.toString();
  }
}
