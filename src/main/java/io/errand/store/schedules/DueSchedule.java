package io.errand.store.schedules;

import io.errand.job.ProjectNames;
import io.errand.job.TraceContext;
import io.errand.job.schedule.DueTicks.Span;
import io.errand.store.control.ControlStore;
import io.errand.store.submit.AdmittingStore;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.Overload;
import io.errand.store.submit.SubmitStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A schedule that has ticks that are due, with its row locked: what is done about them is one
 * transaction, so that a tick and its job are there together or not at all.
 */
public final class DueSchedule implements AutoCloseable {
  /** The database refuses such a statement each time: bad data, a constraint, a limit. */
  private static final List<String> REFUSALS = List.of("22", "23", "54");

  private final Connection connection;
  private final ScheduleRow row;
  private boolean committed;

  private DueSchedule(Connection connection, ScheduleRow row) {
    this.connection = connection;
    this.row = row;
  }

  private static final String LOCK =
      "SELECT "
          + ScheduleRows.COLUMNS
          + """
          , s.job::text AS job
          FROM errand.schedules s
          WHERE NOT s.paused AND s.next_tick_at <= now() AND s.id <> ALL (?)
            AND s.project <> ALL (?)
          ORDER BY s.next_tick_at LIMIT 1
          FOR UPDATE SKIP LOCKED
          """;

  private static final String UNFINISHED =
      """
      SELECT id, state FROM errand.jobs
      WHERE principal = ? AND schedule = ? AND schedule IS NOT NULL
        AND state IN ('queued', 'running', 'retrying', 'held')
      LIMIT ?
      """;

  private static final String LAST_TRACE =
      """
      SELECT j.trace_context
      FROM errand.schedule_ticks t JOIN errand.jobs j ON j.id = t.job_id
      WHERE t.schedule_id = ? ORDER BY t.tick_at DESC LIMIT 1
      """;

  private static final String ADVANCE =
      """
      UPDATE errand.schedules SET handled_until = ?, next_tick_at = ? WHERE id = ?
      """;

  /**
   * Locks the schedule whose tick has been due for longest, of those that nobody has locked.
   *
   * @param except ids of schedules that are not meant
   * @param exceptProjects nor are those of these projects
   * @return null if there is none
   */
  public static @Nullable DueSchedule lock(
      DataSource dataSource, Collection<UUID> except, Collection<String> exceptProjects)
      throws SQLException {
    Connection connection = dataSource.getConnection();
    try {
      connection.setAutoCommit(false);
      try (PreparedStatement statement = connection.prepareStatement(LOCK)) {
        statement.setArray(1, connection.createArrayOf("uuid", except.toArray()));
        statement.setArray(2, connection.createArrayOf("text", exceptProjects.toArray()));
        try (ResultSet row = statement.executeQuery()) {
          if (row.next()) {
            return new DueSchedule(connection, ScheduleRows.read(row, row.getString("job")));
          }
        }
      }
      connection.rollback();
      connection.close();
      return null;
    } catch (SQLException | RuntimeException | Error e) {
      connection.close();
      throw e;
    }
  }

  /** Its row, as it is locked. */
  public ScheduleRow row() {
    return row;
  }

  /**
   * A job that has not finished.
   *
   * @param id of the job
   * @param state by wire name
   */
  public record Unfinished(UUID id, String state) {}

  /** Jobs of this schedule that have not finished, at most so many. */
  public List<Unfinished> unfinished(int most) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(UNFINISHED)) {
      statement.setString(1, row.principal());
      statement.setString(2, row.name());
      statement.setInt(3, most);
      List<Unfinished> jobs = new ArrayList<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          jobs.add(new Unfinished(rows.getObject(1, UUID.class), rows.getString(2)));
        }
      }
      return jobs;
    }
  }

  /** The trace of the job of the last tick that has one, or null. */
  public @Nullable TraceContext lastTrace() throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LAST_TRACE)) {
      statement.setObject(1, row.id());
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? TraceContext.ofStored(rows.getString(1)) : null;
      }
    }
  }

  /** Cancels a job, or asks its worker to. */
  public void cancel(UUID job) throws SQLException {
    ControlStore.cancel(connection, job, row.access());
  }

  /**
   * Submits the job of a tick and records it.
   *
   * @return null, or a sentence if its queue or the database does not accept it; nothing is stored
   *     then
   */
  public @Nullable String submit(Instant tick, NewJob job) throws SQLException {
    Overload full = AdmittingStore.refusal(connection, job.spec().queue());
    if (full != null) {
      return "%s %s has %d waiting jobs, and its %s is %d"
          .formatted(
              full.kind().subject(),
              ProjectNames.shownQueue(full.subject()),
              (long) full.value(),
              full.kind().wireName(),
              (long) full.limit());
    }
    Savepoint before = connection.setSavepoint();
    try {
      if (!SubmitStore.insert(connection, List.of(job)).containsKey(job.id())) {
        throw new IllegalStateException("Job " + job.id() + " has a new id and was not stored");
      }
      TickStatements.submitted(connection, row.id(), tick, job.id());
      connection.releaseSavepoint(before);
      return null;
    } catch (SQLException e) {
      String state = String.valueOf(e.getSQLState());
      if (REFUSALS.stream().noneMatch(state::startsWith)) {
        throw e;
      }
      connection.rollback(before);
      return "the database refused the job with SQLSTATE " + state; // its message may hold secrets
    }
  }

  /** Records why ticks have no job. */
  public void skip(Span ticks, Skipped why, @Nullable String detail) throws SQLException {
    TickStatements.skipped(connection, row.id(), ticks, why, detail);
  }

  /** The same of one tick. */
  public void skip(Instant tick, Skipped why, @Nullable String detail) throws SQLException {
    skip(new Span(tick, tick, 1, true), why, detail);
  }

  /**
   * Ends the transaction.
   *
   * @param handledUntil the last tick that was decided about
   * @param next the first that was not, or null if there is none
   */
  public void commit(Instant handledUntil, @Nullable Instant next) throws SQLException {
    TickStatements.prune(connection, row.id());
    try (PreparedStatement statement = connection.prepareStatement(ADVANCE)) {
      ScheduleRows.setTime(statement, 1, handledUntil);
      ScheduleRows.setTime(statement, 2, next);
      statement.setObject(3, row.id());
      statement.executeUpdate();
    }
    connection.commit();
    committed = true;
  }

  /** Takes back what has not been committed. */
  @Override
  public void close() throws SQLException {
    try (Connection closed = connection) {
      if (!committed) {
        closed.rollback();
      }
    }
  }
}
