package io.errand.store.reads;

import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads what is kept of the output of ended attempts by the piece: it may be two mebibytes. */
@ApplicationScoped
public class OutputReads {
  /** Up to this size of both streams together the bytes come along with their measure. */
  private static final int SMALL_BYTES = 16 * 1024;

  /** How many bytes of the head, and of the tail, come along with the measure. */
  public static final int SEAM_BYTES = 3;

  private static final String MEASURE =
      """
      SELECT octet_length(stdout), stdout_head_bytes, stdout_bytes,
             substring(stdout FROM greatest(stdout_head_bytes - 2, 1)
                       FOR least(stdout_head_bytes, 3) + 3),
             CASE WHEN octet_length(stdout) + octet_length(stderr) <= ? THEN stdout END,
             octet_length(stderr), stderr_head_bytes, stderr_bytes,
             substring(stderr FROM greatest(stderr_head_bytes - 2, 1)
                       FOR least(stderr_head_bytes, 3) + 3),
             CASE WHEN octet_length(stdout) + octet_length(stderr) <= ? THEN stderr END
      FROM errand.attempts WHERE job_id = ? AND attempt = ?
      """;

  private static final String READ_STDOUT =
      """
      SELECT substring(stdout FROM ? FOR ?) FROM errand.attempts WHERE job_id = ? AND attempt = ?
      """;

  private static final String READ_STDERR = READ_STDOUT.replace("stdout", "stderr");

  private final ProjectReads projects;

  OutputReads(ProjectReads projects) {
    this.projects = projects;
  }

  /**
   * What is kept of one stream, measured.
   *
   * @param project of which project
   * @param jobId of which job
   * @param attempt of which try
   * @param stderr of which stream
   * @param bytes how many are kept: the head, then the tail
   * @param headBytes how many of them are the head
   * @param totalBytes how many bytes were printed
   * @param seam the last bytes of the head and the first of the tail, {@link #SEAM_BYTES} of each
   *     where there are so many
   * @param content all of it, or null where both streams together are large
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  public record Stream(
      String project,
      UUID jobId,
      int attempt,
      boolean stderr,
      int bytes,
      int headBytes,
      long totalBytes,
      byte[] seam,
      byte @Nullable [] content) {

    /** Nothing was printed. */
    public static Stream none(String project, UUID job, int attempt) {
      return new Stream(project, job, attempt, false, 0, 0, 0, new byte[0], new byte[0]);
    }

    /** How many bytes were printed and not kept. */
    public long droppedBytes() {
      return totalBytes - bytes;
    }
  }

  /**
   * What is kept of both streams of an attempt that has ended; it never changes.
   *
   * @param stdout of standard output
   * @param stderr of standard error
   */
  public record Measure(Stream stdout, Stream stderr) {
    /** How many bytes are kept of both. */
    public int bytes() {
      return stdout.bytes() + stderr.bytes();
    }
  }

  /** Measures the output of an attempt of a job of a project, if that has ended. */
  public Optional<Measure> measure(String project, UUID job, int attempt) throws SQLException {
    try (Connection connection = projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(MEASURE)) {
      statement.setInt(1, SMALL_BYTES);
      statement.setInt(2, SMALL_BYTES);
      statement.setObject(3, job);
      statement.setInt(4, attempt);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(
                new Measure(
                    stream(row, 1, project, job, attempt, false),
                    stream(row, 6, project, job, attempt, true)))
            : Optional.empty();
      }
    }
  }

  private static Stream stream(
      ResultSet row, int column, String project, UUID job, int attempt, boolean stderr)
      throws SQLException {
    return new Stream(
        project,
        job,
        attempt,
        stderr,
        row.getInt(column),
        row.getInt(column + 1),
        row.getLong(column + 2),
        row.getBytes(column + 3),
        row.getBytes(column + 4));
  }

  /**
   * Reads a part of what is kept.
   *
   * @param from the first byte, from 0
   * @param length how many, within what is kept
   * @throws SQLException also if they are not there: the job has been removed meanwhile
   */
  public byte[] read(Stream stream, int from, int length) throws SQLException {
    if (stream.content() != null) {
      return Arrays.copyOfRange(stream.content(), from, from + length);
    }
    try (Connection connection = projects.connection(stream.project());
        PreparedStatement statement =
            connection.prepareStatement(stream.stderr() ? READ_STDERR : READ_STDOUT)) {
      statement.setInt(1, from + 1);
      statement.setInt(2, length);
      statement.setObject(3, stream.jobId());
      statement.setInt(4, stream.attempt());
      try (ResultSet row = statement.executeQuery()) {
        byte[] bytes = row.next() ? row.getBytes(1) : new byte[0];
        if (bytes.length != length) {
          throw new SQLException("The output of job " + stream.jobId() + " has been removed");
        }
        return bytes;
      }
    }
  }
}
