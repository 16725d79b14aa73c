package io.errand.store.operations;

import io.errand.job.Access;
import io.errand.store.AccessSql;
import io.errand.store.control.JobUpdate;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Counts what a bulk change would change, and stores, stops and forgets operations. */
@ApplicationScoped
public class OperationStore {
  /** Jobs are counted up to this number. */
  public static final int MOST_COUNTED = 1_000_000;

  /** How many operations of one caller may be unfinished. */
  public static final int MOST_UNFINISHED = 10;

  /** How long counting may take, in seconds. */
  public static final int COUNT_SECONDS = 10;

  private static final String CANCELED_BY_TIMEOUT = "57014";

  private final DataSource dataSource;

  public OperationStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  private static final String NOW = "SELECT now()";
  private static final String COUNT_BOUND =
      "SET LOCAL statement_timeout = '" + COUNT_SECONDS + "s'";
  private static final String USUAL_BOUND = "SET LOCAL statement_timeout = '60s'";

  /* Those of one caller are created one after the other, so that the bound of unfinished ones holds. */
  private static final String LOCK =
      "SELECT pg_advisory_xact_lock(hashtextextended('errand operations of ' || ?, 0))";

  private static final String UNFINISHED =
      """
      SELECT count(*) FROM errand.operations
      WHERE principal = ? AND state IN ('running', 'stopping')
      """;

  private static final String OF_KEY =
      """
      SELECT COLUMNS, encode(fingerprint, 'hex') AS hash FROM errand.operations
      WHERE principal = ? AND idempotency_key = ?
      """
          .replace("COLUMNS", Operation.COLUMNS);

  private static final String COUNT =
      """
      SELECT count(*) FROM (
          SELECT FROM errand.jobs j WHERE CONDITIONS LIMIT 1000001) AS matching
      """
          .replace("1000001", Integer.toString(MOST_COUNTED + 1));

  private static final String STORE =
      """
      INSERT INTO errand.operations (
          id, project, owner, principal, kind, filter, set, total, created_at, updated_at,
          idempotency_key, fingerprint, jobs_fixed)
      VALUES (?, ?, ?, ?, ?, ?::jsonb, ?::jsonb, ?, ?, ?, ?, decode(?, 'hex'), ?)
      RETURNING COLUMNS
      """
          .replace("COLUMNS", Operation.COLUMNS);

  private static final String STOP =
      """
      UPDATE errand.operations SET state = 'stopping', next_step_at = now()
      WHERE id = ? AND project = ? AND principal = coalesce(?, principal)
        AND state IN ('running', 'stopping')
      RETURNING COLUMNS
      """
          .replace("COLUMNS", Operation.COLUMNS);

  private static final String FORGET =
      """
      WITH old AS (
          DELETE FROM errand.operations WHERE id = ANY (ARRAY(
              SELECT id FROM errand.operations
              WHERE finished_at < now() - make_interval(secs => ?)
              ORDER BY finished_at LIMIT ? FOR UPDATE SKIP LOCKED))
          RETURNING id
      )
      SELECT count(*) FROM old
      """;

  /**
   * How many jobs match.
   *
   * @param jobs at most {@link #MOST_COUNTED}
   * @param more whether there are others
   */
  public record Count(long jobs, boolean more) {}

  /**
   * An operation that a client asks for.
   *
   * @param id of the new operation
   * @param set the new values, only for an update
   * @param expectedCount only if so many jobs match, or null
   * @param idempotencyKey makes a repeat harmless, or null
   * @param fingerprint of the request, 64 hexadecimal digits
   */
  public record Request(
      UUID id,
      Access access,
      OperationKind kind,
      BulkFilter filter,
      @Nullable JobUpdate set,
      @Nullable Long expectedCount,
      @Nullable String idempotencyKey,
      String fingerprint) {}

  /** What came of such a request. */
  public sealed interface Creation {
    /** It is stored, and will be carried out. */
    record Created(Operation operation) implements Creation {}

    /** The same request came before, and this is its operation. */
    record Replayed(Operation operation) implements Creation {}

    /** The key belongs to another request. */
    record KeyReused() implements Creation {}

    /** Another number of jobs match than was expected; nothing was stored. */
    record Mismatch(Count count) implements Creation {}

    /** So many operations of this caller are unfinished. */
    record TooMany(int unfinished) implements Creation {}

    /** Jobs could not be counted in time, and a number was expected; nothing was stored. */
    record NotCounted() implements Creation {}
  }

