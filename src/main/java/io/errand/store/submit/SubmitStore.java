package io.errand.store.submit;

import io.errand.store.Durability;
import io.errand.store.history.History;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The first transition: a job comes into being, with its key, in one statement.
 *
 * <p>The key's unique index decides between parallel submits. The statement that loses waits there
 * for the winner's commit, so that afterwards the winner's job is there to be read: no state in
 * between.
 */
@ApplicationScoped
public class SubmitStore {
  private final DataSource dataSource;

  public SubmitStore(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  static final String SUBMIT =
      """
      WITH item AS (
          SELECT *
          FROM json_to_recordset(?::json) AS s (
              shape integer, principal text, queue text, priority smallint, working_directory text,
              timeout_seconds double precision, kill_grace_seconds double precision,
              stdout_limit_bytes integer, stderr_limit_bytes integer, max_attempts integer,
              success_exit_codes smallint[], on_lost text, backoff jsonb, retry jsonb,
              limits jsonb, run_as text, sandbox jsonb, on_finish jsonb)
          JOIN json_to_recordset(?::json) AS i (
              shape integer, id uuid, fingerprint text, description text, command text[], idempotency_key text,
              run_at timestamptz, expires_at timestamptz, expires_after_seconds double precision,
              concurrency_key text, concurrency_limit integer, stdin text, labels jsonb, env jsonb,
              schedule text, scheduled_at timestamptz, sealed_key text, sealed_for uuid,
              run text, run_version integer, parameters text, request_id text, trace_context text)
          USING (shape)
      ), key AS (
          INSERT INTO errand.idempotency_keys (principal, idempotency_key, job_id)
          SELECT principal, idempotency_key, id FROM item WHERE idempotency_key IS NOT NULL
          ORDER BY principal, idempotency_key COLLATE "C"
          ON CONFLICT DO NOTHING
          RETURNING job_id
      ), stored AS (
      INSERT INTO errand.jobs (
          id, state, description, queue, priority, command, max_attempts, run_at, expires_at, labels,
          concurrency_key, concurrency_limit, idempotency_key, principal, timeout_seconds,
          kill_grace_seconds, stdout_limit_bytes, stderr_limit_bytes, success_exit_codes, on_lost,
          backoff, retry, working_directory, env, stdin, fingerprint, limits, run_as, sandbox,
          on_finish, schedule, scheduled_at, sealed_key, sealed_for, project, run,
          run_version, parameters, request_id, trace_context)
      SELECT id, 'queued', description, queue, priority, command, max_attempts, coalesce(run_at, now()),
             coalesce(expires_at,
                 coalesce(run_at, now()) + make_interval(secs => expires_after_seconds)),
             coalesce(labels, '{}'), concurrency_key, coalesce(concurrency_limit, 1),
             idempotency_key, principal,
             timeout_seconds, kill_grace_seconds, stdout_limit_bytes, stderr_limit_bytes,
             success_exit_codes, on_lost, backoff, retry, working_directory, coalesce(env, '{}'), stdin,
             decode(fingerprint, 'hex'), limits, run_as, sandbox, on_finish, schedule, scheduled_at,
             sealed_key, sealed_for, errand.project_of(queue), run, run_version, parameters::jsonb,
             request_id, trace_context
      FROM item
      WHERE (idempotency_key IS NULL OR id IN (SELECT job_id FROM key))
        AND NOT EXISTS (SELECT FROM errand.removed_jobs r WHERE r.id = item.id)
      ORDER BY id
      ON CONFLICT (id) DO NOTHING
      RETURNING id, queue, NULL AS from_state, state AS to_state, reason, attempt, claim_token,
          principal, created_at, run_at, expires_at, labels, backoff, retry, limits, sandbox, on_finish, env,
          parameters
      ),
      """
          + History.of("stored", "'client ' || principal");

  /* Their ids are ours and new: to look for each first would cost a tenth. */
  public static final String SUBMIT_MANY =
      SUBMIT.replace("ON CONFLICT (id) DO NOTHING\n", "")
          + "SELECT id, "
          + Durability.SQL
          + " AS durability FROM stored";

  /* Bounds the wait for each key; evaluated once, before the first, and for this statement alone. */
  private static final String SHORT_WAIT =
      " AND (SELECT set_config('lock_timeout', '20ms', true)) IS NOT NULL\n";

  /* With what the database made of it, so that the answer needs no second look. */
  private static final String SUBMIT_AND_SHOW =
      SUBMIT.replace("idempotency_key IS NOT NULL\n", "idempotency_key IS NOT NULL" + SHORT_WAIT)
          + """
      SELECT id, created_at, run_at, expires_at, labels::text, backoff::text, retry::text,
          limits::text, sandbox::text, on_finish::text, parameters::text,
          CASE WHEN env = '{}' THEN '{}'
               ELSE ARRAY(SELECT jsonb_object_keys(env) ORDER BY 1) END AS env_names,
      """
          + Durability.SQL
          + """
          AS durability
      FROM stored, (
          SELECT count(pg_notify('errand', 'ready'))
          FROM (SELECT FROM stored WHERE ? LIMIT 1) AS any_stored) AS rung
      """;

  /* Its fingerprint, or none where it has been removed. */
  private static final String FIND_ID =
      """
      SELECT encode(fingerprint, 'hex') AS fingerprint FROM errand.jobs
      WHERE id = ? AND principal = ?
      UNION ALL
      SELECT NULL FROM errand.removed_jobs WHERE id = ? AND principal = ?
      """;

  /**
   * Stores each of the jobs whose key and id are not known, in one transaction. They may come from
   * many callers, and keys and ids may repeat among them. Where a key belongs to a transaction that
   * has not ended, nothing is stored after a moment ({@link #isKeyInUse}): others do not wait for
   * it.
   *
   * @param notifying whether the workers are notified in the same transaction
   * @return one answer per job, in order
   * @throws SQLException if nothing was stored, or if the database is away; whether the jobs were
   *     stored is then unknown
   */
  public List<Submission> submitEach(List<NewJob> jobs, boolean notifying) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return each(connection, jobs, notifying);
    }
  }

  /** The same on a connection. */
  static List<Submission> each(Connection connection, List<NewJob> jobs, boolean notifying)
      throws SQLException {
    if (jobs.isEmpty()) {
      return List.of();
    }
    Map<UUID, Submission.Accepted> stored = insertAndShow(connection, jobs, notifying);
    List<Submission> answers = new ArrayList<>(jobs.size());
    for (NewJob job : jobs) {
      Submission accepted = stored.remove(job.id());
      String key = job.idempotencyKey();
      if (accepted != null) {
        answers.add(accepted);
      } else if (key == null) {
        answers.add(byId(connection, job));
      } else {
        answers.add(byKey(job, KnownKeys.find(connection, job.principal(), Set.of(key))));
      }
    }
    return answers;
  }

  /** Whether nothing was stored because another transaction holds one of the keys. */
  public static boolean isKeyInUse(SQLException fault) {
    return "55P03".equals(fault.getSQLState());
  }

  /**
   * Stores all of the jobs, or none if any of them is refused. Keys must not repeat among them.
   *
   * @return one answer per job, in order
   * @throws SQLException if the database is away; whether the jobs were stored is then unknown
   */
  public List<Submission> submitAll(List<NewJob> jobs) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Map<UUID, Submission> stored = insert(connection, jobs);
        List<Submission> answers = answers(connection, jobs, stored);
        if (answers.stream().allMatch(SubmitStore::isGranted)) {
          connection.commit();
        } else {
          connection.rollback();
        }
        return answers;
      } catch (SQLException | RuntimeException e) {
        rollbackQuietly(connection, e);
        throw e;
      }
    }
  }

  /** One answer per job, in order, where keys do not repeat among them. */
  static List<Submission> answers(
      Connection connection, List<NewJob> jobs, Map<UUID, Submission> stored) throws SQLException {
    Set<String> known = new HashSet<>();
    for (NewJob job : jobs) {
      if (job.idempotencyKey() != null && !stored.containsKey(job.id())) {
        known.add(job.idempotencyKey());
      }
    }
    Map<String, KnownKeys.Known> keys =
        known.isEmpty() ? Map.of() : KnownKeys.find(connection, jobs.get(0).principal(), known);
    return jobs.stream()
        .map(
            job -> {
              Submission accepted = stored.get(job.id());
              return accepted == null ? byKey(job, keys) : accepted;
            })
        .toList();
  }

  /** A statement with a part replaced, which must be in it exactly once. */
  static String with(String statement, String part, String replacement) {
    int at = statement.indexOf(part);
    if (at < 0 || statement.indexOf(part, at + 1) >= 0) {
      throw new IllegalStateException("Not once in the statement: " + part);
    }
    return statement.substring(0, at) + replacement + statement.substring(at + part.length());
  }

  static boolean isGranted(Submission submission) {
    return submission instanceof Submission.Accepted || submission instanceof Submission.Replayed;
  }

  static void rollbackQuietly(Connection connection, Throwable cause) {
    try {
      connection.rollback();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  /**
   * Stores those of the jobs whose keys are not known, in the transaction of the caller.
   *
   * @param jobs have new ids
   * @return what was stored, by id
   */
  public static Map<UUID, Submission> insert(Connection connection, List<NewJob> jobs)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(SUBMIT_MANY)) {
      Map<UUID, Submission> stored = new HashMap<>();
      for (List<NewJob> part : NewJobJson.parts(jobs)) {
        NewJobJson.of(part).bind(statement);
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            UUID id = rows.getObject(1, UUID.class);
            stored.put(id, new Submission.Accepted(id, null, rows.getString(2)));
          }
        }
      }
      return stored;
    }
  }

  private static Map<UUID, Submission.Accepted> insertAndShow(
      Connection connection, List<NewJob> jobs, boolean notifying) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(SUBMIT_AND_SHOW)) {
      // Of several with one id the first is it: the database would take any.
      Map<UUID, NewJob> wanted = new LinkedHashMap<>();
      jobs.forEach(job -> wanted.putIfAbsent(job.id(), job));
      NewJobJson.of(wanted.values()).bind(statement);
      statement.setBoolean(3, notifying);
      Map<UUID, Submission.Accepted> stored = new HashMap<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          NewJob job = wanted.get(row.getObject("id", UUID.class));
          if (job != null) {
            stored.put(
                job.id(),
                new Submission.Accepted(
                    job.id(), SubmittedRow.read(job, row), row.getString("durability")));
          }
        }
      }
      return stored;
    }
  }

  /**
   * What a request gets that was stored before.
   *
   * @param principal whose request it is
   * @param key of the request, or null where it names an id
   * @param id that it names, or null
   * @param fingerprint 64 hexadecimal digits
   * @return null where this caller has used neither
   */
  public @Nullable Submission earlier(
      String principal, @Nullable String key, @Nullable UUID id, String fingerprint)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      KnownKeys.Known known =
          key != null
              ? KnownKeys.find(connection, principal, Set.of(key)).get(key)
              : id == null ? null : findById(connection, id, principal);
      return known == null ? null : known.answerTo(fingerprint);
    }
  }

  private static Submission byKey(NewJob job, Map<String, KnownKeys.Known> keys) {
    KnownKeys.Known known = job.idempotencyKey() == null ? null : keys.get(job.idempotencyKey());
    if (known == null) {
      throw new IllegalStateException("Job " + job.id() + " was neither stored nor known");
    }
    return known.answerTo(job.fingerprint());
  }

  /** What is answered where its id was taken when it was to be stored. */
  static Submission byId(Connection connection, NewJob job) throws SQLException {
    Submission found = findById(connection, job);
    return found == null ? new Submission.Conflict(job.id()) : found;
  }

  /** What is answered to a job whose id this caller has used, else null. */
  static @Nullable Submission findById(Connection connection, NewJob job) throws SQLException {
    KnownKeys.Known known = findById(connection, job.id(), job.principal());
    return known == null ? null : known.answerTo(job.fingerprint());
  }

  private static KnownKeys.@Nullable Known findById(
      Connection connection, UUID id, String principal) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(FIND_ID)) {
      statement.setObject(1, id);
      statement.setString(2, principal);
      statement.setObject(3, id);
      statement.setString(4, principal);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? new KnownKeys.Known(id, rows.getString(1)) : null;
      }
    }
  }
}
