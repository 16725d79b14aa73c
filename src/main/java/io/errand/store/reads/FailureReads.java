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
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads the jobs that have failed lately, with the end of what they wrote to stderr. */
@ApplicationScoped
public class FailureReads {
  /** How many of the newest jobs of an index are looked at. */
  public static final int MOST_JOBS = 1_000;

  /** How many bytes of the end of stderr are read of each. */
  public static final int TAIL_BYTES = 400;

  /** A longer stderr is not looked at: to read its end, the database has to read all of it. */
  private static final int MOST_STDERR_BYTES = 64 * 1024;

  /** Each form walks one index from its newest end, and stops after a number of entries. */
  private static final String OF_DEFAULT =
      "WHERE state = 'failed' ORDER BY created_at DESC, id DESC LIMIT ?";

  private static final String OF_PROJECT =
      "WHERE project = ? AND project <> 'default' ORDER BY created_at DESC, id DESC LIMIT ?";

  private static final String OF_PRINCIPAL =
      "WHERE principal = ? AND principal <> 'admin' ORDER BY created_at DESC, id DESC LIMIT ?";

  private static final String READ =
      """
      WITH newest AS MATERIALIZED (
          SELECT id, state, project, principal, attempt, reason, exit_code, signal, queue,
                 created_at, finished_at, left(command[1], 100) AS program
          FROM errand.jobs %s),
      span AS (SELECT min(created_at) AS since, count(*) AS looked_at FROM newest)
      SELECT span.since, span.looked_at, newest.*,
             CASE WHEN octet_length(a.stderr) <= ?
                  THEN substring(a.stderr FROM greatest(octet_length(a.stderr) - ? + 1, 1))
             END AS tail
      FROM span LEFT JOIN newest ON newest.state = 'failed' AND newest.project = ?
             AND newest.principal = coalesce(?, newest.principal)
           LEFT JOIN errand.attempts a ON a.job_id = newest.id AND a.attempt = newest.attempt
      ORDER BY newest.created_at DESC, newest.id DESC
      """;

  private final ProjectReads projects;

  FailureReads(ProjectReads projects) {
    this.projects = projects;
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
   * @param lookedAt how many jobs were looked at
   * @param since when the oldest of them was created, or null where there are none
   */
  public record Failures(List<Failure> failures, long lookedAt, @Nullable Instant since) {}

  /** The failed ones of this caller among the newest jobs. */
  public Failures newest(Access access) throws SQLException {
    boolean isOwn = access.owner() != null;
    boolean isDefault = access.project().equals(ProjectNames.DEFAULT);
    String sql = READ.formatted(isOwn ? OF_PRINCIPAL : isDefault ? OF_DEFAULT : OF_PROJECT);
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(sql)) {
      int at = 1;
      if (isOwn || !isDefault) {
        statement.setString(at++, isOwn ? access.owner() : access.project());
      }
      statement.setInt(at++, MOST_JOBS);
      statement.setInt(at++, MOST_STDERR_BYTES);
      statement.setInt(at++, TAIL_BYTES);
      statement.setString(at++, access.project());
      statement.setString(at, access.owner());
      try (ResultSet row = statement.executeQuery()) {
        return read(row);
      }
    }
  }

  private static Failures read(ResultSet row) throws SQLException {
    List<Failure> failures = new ArrayList<>();
    long lookedAt = 0;
    Instant since = null;
    while (row.next()) {
      lookedAt = row.getLong("looked_at");
      since = time(row, "since");
      UUID id = row.getObject("id", UUID.class);
      Instant finished = time(row, "finished_at");
      if (id != null && finished != null) {
        String reason = row.getString("reason");
        failures.add(
            new Failure(
                id,
                reason == null ? "unknown" : reason,
                row.getObject("exit_code", Integer.class),
                row.getString("signal"),
                row.getString("queue"),
                row.getString("program"),
                finished,
                row.getBytes("tail")));
      }
    }
    return new Failures(failures, lookedAt, since);
  }

  private static @Nullable Instant time(ResultSet row, String column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }
}
