package io.errand.store.schedules;

import io.errand.job.schedule.CatchUp;
import io.errand.job.schedule.Overlap;
import io.errand.job.schedule.Schedule;
import io.errand.job.schedule.Timing;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Rows of schedules and ticks, as they are read and written. */
final class ScheduleRows {
  private ScheduleRows() {}

  /** The columns of a row, without the job. */
  static final String COLUMNS =
      """
      s.id, s.project, s.principal, s.name, s.cron, s.times, s.zone, s.overlap, s.catch_up, s.catch_up_limit,
      s.jitter_seconds, s.starts_at, s.ends_at, s.paused, s.created_at, s.updated_at,
      s.handled_until, s.next_tick_at, now() AS now
      """;

  /** The columns of a tick with the state of its job. */
  static final String TICK_COLUMNS =
      """
      t.tick_at, t.last_tick_at, t.ticks, t.job_id, j.state AS job_state, t.skipped, t.detail,
      t.handled_at
      """;

  /**
   * A row.
   *
   * @param job the body of its submits, or a text that stands for it
   */
  static ScheduleRow read(ResultSet row, String job) throws SQLException {
    return new ScheduleRow(
        row.getObject("id", UUID.class),
        row.getString("project"),
        row.getString("principal"),
        row.getString("name"),
        new Schedule(
            new Timing(
                row.getString("cron"),
                times(row.getArray("times")),
                row.getString("zone"),
                time(row, "starts_at"),
                time(row, "ends_at")),
            Overlap.ofWireName(row.getString("overlap")),
            CatchUp.ofWireName(row.getString("catch_up")),
            row.getInt("catch_up_limit"),
            row.getDouble("jitter_seconds"),
            row.getBoolean("paused"),
            job),
        some(row, "created_at"),
        some(row, "updated_at"),
        some(row, "handled_until"),
        time(row, "next_tick_at"),
        some(row, "now"));
  }

  /** A tick, or null where the row has none. */
  static @Nullable TickRow readTick(ResultSet row) throws SQLException {
    Instant tick = time(row, "tick_at");
    return tick == null
        ? null
        : new TickRow(
            tick,
            some(row, "last_tick_at"),
            row.getLong("ticks"),
            row.getObject("job_id", UUID.class),
            row.getString("job_state"),
            row.getString("skipped"),
            row.getString("detail"),
            some(row, "handled_at"));
  }

  /**
   * Sets eleven parameters: cron, times, zone, overlap, catch_up, catch_up_limit, jitter_seconds,
   * starts_at, ends_at, paused and job.
   *
   * @return the number of the next one
   */
  static int bind(PreparedStatement statement, int first, Schedule schedule) throws SQLException {
    Timing timing = schedule.timing();
    int at = first;
    statement.setString(at++, timing.cron());
    statement.setArray(
        at++, timing.cron() == null ? array(statement.getConnection(), timing.times()) : null);
    statement.setString(at++, timing.zone());
    statement.setString(at++, schedule.overlap().wireName());
    statement.setString(at++, schedule.catchUp().wireName());
    statement.setInt(at++, schedule.catchUpLimit());
    statement.setDouble(at++, schedule.jitterSeconds());
    setTime(statement, at++, timing.startsAt());
    setTime(statement, at++, timing.endsAt());
    statement.setBoolean(at++, schedule.paused());
    statement.setString(at++, schedule.job());
    return at;
  }

  private static Array array(Connection connection, List<Instant> times) throws SQLException {
    return connection.createArrayOf(
        "timestamptz", times.stream().map(Instant::toString).toArray(String[]::new));
  }

  private static List<Instant> times(@Nullable Array array) throws SQLException {
    return array == null
        ? List.of()
        : Arrays.stream((Timestamp[]) array.getArray()).map(Timestamp::toInstant).toList();
  }

  static void setTime(PreparedStatement statement, int at, @Nullable Instant time)
      throws SQLException {
    statement.setObject(at, time == null ? null : time.atOffset(ZoneOffset.UTC));
  }

  static @Nullable Instant time(ResultSet row, String name) throws SQLException {
    OffsetDateTime time = row.getObject(name, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }

  static Instant some(ResultSet row, String name) throws SQLException {
    return row.getObject(name, OffsetDateTime.class).toInstant();
  }
}
