package io.errand.store.operations;

import io.errand.job.Access;
import io.errand.store.control.Moves;
import io.errand.store.operations.StepChange.Effect;
import io.errand.store.submit.RetryStore;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Carries operations on. A step is one transaction: it changes at most {@value #MOST_JOBS} jobs,
 * and stores in the row of the operation how far it came. So a process that ends in the middle of a
 * step has done nothing, and any other process goes on from the same place.
 *
 * <p>Two processes never make a step of one operation at the same time: a step begins with an
 * advisory lock of its transaction. The row of the operation is locked at the end of the step only,
 * so that a client who stops the operation does not wait for the step.
 *
 * <p>A retry stores no more jobs than its project lets wait, and goes on when it does again.
 */
@ApplicationScoped
public class OperationSteps {
  /** How many jobs a step changes, at most. */
  public static final int MOST_JOBS = 500;

  private static final int MOST_DUE = 20;
  private static final int MOST_DETAIL_CHARACTERS = 500;

  private final DataSource dataSource;

  public OperationSteps(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  private static final String DUE =
      """
      SELECT id, extract(epoch FROM next_step_at - clock_timestamp())::float8 AS seconds
      FROM errand.operations
      WHERE state IN ('running', 'stopping') AND (kind <> 'retry' OR state = 'stopping' OR ?)
      ORDER BY next_step_at LIMIT ?
      """;

  private static final String LOCK =
      "SELECT pg_try_advisory_xact_lock(hashtextextended('errand operation ' || ?, 0))";

  private static final String READ =
      """
      SELECT project, owner, principal, kind, filter::text, set::text, state, created_at, jobs_fixed,
          after_created_at, after_id
      FROM errand.operations
      WHERE id = ? AND state IN ('running', 'stopping') AND next_step_at <= clock_timestamp()
      """;

  /*
   * A pause as long as the step, so that operations take half of the time of one connection. A job that was
   * finished or changed by somebody else before the operation came to it may never have been seen: at the end
   * it counts as skipped.
   */
  private static final String STORE =
      """
      UPDATE errand.operations
      SET after_created_at = ?, after_id = ?, done = done + ?, errors = errors + ?,
          skipped = CASE WHEN ? THEN greatest(skipped + ?, total - done - ? - errors - ?, 0)
                         ELSE skipped + ? END,
          detail = coalesce(?, detail), updated_at = clock_timestamp(),
          next_step_at = clock_timestamp() + least(clock_timestamp() - now(), interval '1 second'),
          state = CASE WHEN ? THEN 'finished' WHEN state = 'stopping' THEN 'stopped' ELSE state END,
          finished_at = CASE WHEN ? OR state = 'stopping' THEN clock_timestamp() END
      WHERE id = ?
      RETURNING state
      """;

  private static final String WAIT_FOR_ROOM =
      """
      UPDATE errand.operations
      SET next_step_at = clock_timestamp() + interval '1 second', updated_at = clock_timestamp(),
          detail = 'It has waited: as many jobs of the project waited as its max_waiting allows'
      WHERE id = ?
      """;

  private static final String END =
      """
      UPDATE errand.operations
      SET state = ?, finished_at = clock_timestamp(), updated_at = clock_timestamp(),
          detail = coalesce(?, detail)
      WHERE id = ? AND state IN ('running', 'stopping')
      """;

  private static final String DELAY =
      """
      UPDATE errand.operations SET next_step_at = clock_timestamp() + make_interval(secs => ?)
      WHERE id = ? AND state IN ('running', 'stopping')
      """;

  /**
   * An operation that has not ended.
   *
   * @param seconds until its next step is due; 0 or less if it is due now
   */
  public record Due(UUID id, double seconds) {}

  /**
   * What a step has done.
   *
   * @param made whether there was one: not if another process makes one, or none is due
   * @param state of the operation afterwards, by wire name
   * @param jobs how many jobs it has changed
   * @param effect what others have to be told
   */
  public record Step(boolean made, String state, int jobs, Effect effect) {
    static final Step NONE = new Step(false, "", 0, Effect.NOTHING);

    /** Whether the operation has ended. */
    public boolean ended() {
      return made && !state.equals("running") && !state.equals("stopping");
    }
  }

  /**
   * Operations that have not ended, the next one to make a step for first; at most {@value
   * #MOST_DUE}.
   *
   * @param withRetries also those that store new jobs; without it only if they are to stop
   */
  public List<Due> due(boolean withRetries) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(DUE)) {
      statement.setBoolean(1, withRetries);
      statement.setInt(2, MOST_DUE);
      List<Due> due = new ArrayList<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          due.add(new Due(rows.getObject(1, UUID.class), rows.getDouble(2)));
        }
      }
      return due;
    }
  }

  /**
   * Makes the next step of an operation, if no other process does. Where it is for one job, and the
   * database refuses the change, the step goes on behind it and counts an error.
   *
   * @param mostJobs at most so many jobs are changed
   * @throws SQLException if the step failed and nothing was changed
   * @throws IllegalArgumentException if the operation is of a newer version than this process
   */
  public Step step(UUID id, int mostJobs) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      boolean isCommitted = false;
      try {
        Step step = step(connection, id, mostJobs);
        connection.commit();
        isCommitted = true;
        return step;
      } finally {
        if (!isCommitted) {
          connection.rollback();
        }
      }
    }
  }

  private static Step step(Connection connection, UUID id, int mostJobs) throws SQLException {
    StepChange change = lock(connection, id) ? read(connection, id) : null;
    if (change == null) {
      return Step.NONE;
    }
    if (change.isToStop()) {
      end(connection, id, "stopped", null);
      return new Step(true, "stopped", 0, Effect.NOTHING);
    }
    int room =
        change.copiesJobs()
            ? RetryStore.room(connection, change.access().project(), mostJobs)
            : mostJobs;
    if (room == 0) {
      waitForRoom(connection, id);
      return Step.NONE;
    }
    // Before the jobs are locked, as in a submit, so that the two never wait for each other.
    Moves moves = Moves.lock(connection, change.access(), change.update());
    StepJobs jobs = StepJobs.select(connection, change, room);
    Savepoint before = mostJobs == 1 ? connection.setSavepoint() : null;
    Effect effect;
    String refusal = null;
    try {
      effect = change.make(connection, jobs.ids(), moves);
    } catch (SQLException e) {
      if (before == null || !isRefused(e)) {
        throw e;
      }
      connection.rollback(before);
      effect = Effect.NOTHING;
      refusal = shortened(String.valueOf(e.getMessage()));
    }
    return store(connection, id, jobs, effect, refusal);
  }

  private static Step store(
      Connection connection, UUID id, StepJobs jobs, Effect effect, @Nullable String refusal)
      throws SQLException {
    int done = effect.jobs();
    int refused = refusal == null ? 0 : jobs.ids().size();
    int skipped = jobs.skipped() + jobs.ids().size() - done - refused;
    try (PreparedStatement statement = connection.prepareStatement(STORE)) {
      statement.setObject(1, jobs.position().createdAt());
      statement.setObject(2, jobs.position().id());
      statement.setInt(3, done);
      statement.setInt(4, refused);
      statement.setBoolean(5, jobs.isLast());
      statement.setInt(6, skipped);
      statement.setInt(7, done);
      statement.setInt(8, refused);
      statement.setInt(9, skipped);
      statement.setString(10, refusal == null ? effect.detail() : refusal);
      statement.setBoolean(11, jobs.isLast());
      statement.setBoolean(12, jobs.isLast());
      statement.setObject(13, id);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        Step step = new Step(true, row.getString(1), done, effect);
        if (step.ended()) {
          OperationJobs.forget(connection, id);
        }
        return step;
      }
    }
  }

  /** The operation goes on once fewer jobs of its project wait. */
  private static void waitForRoom(Connection connection, UUID id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(WAIT_FOR_ROOM)) {
      statement.setObject(1, id);
      statement.executeUpdate();
    }
  }

  /** Whether the database refuses a change of a job: a value, or a rule that it would break. */
  public static boolean isRefused(SQLException fault) {
    String state = String.valueOf(fault.getSQLState());
    return state.startsWith("22") || state.startsWith("23");
  }

  private static boolean lock(Connection connection, UUID id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LOCK)) {
      statement.setString(1, id.toString());
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getBoolean(1);
      }
    }
  }

  /** By a statement behind the lock, so that it sees what the step before has stored. */
  private static @Nullable StepChange read(Connection connection, UUID id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(READ)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? StepChange.of(
                id,
                new Access(
                    row.getString("project"), row.getString("owner"), row.getString("principal")),
                row.getString("kind"),
                Operation.json(row.getString("filter")),
                row.getString("set"),
                row.getString("state").equals("stopping"),
                row.getObject("created_at", OffsetDateTime.class).toInstant(),
                row.getBoolean("jobs_fixed"),
                new StepJobs.Position(
                    row.getObject("after_created_at", OffsetDateTime.class),
                    row.getObject("after_id", UUID.class)))
            : null;
      }
    }
  }

  /** Ends an operation that cannot go on. */
  public void fail(UUID id, String error) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      end(connection, id, "failed", shortened(error));
    }
  }

  private static void end(Connection connection, UUID id, String state, @Nullable String detail)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(END)) {
      statement.setString(1, state);
      statement.setString(2, detail);
      statement.setObject(3, id);
      statement.executeUpdate();
    }
    OperationJobs.forget(connection, id);
  }

  /** Lets the next step of an operation wait. */
  public void delay(UUID id, double seconds) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(DELAY)) {
      statement.setDouble(1, seconds);
      statement.setObject(2, id);
      statement.executeUpdate();
    }
  }

  private static String shortened(String error) {
    String line = error.lines().findFirst().orElse("");
    return line.length() > MOST_DETAIL_CHARACTERS
        ? line.substring(0, MOST_DETAIL_CHARACTERS)
        : line;
  }
}
