package io.errand.store.workers;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What clients watch while a job runs, and what its worker shows: live output and the process tree.
 * Any node may ask, the one that runs the job answers, both through these tables alone.
 */
@ApplicationScoped
public class WatchStore {
  private final DataSource dataSource;

  WatchStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  private static final String WATCH_OUTPUT =
      """
      INSERT INTO errand.watches AS w (job_id, output_until)
      SELECT id, now() + make_interval(secs => ?) FROM unnest(?::uuid[]) AS i (id) ORDER BY id
      ON CONFLICT (job_id) DO UPDATE SET output_until = excluded.output_until
      """;

  private static final String ASK_FOR_PROCESSES =
      """
      INSERT INTO errand.watches AS w (job_id, processes_asked_at) VALUES (?, clock_timestamp())
      ON CONFLICT (job_id) DO UPDATE SET processes_asked_at = excluded.processes_asked_at
      RETURNING processes_asked_at::text
      """;

  private static final String ANSWER_PROCESSES =
      """
      UPDATE errand.watches SET processes = ?::jsonb, processes_at = clock_timestamp()
      WHERE job_id = ?
      """;

  private static final String PROCESSES =
      """
      SELECT processes::text FROM errand.watches
      WHERE job_id = ? AND processes_at >= ?::timestamptz
      """;

  private static final String PROCESSES_BYTES =
      PROCESSES.replace("processes::text", "octet_length(processes::text)");

  private static final String APPEND =
      """
      INSERT INTO errand.live_output (job_id, attempt, stderr, start_byte, data)
      SELECT * FROM unnest(?::uuid[], ?::integer[], ?::boolean[], ?::bigint[], ?::bytea[])
      """;

  private static final String CHUNKS =
      """
      SELECT id, stderr, start_byte, data, created_at FROM errand.live_output
      WHERE job_id = ? AND attempt = ? AND id > ?
      ORDER BY id LIMIT ?
      """;

  /* Workers send what they keep once more before its first pieces are forgotten: here it begins. */
  private static final String BEGINNING =
      """
      SELECT min(s.beginning) - 1 FROM (
          SELECT max(id) FILTER (WHERE start_byte = 0) AS beginning,
                 (array_agg(start_byte ORDER BY id))[1] AS first
          FROM errand.live_output WHERE job_id = ? AND attempt = ? GROUP BY stderr) s
      HAVING bool_or(s.first > 0) AND bool_and(s.beginning IS NOT NULL)
      """;

  private static final String WITH_NEWS =
      """
      SELECT p.n FROM unnest(?::uuid[], ?::integer[], ?::bigint[])
          WITH ORDINALITY AS p (job_id, attempt, id, n),
          LATERAL (SELECT 1 FROM errand.live_output o
                   WHERE o.job_id = p.job_id AND o.attempt = p.attempt AND o.id > p.id LIMIT 1) o
      """;

  private static final String NEXT_ATTEMPT =
      """
      SELECT least(
          (SELECT attempt FROM errand.live_output
           WHERE job_id = ? AND (attempt, id) > (?, ?) AND attempt <= ?
           ORDER BY attempt, id LIMIT 1),
          (SELECT attempt FROM errand.attempts
           WHERE job_id = ? AND attempt BETWEEN ? AND ? AND stdout_bytes + stderr_bytes > 0
           ORDER BY attempt LIMIT 1))
      """;

  private static final String FORGET_OUTPUT =
      """
      DELETE FROM errand.live_output WHERE id IN (
          SELECT id FROM errand.live_output WHERE created_at < now() - INTERVAL '2 minutes'
          ORDER BY created_at LIMIT ?)
      """;

  private static final String FORGET_WATCHES =
      """
      DELETE FROM errand.watches
      WHERE coalesce(output_until, '-infinity') < now()
        AND coalesce(processes_asked_at, '-infinity') < now() - INTERVAL '2 minutes'
      """;

