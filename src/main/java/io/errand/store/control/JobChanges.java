package io.errand.store.control;

import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.job.ProjectNames;
import io.errand.store.AccessSql;
import io.errand.store.history.History;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;

/**
 * The statements that change jobs for a client: one job, or many in a step of an operation. The
 * rows must have been locked by a statement before, in the same transaction: within one statement a
 * claim that came in between would be half seen.
 */
public final class JobChanges {
  private JobChanges() {}

  /*
   * The one write about a running job without its token: it asks, and changes no state. Asking again
   * keeps the first time.
   */
  private static final String CANCEL =
      """
      WITH found AS (
          SELECT id, state, principal, cancel_requested_at FROM errand.jobs
          WHERE id = ANY (?) AND project = ? AND principal = coalesce(?, principal)
            AND state IN ('queued', 'retrying', 'held', 'running')
      ), done AS (
          UPDATE errand.jobs j
          SET state = CASE WHEN f.state = 'running' THEN 'running' ELSE 'cancelled' END,
              reason = CASE WHEN f.state = 'running' THEN NULL ELSE 'cancelled' END,
              cancel_requested_at = coalesce(f.cancel_requested_at, now()),
              finished_at = CASE WHEN f.state = 'running' THEN NULL ELSE now() END
          FROM found f WHERE j.id = f.id
          RETURNING j.*, f.state AS from_state, f.cancel_requested_at AS requested_before
      ), change AS (
          SELECT id, queue, from_state, state AS to_state,
              CASE WHEN state = 'running' THEN 'cancel_requested' ELSE reason END AS reason,
              attempt, claim_token, principal
          FROM done WHERE state <> 'running' OR requested_before IS NULL
      ),
      """
          + History.of("change", "?::text")
          + "SELECT state FROM done";

  private static final String RELEASE =
      """
      WITH done AS (
          UPDATE errand.jobs
          SET state = 'queued', reason = NULL, detail = NULL, run_at = now(),
              max_attempts = greatest(max_attempts, charged_attempts + 1)
          WHERE id = ANY (?) AND project = ? AND principal = coalesce(?, principal) AND state = 'held'
          RETURNING id, queue, 'held' AS from_state, state AS to_state, reason, attempt, claim_token,
              principal
      ),
      """
          + History.of("done", "?::text")
          + "SELECT to_state FROM done";

  /* A value that stays the same leaves no event. */
  private static final String UPDATE =
      """
      WITH found AS (
          SELECT id, queue, priority, run_at, command, timeout_seconds, run_as, limits, sandbox
          FROM errand.jobs
          WHERE id = ANY (?) AND project = ? AND principal = coalesce(?, principal) AND state IN ('queued', 'retrying', 'held')
      ), wanted AS (
          SELECT ?::smallint AS priority, ?::text AS queue,
              CASE WHEN ? THEN now() ELSE ?::timestamptz END AS run_at
      ), done AS (
          UPDATE errand.jobs j
          SET priority = coalesce(w.priority, j.priority), queue = coalesce(w.queue, j.queue),
              run_at = coalesce(w.run_at, j.run_at)
          FROM found f, wanted w
          WHERE j.id = f.id AND (w.queue IS NULL OR w.queue = f.queue OR errand.policy_refusal(
              w.queue, f.command, f.timeout_seconds, f.run_as, f.limits, f.sandbox) IS NULL)
          RETURNING j.id, j.queue, f.queue AS from_queue, j.state, j.reason, j.attempt,
              j.claim_token, j.principal, concat_ws(', ',
                  CASE WHEN j.priority <> f.priority
                       THEN 'priority ' || f.priority || ' to ' || j.priority END,
                  CASE WHEN j.queue <> f.queue
                       THEN 'queue ' || substr(f.queue, strpos(f.queue, '/') + 1) || ' to '
                           || substr(j.queue, strpos(j.queue, '/') + 1) END,
                  CASE WHEN j.run_at <> f.run_at
                       THEN 'run_at ' || to_char(f.run_at AT TIME ZONE 'UTC', %1$s) || ' to '
                           || to_char(j.run_at AT TIME ZONE 'UTC', %1$s) END) AS detail
      ), change AS (
          SELECT * FROM done WHERE detail <> ''
      ),
      """
              .formatted("'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'")
          + History.ofUpdate("change", "?::text")
          + "SELECT state FROM done";

  private static final String DELETE =
      """
      WITH old AS (
          SELECT id, principal, idempotency_key, state,
              coalesce(cardinality(after), 0) AS dependencies, on_finish
          FROM errand.jobs j
          WHERE id = ANY (?) AND project = ? AND principal = coalesce(?, principal) AND state IN ('succeeded', 'failed', 'cancelled')
            AND NOT_WAITED_FOR
      ),
      """
              .replace("NOT_WAITED_FOR", Housekeeping.NOT_WAITED_FOR)
          + Housekeeping.REMOVING
          + "SELECT state FROM gone";

  /**
   * Cancels jobs, or asks for the cancel of those that run.
   *
   * @param by what the history says behind the name of the client, or empty
   * @return the states of the jobs that a cancel is possible for, afterwards; RUNNING where it was
   *     asked for
   */
  public static List<JobState> cancel(
      Connection connection, Collection<UUID> ids, Access access, String by) throws SQLException {
    return run(connection, CANCEL, ids, access, by);
  }

  /**
   * Lets held jobs go on, with one more try where none is left. Returns their states afterwards.
   */
  public static List<JobState> release(
      Connection connection, Collection<UUID> ids, Access access, String by) throws SQLException {
    return run(connection, RELEASE, ids, access, by);
  }

  /** Removes final jobs, as retention does. Returns the states that they had. */
  public static List<JobState> delete(Connection connection, Collection<UUID> ids, Access access)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(DELETE)) {
      bind(statement, ids, access);
      return states(statement);
    }
  }

  /** Changes values of jobs that wait. Returns their states, which stay. */
  public static List<JobState> update(
      Connection connection, Collection<UUID> ids, Access access, JobUpdate update, String by)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(UPDATE)) {
      bind(statement, ids, access);
      statement.setObject(4, update.priority(), Types.SMALLINT);
      statement.setString(
          5, update.queue() == null ? null : ProjectNames.queue(access.project(), update.queue()));
      statement.setBoolean(6, update.runsAtOnce());
      statement.setObject(
          7,
          update.runAt() == null ? null : update.runAt().atOffset(ZoneOffset.UTC),
          Types.TIMESTAMP_WITH_TIMEZONE);
      statement.setString(8, by(access, by));
      return states(statement);
    }
  }

  private static List<JobState> run(
      Connection connection, String sql, Collection<UUID> ids, Access access, String by)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      bind(statement, ids, access);
      statement.setString(4, by(access, by));
      return states(statement);
    }
  }

  private static void bind(PreparedStatement statement, Collection<UUID> ids, Access access)
      throws SQLException {
    statement.setArray(1, statement.getConnection().createArrayOf("uuid", ids.toArray()));
    AccessSql.bind(statement, 2, access);
  }

  private static String by(Access access, String by) {
    return "client " + access.principal() + by;
  }

  private static List<JobState> states(PreparedStatement statement) throws SQLException {
    List<JobState> states = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        states.add(JobState.ofWireName(rows.getString(1)));
      }
    }
    return states;
  }
}
