package io.errand.store.submit;

import io.errand.job.JobState;
import io.errand.store.Durability;
import io.errand.store.history.History;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;
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

  private static final String RETRY =
      """
      WITH source AS (
          SELECT * FROM errand.jobs
          WHERE id = ? AND principal = ? AND state IN ('succeeded', 'failed', 'cancelled')
      ), wanted AS (
          SELECT ?::uuid AS id, ?::text AS idempotency_key
      ), key AS (
          INSERT INTO errand.idempotency_keys (principal, idempotency_key, job_id)
          SELECT s.principal, w.idempotency_key, w.id FROM source s, wanted w
          WHERE w.idempotency_key IS NOT NULL
          ON CONFLICT DO NOTHING
          RETURNING job_id
      ), stored AS (
      INSERT INTO errand.jobs (
          id, state, description, queue, priority, command, max_attempts, run_at, expires_at, labels,
          concurrency_key, idempotency_key, principal, retry_of, timeout_seconds,
          kill_grace_seconds, stdout_limit_bytes, stderr_limit_bytes, success_exit_codes, on_lost,
          backoff, retry, working_directory, env, stdin, fingerprint, limits, run_as, sandbox, on_finish)
      SELECT w.id, 'queued', s.description, s.queue, s.priority, s.command, s.max_attempts, now(),
             CASE WHEN s.expires_at > now() THEN s.expires_at END, s.labels, s.concurrency_key,
             w.idempotency_key, s.principal, s.id, s.timeout_seconds, s.kill_grace_seconds,
             s.stdout_limit_bytes, s.stderr_limit_bytes, s.success_exit_codes, s.on_lost,
             s.backoff, s.retry, s.working_directory, s.env, s.stdin, decode(?, 'hex'),
             s.limits, s.run_as, s.sandbox, s.on_finish
      FROM source s, wanted w
      WHERE w.idempotency_key IS NULL OR w.id IN (SELECT job_id FROM key)
      RETURNING id, queue, NULL AS from_state, state AS to_state, reason, attempt, claim_token,
          principal
      ),
      """
          + History.of("stored", "'client ' || principal")
          + "SELECT id, "
          + Durability.SQL
          + " AS durability FROM stored";

  private static final String FIND_STATE =
      """
      SELECT state FROM errand.jobs WHERE id = ? AND principal = ?
      """;

  /**
   * Stores a new job that tries a finished one again, unless its key is known.
   *
   * @param source the finished job
   * @param id of the new one
   * @param principal who asks
   * @param key makes a repeat harmless, or null
   * @param fingerprint of the request, 64 hexadecimal digits
   * @throws SQLException if the database is away; whether the job was stored is then unknown
   */
  public Submission retry(
      UUID source, UUID id, String principal, @Nullable String key, String fingerprint)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      try (PreparedStatement statement = connection.prepareStatement(RETRY)) {
        statement.setObject(1, source);
        statement.setString(2, principal);
        statement.setObject(3, id);
        statement.setString(4, key);
        statement.setString(5, fingerprint);
        try (ResultSet rows = statement.executeQuery()) {
          if (rows.next()) {
            return new Submission.Accepted(id, null, rows.getString("durability"));
          }
        }
      }
      KnownKeys.Known known =
          key == null ? null : KnownKeys.find(connection, principal, Set.of(key)).get(key);
      return known == null
          ? refusedRetry(connection, source, principal)
          : known.answerTo(fingerprint);
    }
  }

  private static Submission refusedRetry(Connection connection, UUID source, String principal)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(FIND_STATE)) {
      statement.setObject(1, source);
      statement.setString(2, principal);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next()
            ? new Submission.NotFinal(JobState.ofWireName(rows.getString(1)))
            : new Submission.Unknown();
      }
    }
  }
}