  /**
   * How many jobs a change would be for now.
   *
   * @return empty if they could not be counted in {@link #COUNT_SECONDS} seconds
   */
  public Optional<Count> count(OperationKind kind, BulkFilter filter, Access access)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        JobMatch match = new JobMatch(kind, filter, access, now(connection));
        return Optional.ofNullable(count(connection, match));
      } finally {
        connection.rollback();
      }
    }
  }

  /**
   * Stores an operation. Its jobs are counted in the same transaction, and it is for jobs that were
   * there at its beginning: with an expected number, for those that were counted and for no others.
   */
  public Creation create(Request request) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Creation creation = create(connection, request);
        if (creation instanceof Creation.Created) {
          connection.commit();
        } else {
          connection.rollback();
        }
        return creation;
      } catch (SQLException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static Creation create(Connection connection, Request request) throws SQLException {
    try (PreparedStatement lock = connection.prepareStatement(LOCK)) {
      lock.setString(1, request.access().principal());
      lock.execute();
    }
    Creation known = request.idempotencyKey() == null ? null : ofKey(connection, request);
    if (known != null) {
      return known;
    }
    int unfinished = unfinished(connection, request.access().principal());
    if (unfinished >= MOST_UNFINISHED) {
      return new Creation.TooMany(unfinished);
    }
    Instant now = now(connection);
    JobMatch match = new JobMatch(request.kind(), request.filter(), request.access(), now);
    Count count = count(connection, match);
    Long expected = request.expectedCount();
    if (expected != null) {
      if (count == null) {
        return new Creation.NotCounted();
      }
      if (count.more() || count.jobs() != expected) {
        return new Creation.Mismatch(count);
      }
    }
    Long total = count == null || count.more() ? null : Long.valueOf(count.jobs());
    Operation stored = store(connection, request, total, now);
    if (expected != null) {
      Long fixed =
          inTime(connection, () -> OperationJobs.fix(connection, stored.id(), match, expected + 1));
      if (fixed == null) {
        return new Creation.NotCounted();
      }
      if (!fixed.equals(expected)) { // jobs were committed, or changed, since they were counted
        return new Creation.Mismatch(
            new Count(Math.min(fixed, MOST_COUNTED), fixed > MOST_COUNTED));
      }
    }
    return new Creation.Created(stored);
  }

  private static @Nullable Creation ofKey(Connection connection, Request request)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(OF_KEY)) {
      statement.setString(1, request.access().principal());
      statement.setString(2, request.idempotencyKey());
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return null;
        }
        return request.fingerprint().equals(row.getString("hash"))
            ? new Creation.Replayed(Operation.read(row))
            : new Creation.KeyReused();
      }
    }
  }

  private static int unfinished(Connection connection, String principal) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(UNFINISHED)) {
      statement.setString(1, principal);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }

  private static Instant now(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(NOW)) {
      row.next();
      return row.getObject(1, OffsetDateTime.class).toInstant();
    }
  }

  private static @Nullable Count count(Connection connection, JobMatch match) throws SQLException {
    return inTime(
        connection,
        () -> {
          try (PreparedStatement statement =
              connection.prepareStatement(COUNT.replace("CONDITIONS", match.sql()))) {
            match.bind(statement, 1);
            try (ResultSet row = statement.executeQuery()) {
              row.next();
              long jobs = row.getLong(1);
              return new Count(Math.min(jobs, MOST_COUNTED), jobs > MOST_COUNTED);
            }
          }
        });
  }

  /** A statement of bounded duration. */
  private interface Bounded<T> {
    T run() throws SQLException;
  }

  /** Null if it takes too long; the transaction goes on. */
  private static <T> @Nullable T inTime(Connection connection, Bounded<T> work)
      throws SQLException {
    Savepoint before = connection.setSavepoint();
    try (Statement bound = connection.createStatement()) {
      bound.execute(COUNT_BOUND);
      T result = work.run();
      bound.execute(USUAL_BOUND);
      return result;
    } catch (SQLException e) {
      if (CANCELED_BY_TIMEOUT.equals(e.getSQLState())) {
        connection.rollback(before);
        return null;
      }
      throw e;
    }
  }

  private static Operation store(
      Connection connection, Request request, @Nullable Long total, Instant now)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(STORE)) {
      statement.setObject(1, request.id());
      AccessSql.bind(statement, 2, request.access());
      statement.setString(4, request.access().principal());
      statement.setString(5, request.kind().wireName());
      statement.setString(6, request.filter().toJson().toString());
      statement.setString(7, request.set() == null ? null : request.set().toJson().toString());
      statement.setObject(8, total, Types.BIGINT);
      statement.setObject(9, now.atOffset(ZoneOffset.UTC));
      statement.setObject(10, now.atOffset(ZoneOffset.UTC));
      statement.setString(11, request.idempotencyKey());
      statement.setString(12, request.fingerprint());
      statement.setBoolean(13, request.expectedCount() != null);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return Operation.read(row);
      }
    }
  }

  /**
   * Asks an operation to end before its next step.
   *
   * @return it as it is then; empty if it has ended, or this caller has no such operation
   */
  public Optional<Operation> stop(UUID id, Access access) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(STOP)) {
      statement.setObject(1, id);
      AccessSql.bind(statement, 2, access);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(Operation.read(row)) : Optional.empty();
      }
    }
  }

  /**
   * Removes operations that ended so long ago, and forgets their keys.
   *
   * @return how many, at most the limit
   */
  public int forgetFinished(Duration age, int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(FORGET)) {
      statement.setDouble(1, age.toMillis() / 1e3);
      statement.setInt(2, limit);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }
}
