package io.errand.store.schedules;

import io.errand.job.Access;
import io.errand.job.schedule.DueTicks;
import io.errand.job.schedule.DueTicks.Span;
import io.errand.job.schedule.Schedule;
import io.errand.store.AccessSql;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.UUID;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What clients do to schedules: create, change, delete. */
@ApplicationScoped
public class ScheduleStore {
  private final DataSource dataSource;

  public ScheduleStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** What became of a schedule that was to be made. */
  public enum Creation {
    /** It is there. */
    CREATED,
    /** There is one of that name. */
    NAME_TAKEN,
    /** The project has as many as it may have. */
    TOO_MANY,
    /** None of its ticks is in the future. */
    NO_TICK
  }

  /* Held until the end of the transaction, so that two creates do not count at the same time. */
  private static final String ONE_BY_ONE =
      """
      SELECT pg_advisory_xact_lock(hashtextextended('errand schedules of ' || ?, 0))
      """;

  /* A schedule of a name that was used before begins behind the ticks that have jobs. */
  private static final String FACTS =
      """
      SELECT count(*) AS schedules, count(*) FILTER (WHERE name = ?) AS of_name,
          greatest(now(), (
              SELECT max(scheduled_at) FROM errand.jobs
              WHERE principal = ? AND schedule = ? AND scheduled_at IS NOT NULL)) AS handled_until
      FROM errand.schedules WHERE project = ?
      """;

  private static final String CREATE =
      """
      INSERT INTO errand.schedules (
          cron, times, zone, overlap, catch_up, catch_up_limit, jitter_seconds, starts_at, ends_at,
          paused, job, id, project, principal, name, handled_until, next_tick_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?, ?)
      """;

  private static final String LOCK =
      "SELECT "
          + ScheduleRows.COLUMNS
          + ", s.job::text AS job FROM errand.schedules s WHERE project = ? AND principal = coalesce(?, principal)"
          + " AND name = ?"
          + " FOR UPDATE";

  private static final String CHANGE =
      """
      UPDATE errand.schedules
      SET cron = ?, times = ?, zone = ?, overlap = ?, catch_up = ?, catch_up_limit = ?,
          jitter_seconds = ?, starts_at = ?, ends_at = ?, paused = ?, job = ?::jsonb,
          handled_until = ?, next_tick_at = ?, updated_at = now()
      WHERE id = ?
      """;

  private static final String DELETE =
      """
      DELETE FROM errand.schedules WHERE project = ? AND principal = coalesce(?, principal) AND name = ?
      """;

  /**
   * Makes a schedule.
   *
   * @param id of the schedule
   * @param most how many its project may have
   */
  public Creation create(UUID id, Access access, String name, Schedule schedule, int most)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Creation creation = create(connection, id, access, name, schedule, most);
        connection.commit();
        return creation;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  /**
   * What would come of it; nothing is stored.
   *
   * @param nextTickAt the first tick; null unless it would be made
   */
  public record Rehearsal(Creation creation, @Nullable Instant nextTickAt) {}

  /** What {@link #create} would answer now. */
  public Rehearsal rehearse(UUID id, Access access, String name, Schedule schedule, int most)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try (PreparedStatement next = connection.prepareStatement(NEXT_TICK)) {
        Creation creation = create(connection, id, access, name, schedule, most);
        next.setObject(1, id);
        try (ResultSet row = next.executeQuery()) {
          return new Rehearsal(
              creation, row.next() ? ScheduleRows.some(row, "next_tick_at") : null);
        }
      } finally {
        connection.rollback();
      }
    }
  }

  private static final String NEXT_TICK = "SELECT next_tick_at FROM errand.schedules WHERE id = ?";

  private static Creation create(
      Connection connection, UUID id, Access access, String name, Schedule schedule, int most)
      throws SQLException {
    try (PreparedStatement lock = connection.prepareStatement(ONE_BY_ONE)) {
      lock.setString(1, access.project());
      lock.execute();
    }
    Instant handledUntil;
    try (PreparedStatement facts = connection.prepareStatement(FACTS)) {
      facts.setString(1, name);
      facts.setString(2, access.principal());
      facts.setString(3, name);
      facts.setString(4, access.project());
      try (ResultSet row = facts.executeQuery()) {
        row.next();
        if (row.getLong("of_name") > 0) {
          return Creation.NAME_TAKEN;
        }
        if (row.getLong("schedules") >= most) {
          return Creation.TOO_MANY;
        }
        handledUntil = ScheduleRows.some(row, "handled_until");
      }
    }
    Instant next = schedule.timing().ticks().next(handledUntil);
    if (next == null) {
      return Creation.NO_TICK;
    }
    try (PreparedStatement statement = connection.prepareStatement(CREATE)) {
      int at = ScheduleRows.bind(statement, 1, schedule);
      statement.setObject(at++, id);
      statement.setString(at++, access.project());
      statement.setString(at++, access.principal());
      statement.setString(at++, name);
      ScheduleRows.setTime(statement, at++, handledUntil);
      ScheduleRows.setTime(statement, at, next);
      statement.executeUpdate();
    }
    return Creation.CREATED;
  }

  /**
   * Changes a schedule. One whose ticks become others, or that is paused or resumed, goes on with
   * the first tick after this moment; what was due and nobody had looked at is recorded as skipped.
   *
   * @param change makes another schedule of one while its row is locked, and may throw
   * @return whether there is one of that name
   */
  public boolean change(Access access, String name, Function<ScheduleRow, Schedule> change)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        ScheduleRow row = lock(connection, access, name);
        if (row != null) {
          write(connection, row, change.apply(row));
        }
        connection.commit();
        return row != null;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static @Nullable ScheduleRow lock(Connection connection, Access access, String name)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LOCK)) {
      statement.setString(AccessSql.bind(statement, 1, access), name);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? ScheduleRows.read(row, row.getString("job")) : null;
      }
    }
  }

  private static void write(Connection connection, ScheduleRow row, Schedule changed)
      throws SQLException {
    Instant handledUntil = row.handledUntil();
    Instant next = row.nextTickAt();
    if (!row.schedule().ticksAlike(changed)) {
      if (next != null && !next.isAfter(row.now())) {
        Span skipped = DueTicks.span(row.schedule().timing(), next, row.now());
        if (skipped != null) {
          Skipped why = row.schedule().paused() ? Skipped.PAUSED : Skipped.CHANGED;
          TickStatements.skipped(connection, row.id(), skipped, why, null);
        }
      }
      handledUntil = row.now().isAfter(handledUntil) ? row.now() : handledUntil;
      next = changed.timing().ticks().next(handledUntil);
    }
    try (PreparedStatement statement = connection.prepareStatement(CHANGE)) {
      int at = ScheduleRows.bind(statement, 1, changed);
      ScheduleRows.setTime(statement, at++, handledUntil);
      ScheduleRows.setTime(statement, at++, next);
      statement.setObject(at, row.id());
      statement.executeUpdate();
    }
  }

  /**
   * Removes a schedule with the record of its ticks. Its jobs stay.
   *
   * @return whether there was one of that name
   */
  public boolean delete(Access access, String name) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(DELETE)) {
      statement.setString(AccessSql.bind(statement, 1, access), name);
      return statement.executeUpdate() > 0;
    }
  }
}
