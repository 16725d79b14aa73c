package io.errand.store.schedules;

import io.errand.job.Access;
import io.errand.store.AccessSql;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What clients read of schedules. Each read is bounded. */
@ApplicationScoped
public class ScheduleReads {
  private final ProjectReads projects;

  public ScheduleReads(ProjectReads projects) {
    this.projects = projects;
  }

  /**
   * A schedule with its newest tick.
   *
   * @param row its row; of a list without the job
   * @param lastTick null if there was none yet
   */
  public record Read(ScheduleRow row, @Nullable TickRow lastTick) {}

  private static final String WITH_LAST_TICK =
      """
       FROM errand.schedules s
      LEFT JOIN LATERAL (
          SELECT * FROM errand.schedule_ticks t WHERE t.schedule_id = s.id
          ORDER BY t.tick_at DESC LIMIT 1) t ON true
      LEFT JOIN errand.jobs j ON j.id = t.job_id
      WHERE s.project = ? AND s.principal = coalesce(?, s.principal)
      """;

  private static final String FIND =
      "SELECT "
          + ScheduleRows.COLUMNS
          + ", s.job::text AS job, "
          + ScheduleRows.TICK_COLUMNS
          + WITH_LAST_TICK
          + " AND s.name = ?";

  private static final String LIST =
      "SELECT "
          + ScheduleRows.COLUMNS
          + ", '{}' AS job, "
          + ScheduleRows.TICK_COLUMNS
          + WITH_LAST_TICK
          + " AND s.name > ? ORDER BY s.name LIMIT ?";

  private static final String JOB_BYTES =
      """
      SELECT octet_length(job::text) FROM errand.schedules WHERE project = ? AND principal = coalesce(?, principal) AND name = ?
      """;

  private static final String TICKS =
      "SELECT "
          + ScheduleRows.TICK_COLUMNS
          + """
           FROM errand.schedule_ticks t LEFT JOIN errand.jobs j ON j.id = t.job_id
          WHERE t.schedule_id = ? AND t.tick_at < coalesce(?, 'infinity'::timestamptz)
          ORDER BY t.tick_at DESC LIMIT ?
          """;

  /** One schedule of this caller. */
  public Optional<Read> find(Access access, String name) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setString(AccessSql.bind(statement, 1, access), name);
      return read(statement).stream().findFirst();
    }
  }

  /** How many bytes the job of a schedule of this caller takes. */
  public OptionalLong jobBytes(Access access, String name) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(JOB_BYTES)) {
      statement.setString(AccessSql.bind(statement, 1, access), name);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? OptionalLong.of(row.getLong(1)) : OptionalLong.empty();
      }
    }
  }

  /**
   * Schedules of this caller by name, without their jobs.
   *
   * @param after the name behind which they begin, or empty
   * @param limit at most so many
   */
  public List<Read> list(Access access, String after, int limit) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(LIST)) {
      int at = AccessSql.bind(statement, 1, access);
      statement.setString(at, after);
      statement.setInt(at + 1, limit);
      return read(statement);
    }
  }

  private static List<Read> read(PreparedStatement statement) throws SQLException {
    List<Read> found = new ArrayList<>();
    try (ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        found.add(
            new Read(ScheduleRows.read(row, row.getString("job")), ScheduleRows.readTick(row)));
      }
    }
    return found;
  }

  /**
   * Ticks of a schedule, the newest first.
   *
   * @param before where they begin, exclusive; null for the newest
   * @param limit at most so many
   */
  public List<TickRow> ticks(UUID schedule, String project, @Nullable Instant before, int limit)
      throws SQLException {
    try (Connection connection = projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(TICKS)) {
      statement.setObject(1, schedule);
      ScheduleRows.setTime(statement, 2, before);
      statement.setInt(3, limit);
      List<TickRow> ticks = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          TickRow tick = ScheduleRows.readTick(row);
          if (tick != null) {
            ticks.add(tick);
          }
        }
      }
      return ticks;
    }
  }
}
