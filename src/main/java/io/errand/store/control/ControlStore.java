package io.errand.store.control;

import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.store.AccessSql;
import io.errand.store.history.History;
import io.errand.store.submit.Overload;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The changes that people ask for, and those that time makes: cancel, release, update, delete,
 * expire.
 */
@ApplicationScoped
public class ControlStore {
  private final DataSource dataSource;

  public ControlStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  private static final String STATE =
      """
      SELECT state FROM errand.jobs WHERE id = ? AND project = ? AND principal = coalesce(?, principal) FOR UPDATE
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
   * @param overload the limit of the queue that the job was to go to, where that is why it was not
   *     made; else null
   */
  public record Change(boolean changed, @Nullable JobState state, @Nullable Overload overload) {
    /** Without such a limit. */
    public Change(boolean changed, @Nullable JobState state) {
      this(changed, state, null);
    }
  }

  private static final String REFUSAL =
      """
      SELECT errand.policy_refusal(?, command, timeout_seconds, run_as, limits, sandbox)
      FROM errand.jobs WHERE id = ? AND project = ? AND principal = coalesce(?, principal)
        AND state IN ('queued', 'retrying', 'held')
      """;

  /**
   * What the policy of a queue has against a job that waits, as {@code field: sentence}.
   *
   * @param queue by its stored name
   */
  public Optional<String> refusal(UUID id, Access access, String queue) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(REFUSAL)) {
      statement.setString(1, queue);
      statement.setObject(2, id);
      AccessSql.bind(statement, 3, access);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? Optional.ofNullable(rows.getString(1)) : Optional.empty();
      }
    }
  }

  /** A change of a job whose row is locked; gives its state afterwards, or nothing. */
  private interface Step {
    List<JobState> run(Connection connection, List<UUID> ids) throws SQLException;
  }

  /** Cancels a job, or asks for the cancel of a running one, which then is still RUNNING. */
  public Change cancel(UUID id, Access access) throws SQLException {
    return change(id, access, (connection, ids) -> JobChanges.cancel(connection, ids, access, ""));
  }

  /** The same in the transaction of the caller, which then holds the lock of the job's row. */
  public static Change cancel(Connection connection, UUID id, Access access) throws SQLException {
    return change(connection, id, access, (open, ids) -> JobChanges.cancel(open, ids, access, ""));
  }

  /** Lets a held job go on, with one more try if none is left. */
  public Change release(UUID id, Access access) throws SQLException {
    return change(id, access, (connection, ids) -> JobChanges.release(connection, ids, access, ""));
  }

  /**
   * Changes values of a job that is queued, retrying or held. A job that waits does not go to
   * another queue that is full. The depth of that queue is locked before the job, as in a submit.
   */
  public Change update(UUID id, Access access, JobUpdate update) throws SQLException {
    return inTransaction(
        connection -> {
          Moves moves = Moves.lock(connection, access, update);
          JobState before = lock(connection, id, access);
          if (before != null && moves.refused(List.of(id)).contains(id)) {
            return new Change(false, before, moves.overload());
          }
          List<JobState> after =
              before == null
                  ? List.<JobState>of()
                  : JobChanges.update(connection, List.of(id), access, update, "");
          return new Change(!after.isEmpty(), after.isEmpty() ? before : after.get(0));
        });
  }

  /** Removes a final job, as retention does; the state is the one that it had. */
  public Change delete(UUID id, Access access) throws SQLException {
    return change(id, access, (connection, ids) -> JobChanges.delete(connection, ids, access));
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
  private Change change(UUID id, Access access, Step step) throws SQLException {
    return inTransaction(connection -> change(connection, id, access, step));
  }

  /** What is done in one transaction. */
  private interface Work {
    Change run(Connection connection) throws SQLException;
  }

  private Change inTransaction(Work work) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Change change = work.run(connection);
        connection.commit();
        return change;
      } catch (SQLException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static Change change(Connection connection, UUID id, Access access, Step step)
      throws SQLException {
    JobState before = lock(connection, id, access);
    List<JobState> after = before == null ? List.<JobState>of() : step.run(connection, List.of(id));
    return after.isEmpty() ? new Change(false, before) : new Change(true, after.get(0));
  }

  private static @Nullable JobState lock(Connection connection, UUID id, Access access)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(STATE)) {
      statement.setObject(1, id);
      AccessSql.bind(statement, 2, access);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? JobState.ofWireName(rows.getString(1)) : null;
      }
    }
  }
}
