package io.errand.store.reads;

import io.errand.job.Access;
import io.errand.job.ProjectNames;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Reads the jobs that have failed lately, with the end of what they wrote to stderr. */
@ApplicationScoped
public class FailureReads {
  /** How many failures are read. */
  public static final int MOST_JOBS = 1_000;

  /** How many of the newest entries of an index are looked at. */
  static final int MOST_LOOKED_AT = 20_000;

  /** How many bytes of the end of stderr are read of each. */
  public static final int TAIL_BYTES = 400;

  /** A longer stderr is not looked at: to read its end, the database has to read all of it. */
  private static final int MOST_STDERR_BYTES = 64 * 1024;

  /** Each walks one index from its newest end. */
  private static final String OF_DEFAULT = "state = 'failed'";

  private static final String OF_PROJECT = "project = ? AND project <> 'default'";
  private static final String OF_PRINCIPAL = "principal = ? AND principal <> 'admin'";

  /**
   * How far back is looked: read from the index alone, outside of the project. It tells a time
   * only.
   */
  private static final String SINCE =
      """
      SELECT created_at FROM errand.jobs WHERE %s ORDER BY created_at DESC, id DESC OFFSET ? LIMIT 1
      """;

  private static final String READ =
      """
      WITH newest AS MATERIALIZED (
          SELECT id, attempt, reason, exit_code, signal, queue,
                 created_at, finished_at, left(command[1], 100) AS program
          FROM errand.jobs
          WHERE %s AND state = 'failed' AND project = ? AND principal = coalesce(?, principal)
            AND created_at >= coalesce(?::timestamptz, '-infinity')
            AND NOT EXISTS (SELECT FROM errand.jobs r WHERE r.retry_of = jobs.id)
          ORDER BY created_at DESC, id DESC LIMIT ?)
      SELECT newest.*,
             CASE WHEN octet_length(a.stderr) <= ?
                  THEN substring(a.stderr FROM greatest(octet_length(a.stderr) - ? + 1, 1))
             END AS tail
      FROM newest LEFT JOIN errand.attempts a
           ON a.job_id = newest.id AND a.attempt = newest.attempt
      ORDER BY newest.created_at DESC, newest.id DESC
      """;

  private final ProjectReads projects;
  private final DataSource dataSource;

  public FailureReads(ProjectReads projects, DataSource dataSource) {
    this.projects = projects;
    this.dataSource = dataSource;
  }

  /**
   * A job that has failed.
   *
   * @param reason by wire name
   * @param exitCode or null
   * @param signal or null
   * @param queue as it is stored
   * @param program the beginning of the first word of its command
   * @param tail the end of what is kept of its stderr, or null where there is none
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  public record Failure(
      UUID id,
      String reason,
      @Nullable Integer exitCode,
      @Nullable String signal,
      String queue,
      String program,
      Instant finishedAt,
      byte @Nullable [] tail) {}

  /**
   * The newest failures.
   *
   * @param since no job that was created before was looked at; null where all were
   */
  public record Failures(List<Failure> failures, @Nullable Instant since) {}

  /**
   * The newest failed jobs of this caller, {@value #MOST_JOBS} at most, without those that were
   * tried again as other jobs.
   */
  public Failures newest(Access access) throws SQLException {
    String owner = access.owner();
    boolean isDefault = access.project().equals(ProjectNames.DEFAULT);
    String walk = owner != null ? OF_PRINCIPAL : isDefault ? OF_DEFAULT : OF_PROJECT;
    String walked = owner != null ? owner : isDefault ? null : access.project();
    OffsetDateTime since = since(walk, walked);
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(READ.formatted(walk))) {
      int at = 1;
      if (walked != null) {
        statement.setString(at++, walked);
      }
      statement.setString(at++, access.project());
      statement.setString(at++, owner);
      statement.setObject(at++, since, Types.TIMESTAMP_WITH_TIMEZONE);
      statement.setInt(at++, MOST_JOBS);
      statement.setInt(at++, MOST_STDERR_BYTES);
      statement.setInt(at, TAIL_BYTES);
      try (ResultSet row = statement.executeQuery()) {
        return read(row, since == null ? null : since.toInstant());
      }
    }
  }

  private @Nullable OffsetDateTime since(String walk, @Nullable String walked) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(SINCE.formatted(walk))) {
      int at = 1;
      if (walked != null) {
        statement.setString(at++, walked);
      }
      statement.setInt(at, MOST_LOOKED_AT - 1);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getObject(1, OffsetDateTime.class) : null;
      }
    }
  }

  private static Failures read(ResultSet row, @Nullable Instant since) throws SQLException {
    List<Failure> failures = new ArrayList<>();
    Instant oldest = since;
    while (row.next()) {
      Instant finished = time(row, "finished_at");
      if (finished != null) {
        String reason = row.getString("reason");
        failures.add(
            new Failure(
                row.getObject("id", UUID.class),
                reason == null ? "unknown" : reason,
                row.getObject("exit_code", Integer.class),
                row.getString("signal"),
                row.getString("queue"),
                row.getString("program"),
                finished,
                row.getBytes("tail")));
      }
      if (failures.size() == MOST_JOBS) {
        oldest = time(row, "created_at");
      }
    }
    return new Failures(failures, oldest);
  }

  private static @Nullable Instant time(ResultSet row, String column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }
}