  /**
   * A piece of live output.
   *
   * @param id grows, across all jobs
   * @param stderr of which stream
   * @param startByte its place in the stream
   * @param data the bytes
   * @param sentAt when its worker sent it
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  public record Chunk(
      long id, boolean stderr, long startByte, byte[] data, OffsetDateTime sentAt) {}

  /**
   * A piece of live output to be written.
   *
   * @param jobId of which job
   * @param attempt of which try
   * @param stderr of which stream
   * @param startByte its place in the stream
   * @param data the bytes
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  public record NewChunk(UUID jobId, int attempt, boolean stderr, long startByte, byte[] data) {}

  /** Has the workers of these jobs send what they print, for some seconds from now. */
  public void watchOutput(Collection<UUID> jobs, double seconds) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(WATCH_OUTPUT)) {
      statement.setDouble(1, seconds);
      statement.setArray(2, connection.createArrayOf("uuid", jobs.toArray()));
      statement.executeUpdate();
    }
  }

  /**
   * Asks the worker of a job for its process tree.
   *
   * @return when that was, for {@link #processes}
   */
  public String askForProcesses(UUID job) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(ASK_FOR_PROCESSES)) {
      statement.setObject(1, job);
      try (ResultSet rows = statement.executeQuery()) {
        rows.next();
        return rows.getString(1);
      }
    }
  }

  /** How many bytes {@link #processes} has, or null where there are none. */
  public @Nullable Long processesBytes(UUID job, String askedAt) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(PROCESSES_BYTES)) {
      statement.setObject(1, job);
      statement.setString(2, askedAt);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? (Long) rows.getLong(1) : null;
      }
    }
  }

  /** The worker's answer, if it came after the given time. */
  public @Nullable String processes(UUID job, String askedAt) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(PROCESSES)) {
      statement.setObject(1, job);
      statement.setString(2, askedAt);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getString(1) : null;
      }
    }
  }

  /** The worker answers. */
  public void answerProcesses(UUID job, String json) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(ANSWER_PROCESSES)) {
      statement.setString(1, json);
      statement.setObject(2, job);
      statement.executeUpdate();
    }
  }

  /** The worker sends what was printed. */
  public void append(List<NewChunk> chunks) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(APPEND)) {
      statement.setArray(1, connection.createArrayOf("uuid", column(chunks, NewChunk::jobId)));
      statement.setArray(2, connection.createArrayOf("int4", column(chunks, NewChunk::attempt)));
      statement.setArray(3, connection.createArrayOf("bool", column(chunks, NewChunk::stderr)));
      statement.setArray(4, connection.createArrayOf("int8", column(chunks, NewChunk::startByte)));
      statement.setArray(
          5,
          connection.createArrayOf(
              "bytea", chunks.stream().map(NewChunk::data).toArray(byte[][]::new)));
      statement.executeUpdate();
    }
  }

  private static Object[] column(List<NewChunk> chunks, Function<NewChunk, Object> field) {
    return chunks.stream().map(field).toArray();
  }

  /**
   * How far a job's live output has been read.
   *
   * @param job of which job
   * @param attempt of which try
   * @param chunk the last chunk of it, or 0
   */
  public record Position(UUID job, int attempt, long chunk) {}

  /** What came behind a position in its attempt, at most so many. */
  public List<Chunk> chunks(Position behind, int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(CHUNKS)) {
      statement.setObject(1, behind.job());
      statement.setInt(2, behind.attempt());
      statement.setLong(3, behind.chunk());
      statement.setInt(4, limit);
      List<Chunk> chunks = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          chunks.add(
              new Chunk(
                  row.getLong(1),
                  row.getBoolean(2),
                  row.getLong(3),
                  row.getBytes(4),
                  row.getObject(5, OffsetDateTime.class)));
        }
      }
      return chunks;
    }
  }

  /**
   * Behind which piece of an attempt somebody begins who has nothing of it: the first one, or where
   * that has been forgotten, the last ones with the beginnings of the streams, if they are there.
   *
   * @return the id of a piece, or 0
   */
  public long beginning(UUID job, int attempt) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(BEGINNING)) {
      statement.setObject(1, job);
      statement.setInt(2, attempt);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getLong(1) : 0;
      }
    }
  }

  /** Behind which of these positions {@link #chunks} finds something: their places in the list. */
  public List<Integer> withNews(List<Position> positions) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(WITH_NEWS)) {
      statement.setArray(1, array(connection, "uuid", positions, Position::job));
      statement.setArray(2, array(connection, "int4", positions, Position::attempt));
      statement.setArray(3, array(connection, "int8", positions, Position::chunk));
      List<Integer> found = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          found.add(row.getInt(1) - 1);
        }
      }
      return found;
    }
  }

  private static Array array(
      Connection connection, String type, List<Position> all, Function<Position, Object> field)
      throws SQLException {
    return connection.createArrayOf(type, all.stream().map(field).toArray());
  }

  /**
   * The first attempt, from a position on, of which there is any output: live output behind the
   * position, or what is kept of an attempt that has ended.
   *
   * @param heard whether what is kept of the attempt of the position is known
   * @param latest the last attempt that is looked at
   */
  public OptionalInt nextAttempt(Position from, boolean heard, int latest) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(NEXT_ATTEMPT)) {
      statement.setObject(1, from.job());
      statement.setInt(2, from.attempt());
      statement.setLong(3, from.chunk());
      statement.setInt(4, latest);
      statement.setObject(5, from.job());
      statement.setInt(6, heard ? from.attempt() + 1 : from.attempt());
      statement.setInt(7, latest);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        int attempt = row.getInt(1);
        return row.wasNull() ? OptionalInt.empty() : OptionalInt.of(attempt);
      }
    }
  }

  /** Removes what is not needed any more, at most so many pieces. */
  public void forget(int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      try (PreparedStatement statement = connection.prepareStatement(FORGET_OUTPUT)) {
        statement.setInt(1, limit);
        statement.executeUpdate();
      }
      try (PreparedStatement statement = connection.prepareStatement(FORGET_WATCHES)) {
        statement.executeUpdate();
      }
    }
  }
}
