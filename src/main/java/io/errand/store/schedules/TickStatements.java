package io.errand.store.schedules;

import io.errand.job.schedule.DueTicks.Span;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What writes rows of {@code schedule_ticks}; each belongs to a transaction of its caller. */
final class TickStatements {
  /** How many rows of a schedule are kept. */
  private static final int MOST_ROWS = 1_000;

  private static final int MOST_DETAIL = 500;

  private TickStatements() {}

  private static final String RECORD =
      """
      INSERT INTO errand.schedule_ticks (
          schedule_id, tick_at, last_tick_at, ticks, job_id, skipped, detail)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """;

  private static final String PRUNE =
      """
      DELETE FROM errand.schedule_ticks WHERE schedule_id = ? AND tick_at <= (
          SELECT tick_at FROM errand.schedule_ticks WHERE schedule_id = ?
          ORDER BY tick_at DESC OFFSET ? LIMIT 1)
      """;

  /** Records that a tick has a job. */
  static void submitted(Connection connection, UUID schedule, Instant tick, UUID job)
      throws SQLException {
    record(connection, schedule, new Span(tick, tick, 1, true), job, null, null);
  }

  /** Records why ticks have none. */
  static void skipped(
      Connection connection, UUID schedule, Span ticks, Skipped why, @Nullable String detail)
      throws SQLException {
    String counted = ticks.isCounted() ? null : "at least so many";
    record(connection, schedule, ticks, null, why, detail == null ? counted : detail);
  }

  private static void record(
      Connection connection,
      UUID schedule,
      Span ticks,
      @Nullable UUID job,
      @Nullable Skipped why,
      @Nullable String detail)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(RECORD)) {
      statement.setObject(1, schedule);
      ScheduleRows.setTime(statement, 2, ticks.first());
      ScheduleRows.setTime(statement, 3, ticks.last());
      statement.setLong(4, ticks.count());
      statement.setObject(5, job);
      statement.setString(6, why == null ? null : why.wireName());
      statement.setString(
          7,
          detail == null || detail.length() <= MOST_DETAIL
              ? detail
              : detail.substring(0, MOST_DETAIL) + "…");
      statement.executeUpdate();
    }
  }

  /** Removes what is older than the newest rows of a schedule. */
  static void prune(Connection connection, UUID schedule) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(PRUNE)) {
      statement.setObject(1, schedule);
      statement.setObject(2, schedule);
      statement.setInt(3, MOST_ROWS);
      statement.executeUpdate();
    }
  }
}
