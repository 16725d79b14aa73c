package io.errand.store.reads;

import io.errand.job.Access;
import io.errand.job.ProjectNames;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How things are, for people: read from the newest jobs and from what is small. */
@ApplicationScoped
public class OverviewReads {
  /** How many of the newest jobs are looked at. */
  public static final int MOST_JOBS = 5_000;

  private static final String RECENT =
      """
      WITH recent AS MATERIALIZED (
          SELECT created_at, queue, state, reason, duration_seconds,
                 extract(epoch FROM started_at - greatest(created_at, run_at))::float8 AS wait
          FROM errand.jobs
          WHERE project = ? %s AND principal = coalesce(?, principal)
            AND created_at > now() - make_interval(secs => ?)
          ORDER BY created_at DESC, id DESC LIMIT ?)
      """;

  private static final String OTHER = "AND project <> 'default'"; // as the index asks for

  private static final String SLOTS =
      RECENT
          + """
          SELECT date_bin(make_interval(secs => ?), created_at, TIMESTAMPTZ 'epoch') AS slot,
                 count(*) AS jobs,
                 count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
                 count(*) FILTER (WHERE state = 'failed') AS failed
          FROM recent GROUP BY slot ORDER BY slot
          """;

  private static final String SUMMARY =
      RECENT
          + """
          SELECT count(*) AS jobs, min(created_at) AS oldest,
                 percentile_cont(0.5) WITHIN GROUP (ORDER BY wait) FILTER (WHERE wait >= 0) AS wait_50,
                 percentile_cont(0.95) WITHIN GROUP (ORDER BY wait) FILTER (WHERE wait >= 0) AS wait_95,
                 percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds)
                     FILTER (WHERE duration_seconds IS NOT NULL) AS run_50,
                 percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_seconds)
                     FILTER (WHERE duration_seconds IS NOT NULL) AS run_95
          FROM recent
          """;

  private static final String REASONS =
      RECENT
          + """
          SELECT coalesce(reason, 'unknown') AS reason, count(*) AS jobs
          FROM recent WHERE state = 'failed' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8
          """;

  /* Most of what has finished failed, and that was no single job. */
  private static final String FAILING =
      RECENT
          + """
          SELECT queue, failed, finished
          FROM (SELECT queue, count(*) FILTER (WHERE state = 'failed') AS failed,
                       count(*) FILTER (WHERE state IN ('failed', 'succeeded')) AS finished
                FROM recent GROUP BY queue) q
          WHERE failed >= 3 AND failed * 2 >= finished ORDER BY failed DESC, queue LIMIT 5
          """;

  private static final String LATE =
      """
      SELECT (SELECT count(*) FROM errand.schedules s
              WHERE s.project = ? AND NOT s.paused AND s.next_tick_at < now() - interval '1 minute'),
             (SELECT count(*) FROM errand.workers w
              WHERE w.state = 'lost' AND w.ended_at > now() - interval '1 hour'
                AND (? OR EXISTS (
                    SELECT FROM unnest(w.queues) AS q (name)
                    WHERE q.name = '*' OR
                          CASE strpos(q.name, '/') WHEN 0 THEN 'default' ELSE split_part(q.name, '/', 1) END = ?)))
      """;

  private final ProjectReads projects;

  OverviewReads(ProjectReads projects) {
    this.projects = projects;
  }

  /**
   * Jobs that were created in one length of time, as they are now.
   *
   * @param from when it begins
   */
  public record Slot(Instant from, long jobs, long succeeded, long failed) {}

  /**
   * The newest jobs.
   *
   * @param jobs how many were looked at
   * @param oldest the time of the first of them, or null
   * @param wait50 seconds from when half of them could run until they started, or null
   */
  public record Summary(
      long jobs,
      @Nullable Instant oldest,
      @Nullable Double wait50,
      @Nullable Double wait95,
      @Nullable Double run50,
      @Nullable Double run95) {}

  /** A reason of failures, and how many jobs failed for it. */
  public record Reason(String reason, long jobs) {}

  /**
   * A queue whose jobs fail.
   *
   * @param queue as it is stored
   * @param finished how many have failed or succeeded
   */
  public record Failing(String queue, long failed, long finished) {}

  /**
   * What is late or gone.
   *
   * @param schedules of the project whose next tick is more than a minute past
   * @param lostWorkers in the last hour
   */
  public record Late(long schedules, long lostWorkers) {}

  /** Reads the rows of a statement. */
  private interface Rows<T> {
    T read(ResultSet row) throws SQLException;
  }

  private <T> List<T> recent(
      String sql, Access access, double seconds, @Nullable Double slotSeconds, Rows<T> rows)
      throws SQLException {
    String text = sql.formatted(access.project().equals(ProjectNames.DEFAULT) ? "" : OTHER);
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(text)) {
      statement.setString(1, access.project());
      statement.setString(2, access.owner());
      statement.setDouble(3, seconds);
      statement.setInt(4, MOST_JOBS);
      if (slotSeconds != null) {
        statement.setDouble(5, slotSeconds);
      }
      List<T> all = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          all.add(rows.read(row));
        }
      }
      return all;
    }
  }

  /**
   * The newest jobs by when they were created.
   *
   * @param seconds how far back
   * @param slotSeconds how long each slot is
   */
  public List<Slot> slots(Access access, double seconds, double slotSeconds) throws SQLException {
    return recent(
        SLOTS,
        access,
        seconds,
        slotSeconds,
        row ->
            new Slot(
                row.getObject("slot", OffsetDateTime.class).toInstant(),
                row.getLong("jobs"),
                row.getLong("succeeded"),
                row.getLong("failed")));
  }

  /** How long the newest jobs waited and ran. */
  public Summary summary(Access access, double seconds) throws SQLException {
    return recent(
            SUMMARY,
            access,
            seconds,
            null,
            row -> {
              OffsetDateTime oldest = row.getObject("oldest", OffsetDateTime.class);
              return new Summary(
                  row.getLong("jobs"),
                  oldest == null ? null : oldest.toInstant(),
                  row.getObject("wait_50", Double.class),
                  row.getObject("wait_95", Double.class),
                  row.getObject("run_50", Double.class),
                  row.getObject("run_95", Double.class));
            })
        .get(0);
  }

  /** Why those of the newest jobs have failed that have. */
  public List<Reason> reasons(Access access, double seconds) throws SQLException {
    return recent(
        REASONS, access, seconds, null, row -> new Reason(row.getString(1), row.getLong(2)));
  }

  /** The queues most of whose newest jobs have failed, the worst first; 5 at most. */
  public List<Failing> failing(Access access, double seconds) throws SQLException {
    return recent(
        FAILING,
        access,
        seconds,
        null,
        row -> new Failing(row.getString(1), row.getLong(2), row.getLong(3)));
  }

  /**
   * What is late or gone.
   *
   * @param ofAll whether workers count that serve no queue of the project
   */
  public Late late(String project, boolean ofAll) throws SQLException {
    try (Connection connection = projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(LATE)) {
      statement.setString(1, project);
      statement.setBoolean(2, ofAll);
      statement.setString(3, project);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Late(row.getLong(1), row.getLong(2));
      }
    }
  }
}
