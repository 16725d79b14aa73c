package io.errand.store.control;

import io.errand.job.JobState;
import io.errand.store.history.History;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The transitions that people take, and those that time takes: cancel, release, expire. */
@ApplicationScoped
public class ControlStore {
  private final DataSource dataSource;

  public ControlStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /*
   * The one write about a running job without its token: it asks, and changes no state. Asking again
   * keeps the first time. The row has been locked before, so that nothing comes in between.
   */
  private static final String CANCEL =
      """
      WITH found AS (
          SELECT id, state, principal, cancel_requested_at FROM errand.jobs
          WHERE id = ? AND principal = ? AND state IN ('queued', 'retrying', 'held', 'running')
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
          + History.of("change", "'client ' || principal")
          + "SELECT state FROM done";

  private static final String RELEASE =
      """
      WITH done AS (
          UPDATE errand.jobs
          SET state = 'queued', reason = NULL, detail = NULL, run_at = now(),
              max_attempts = greatest(max_attempts, charged_attempts + 1)
          WHERE id = ? AND principal = ? AND state = 'held'
          RETURNING id, queue, 'held' AS from_state, state AS to_state, reason, attempt, claim_token,
              principal
      ),
      """
          + History.of("done", "'client ' || principal")
          + "SELECT to_state FROM done";

  private static final String STATE =
      """
      SELECT state FROM errand.jobs WHERE id = ? AND principal = ? FOR UPDATE
      """;

  private static final String EXPIRE =
      """
      WITH due AS (
          SELECT id FROM errand.jobs
          WHERE state = 'queued' AND expires_at <= now() AND started_at IS NULL
          ORDER BY expires_at
          LIMIT ?
          FOR UPDATE SKIP LOCKED
      ), done AS (
          UPDATE errand.jobs j SET state = 'cancelled', reason = 'expired', finished_at = now()
          FROM due WHERE j.id = due.id
          RETURNING j.id, j.queue, 'queued' AS from_state, j.state AS to_state, j.reason, j.attempt,
              j.claim_token
      ),
      """
          + History.of("done", "'clock'")
          + "SELECT count(*) FROM done";

  /**
   * The result of a change that a client requested.
   *
   * @param changed whether it was made
   * @param state after it, or as it is where no transition leaves it; null if this caller has no
   *     such job
   */
  public record Change(boolean changed, @Nullable JobState state) {}

  /** Cancels a job, or asks for the cancel of a running one, which then is still RUNNING. */
  public Change cancel(UUID id, String principal) throws SQLException {
    return change(CANCEL, id, principal);
  }

  /** Lets a held job go on, with one more try if none is left. */
  public Change release(UUID id, String principal) throws SQLException {
    return change(RELEASE, id, principal);
  }

  /**
   * Cancels up to so many jobs that never started in time.
   *
   * @return how many
   */
  public int expire(int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(EXPIRE)) {
      statement.setInt(1, limit);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }

  /**
   * The row is locked by a statement of its own, so that the next one sees it as it is: within one
   * statement a claim that came in between would be half seen.
   */
  private Change change(String sql, UUID id, String principal) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        JobState before = state(connection, STATE, id, principal);
        JobState after = before == null ? null : state(connection, sql, id, principal);
        connection.commit();
        return after != null ? new Change(true, after) : new Change(false, before);
      } catch (SQLException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static @Nullable JobState state(
      Connection connection, String sql, UUID id, String principal) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setObject(1, id);
      statement.setString(2, principal);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? JobState.ofWireName(rows.getString(1)) : null;
      }
    }
  }
}
