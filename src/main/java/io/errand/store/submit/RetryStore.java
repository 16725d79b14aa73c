package io.errand.store.submit;

import io.errand.job.Access;
import io.errand.job.Call;
import io.errand.job.JobState;
import io.errand.job.TraceContext;
import io.errand.store.AccessSql;
import io.errand.store.Durability;
import io.errand.store.history.History;
import io.errand.store.submit.Depths.Depth;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Stores a new job with what a finished one asked for. */
@ApplicationScoped
public class RetryStore {
  private final DataSource dataSource;

  public RetryStore(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * Common table expressions that store new jobs, to follow {@code source}, the rows of finished
   * jobs, and {@code wanted}: for each {@code source_id} the {@code id, principal, idempotency_key,
   * fingerprint, request_id, trace_context} of the new one. {@code stored} has those that were
   * stored.
   */
  public static final String STORE =
      """
      key AS (
          INSERT INTO errand.idempotency_keys (principal, idempotency_key, job_id)
          SELECT w.principal, w.idempotency_key, w.id
          FROM source s JOIN wanted w ON w.source_id = s.id
          WHERE w.idempotency_key IS NOT NULL
          ON CONFLICT DO NOTHING
          RETURNING job_id
      ), stored AS (
      INSERT INTO errand.jobs (
          id, state, description, queue, priority, command, max_attempts, run_at, expires_at, labels,
          concurrency_key, concurrency_limit, idempotency_key, principal, retry_of, timeout_seconds,
          kill_grace_seconds, stdout_limit_bytes, stderr_limit_bytes, success_exit_codes, on_lost,
          backoff, retry, working_directory, env, stdin, sealed_key, sealed_for, fingerprint, limits, run_as,
          sandbox, on_finish, project, run, run_version, parameters, request_id, trace_context)
      SELECT w.id, 'queued', s.description, s.queue, s.priority, s.command, s.max_attempts, now(),
             CASE WHEN s.expires_at > now() THEN s.expires_at END, s.labels, s.concurrency_key,
             s.concurrency_limit,
             w.idempotency_key, w.principal, s.id, s.timeout_seconds, s.kill_grace_seconds,
             s.stdout_limit_bytes, s.stderr_limit_bytes, s.success_exit_codes, s.on_lost,
             s.backoff, s.retry, s.working_directory, s.env, s.stdin, s.sealed_key, s.sealed_for, w.fingerprint,
             s.limits, s.run_as, s.sandbox, s.on_finish, s.project,
             s.run, s.run_version, s.parameters, w.request_id, w.trace_context
      FROM source s JOIN wanted w ON w.source_id = s.id
      WHERE w.idempotency_key IS NULL OR w.id IN (SELECT job_id FROM key)
      RETURNING id, queue, NULL AS from_state, state AS to_state, reason, attempt, claim_token,
          principal
      ),
      """;

  private static final String RETRY =
      """
      WITH source AS (
          SELECT * FROM errand.jobs j
          WHERE id = ? AND project = ? AND principal = coalesce(?, principal) AND state IN ('succeeded', 'failed', 'cancelled')
            AND errand.refusal(j) IS NULL
      ), wanted AS (
          SELECT s.id AS source_id, ?::uuid AS id, ?::text AS principal, ?::text AS idempotency_key,
              decode(?, 'hex') AS fingerprint, ?::text AS request_id, ?::text AS trace_context
          FROM source s
      ),
      """
          + STORE
          + History.of("stored", "'client ' || principal")
          + "SELECT id, "
          + Durability.SQL
          + " AS durability FROM stored";

  private static final String FIND_STATE =
      """
      SELECT state FROM errand.jobs WHERE id = ? AND project = ? AND principal = coalesce(?, principal)
      """;

  private static final String FIND_REFUSAL =
      """
      SELECT CASE WHEN state IN ('succeeded', 'failed', 'cancelled') THEN errand.refusal(j) END
      FROM errand.jobs j WHERE id = ? AND project = ? AND principal = coalesce(?, principal)
      """;

  private static final String FIND_QUEUE =
      """
      SELECT queue FROM errand.jobs WHERE id = ? AND project = ? AND principal = coalesce(?, principal)
      """;

  private static final String FIND_TRACE =
      """
      SELECT trace_context FROM errand.jobs WHERE id = ? AND project = ? AND principal = coalesce(?, principal)
      """;

  /**
   * A new job that tries a finished one again.
   *
   * @param source the finished job
   * @param id of the new one
   * @param access of who asks
   * @param key makes a repeat harmless, or null
   * @param fingerprint of the request, 64 hexadecimal digits
   * @param call that asks
   */
  public record Wanted(
      UUID source, UUID id, Access access, @Nullable String key, String fingerprint, Call call) {}

  /**
   * How many more jobs of a project may wait. Nobody adds to them until the transaction ends.
   *
   * @param most what is answered at most, and where the project has no limit
   */
  public static int room(Connection connection, String project, int most) throws SQLException {
    return Depths.room(connection, project, most);
  }

  /** The queue of a job, or null if this caller has no such job. */
  public @Nullable String queueOf(UUID id, Access access) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return value(connection, FIND_QUEUE, id, access);
    }
  }

  /** The trace that a job belongs to, or null if there is none or this caller has no such job. */
  public @Nullable TraceContext traceOf(UUID id, Access access) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return TraceContext.ofStored(value(connection, FIND_TRACE, id, access));
    }
  }

  /**
   * Stores a new job that tries a finished one again, unless its key is known.
   *
   * @throws SQLException if the database is away; whether the job was stored is then unknown
   */
  public Submission retry(Wanted wanted) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return retry(connection, wanted);
    }
  }

  /**
   * The same for a queue that bounds what it accepts.
   *
   * @param queue that of the finished job
   * @param refusal as of {@link Candidate}
   */
  public Submission retryAdmitted(Wanted wanted, String queue, @Nullable Overload refusal)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Depth depth =
            refusal == null
                ? Depths.lock(connection, new TreeSet<>(Set.of(queue))).get(queue)
                : null;
        Submission answer = retry(connection, wanted);
        if (answer instanceof Submission.Accepted accepted) {
          boolean isFull = depth != null && depth.isFull();
          if (refusal != null) {
            answer = new Submission.Refused(refusal, 0);
          } else if (depth != null && isFull) {
            answer =
                depth.refuses()
                    ? new Submission.Refused(depth.overload(), 0)
                    : accepted.with(depth.overload());
          }
        }
        if (answer instanceof Submission.Refused) {
          connection.rollback();
        } else {
          connection.commit();
        }
        return answer;
      } catch (SQLException | RuntimeException | Error e) {
        SubmitStore.rollbackQuietly(connection, e);
        throw e;
      }
    }
  }

  private static Submission retry(Connection connection, Wanted wanted) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(RETRY)) {
      statement.setObject(1, wanted.source());
      int at = AccessSql.bind(statement, 2, wanted.access());
      statement.setObject(at, wanted.id());
      statement.setString(at + 1, wanted.access().principal());
      statement.setString(at + 2, wanted.key());
      statement.setString(at + 3, wanted.fingerprint());
      statement.setString(at + 4, wanted.call().requestId());
      statement.setString(at + 5, wanted.call().storedTrace());
      try (ResultSet rows = statement.executeQuery()) {
        if (rows.next()) {
          return new Submission.Accepted(wanted.id(), null, rows.getString("durability"));
        }
      }
    }
    String key = wanted.key();
    KnownKeys.Known known =
        key == null
            ? null
            : KnownKeys.find(connection, wanted.access().principal(), Set.of(key)).get(key);
    if (known != null) {
      return known.answerTo(wanted.fingerprint());
    }
    String refusal = value(connection, FIND_REFUSAL, wanted.source(), wanted.access());
    if (refusal != null) {
      return new Submission.NotAllowed(refusal);
    }
    String state = value(connection, FIND_STATE, wanted.source(), wanted.access());
    return state == null
        ? new Submission.Unknown()
        : new Submission.NotFinal(JobState.ofWireName(state));
  }

  private static @Nullable String value(Connection connection, String sql, UUID id, Access access)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setObject(1, id);
      AccessSql.bind(statement, 2, access);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getString(1) : null;
      }
    }
  }
}
