package io.errand.store.reads;

import io.errand.job.Access;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.control.ActivateRequestContext;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Finds the last job that has succeeded with the program of another. */
@ApplicationScoped
@ActivateRequestContext
public class LastSuccess {
  /** How many of the newest jobs of the queue are looked at. */
  private static final int WINDOW = 500;

  private static final String FIND =
      """
      SELECT id FROM (
          SELECT j.id, j.state, j.command, j.created_at FROM errand.jobs j
          WHERE j.queue = ? AND j.created_at <= ?
          ORDER BY j.created_at DESC, j.id DESC LIMIT ?) newest
      WHERE state = 'succeeded' AND command[1] = ?
      ORDER BY command = ? DESC, created_at DESC, id DESC LIMIT 1
      """;

  /** Of a larger output the end is not read, as the database would have to read all of it. */
  private static final int MOST_OUTPUT_BYTES = 64 * 1024;

  private static final int TAIL_BYTES = 1024;

  private static final String TAIL =
      """
      SELECT CASE WHEN octet_length(stdout) <= ?
                  THEN substring(stdout FROM greatest(octet_length(stdout) - ? + 1, 1)) END,
             CASE WHEN octet_length(stderr) <= ?
                  THEN substring(stderr FROM greatest(octet_length(stderr) - ? + 1, 1)) END
      FROM errand.attempts WHERE job_id = ? AND attempt = ?
      """;

  private final ProjectReads projects;
  private final JobReads reads;

  LastSuccess(ProjectReads projects, JobReads reads) {
    this.projects = projects;
    this.reads = reads;
  }

  /**
   * The end of what is kept of the output of an attempt: at most a kibibyte of each stream.
   *
   * @param stdout invalid UTF-8 replaced; null where it is not known
   * @param stderr the same
   */
  public record Tail(@Nullable String stdout, @Nullable String stderr) {}

  /** The end of the output of the latest attempt of a job. */
  public Tail tail(JobEntity job) throws SQLException {
    try (Connection connection = projects.connection(job.project);
        PreparedStatement statement = connection.prepareStatement(TAIL)) {
      statement.setInt(1, MOST_OUTPUT_BYTES);
      statement.setInt(2, TAIL_BYTES);
      statement.setInt(3, MOST_OUTPUT_BYTES);
      statement.setInt(4, TAIL_BYTES);
      statement.setObject(5, job.id);
      statement.setInt(6, job.attempt);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new Tail(text(row.getBytes(1)), text(row.getBytes(2)))
            : new Tail(null, null);
      }
    }
  }

  private static @Nullable String text(byte @Nullable [] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  /**
   * The last job before this one that has succeeded with the same command in the same queue, or,
   * where there is none among the newest, with the same program.
   */
  public Optional<JobEntity> before(JobEntity job, Access access) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setString(1, job.queue);
      statement.setObject(2, job.createdAt.atOffset(java.time.ZoneOffset.UTC));
      statement.setInt(3, WINDOW);
      statement.setString(4, job.command[0]);
      statement.setArray(5, connection.createArrayOf("text", job.command));
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? reads.find(row.getObject(1, UUID.class), access) : Optional.empty();
      }
    }
  }
}
