package io.errand.store.control;

import io.errand.store.Durability;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What keeps the tables small: counts are folded, and old jobs leave in small bounded batches. */
@ApplicationScoped
public class Housekeeping {
  private static final Duration LONG_OPEN = Duration.ofMinutes(1);

  private final DataSource dataSource;

  public Housekeeping(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  private static final String SECONDS_TO_TICK =
      """
      (SELECT extract(epoch FROM min(next_tick_at) - now()) FROM errand.schedules
       WHERE NOT paused AND next_tick_at IS NOT NULL)::float8 AS tick_seconds
      """;

  /* One look for all that time demands, so that an idle server asks once and not for each. */
  private static final String DUE =
      """
      SELECT EXISTS (
                 SELECT FROM errand.workers WHERE state = 'live'
                 AND heartbeat_at < now() - make_interval(secs => lease_seconds + 1)) AS silent,
             EXISTS (
                 SELECT FROM errand.jobs j WHERE j.state = 'running' AND NOT EXISTS (
                     SELECT FROM errand.workers w
                     WHERE w.id = j.worker_id AND w.state = 'live')) AS lost,
             EXISTS (
                 SELECT FROM errand.jobs
                 WHERE state = 'queued' AND expires_at <= now() AND started_at IS NULL) AS expired,
             EXISTS (
                 SELECT FROM errand.jobs WHERE state IN ('queued', 'retrying')
                 AND NOT waits_for_key AND concurrency_key IS NOT NULL) AS ready_keys,
             EXISTS (
                 SELECT FROM errand.jobs
                 WHERE state IN ('queued', 'retrying') AND waits_for_key
                 AND waits_for_jobs = 0) AS waiting_keys,
             EXISTS (SELECT FROM errand.jobs WHERE has_dependents)
                 OR EXISTS (
                     SELECT FROM errand.job_dependencies WHERE NOT marked) AS dependencies,
             EXISTS (
                 SELECT FROM errand.operations
                 WHERE state IN ('running', 'stopping')) AS operations,
             (SELECT count(*) > ? FROM errand.queue_counts) AS counts,
             EXISTS (
                 SELECT FROM errand.jobs
                 WHERE state IN ('queued', 'retrying', 'running')) AS unfinished,
      """
          + SECONDS_TO_TICK;

  private static final String FOLD =
      """
      WITH folded AS (
          DELETE FROM errand.queue_counts WHERE ctid = ANY (ARRAY(
              SELECT ctid FROM errand.queue_counts LIMIT ? FOR UPDATE SKIP LOCKED))
          RETURNING queue, state, jobs
      )
      INSERT INTO errand.queue_counts (queue, state, jobs)
      SELECT queue, state, sum(jobs) FROM folded GROUP BY queue, state HAVING sum(jobs) <> 0
      """;

  /*
   * Whether no job waits for j, and its webhook has been told. The CASE keeps the planner from reading all
   * dependencies.
   */
  static final String NOT_WAITED_FOR =
      """
      NOT j.has_dependents AND (j.on_finish IS NULL OR j.on_finish_state = 'done')
          AND CASE WHEN EXISTS (
              SELECT FROM errand.job_dependencies d JOIN errand.jobs w ON w.id = d.job_id
              WHERE d.after_id = j.id AND w.state = 'queued' AND w.waits_for_jobs > 0)
              THEN false ELSE true END
      """;

  /*
   * Removes the jobs of the expression old, which has their id, principal, idempotency_key, state, number
   * of dependencies and on_finish, with all that belongs to them; gone has the rows that were removed.
   */
  static final String REMOVING =
      """
      trace AS (
          INSERT INTO errand.removed_jobs (id, principal, idempotency_key, state)
          SELECT id, principal, idempotency_key, state FROM old
          ON CONFLICT DO NOTHING
      ), edges AS (
          DELETE FROM errand.job_dependencies
          WHERE job_id = ANY (ARRAY(SELECT id FROM old WHERE dependencies > 0))
      ), tries AS (
          DELETE FROM errand.attempts WHERE job_id = ANY (ARRAY(SELECT id FROM old))
      ), events AS (
          DELETE FROM errand.job_events WHERE job_id = ANY (ARRAY(SELECT id FROM old))
      ), deliveries AS (
          DELETE FROM errand.webhook_deliveries
          WHERE job_id = ANY (ARRAY(SELECT id FROM old WHERE on_finish IS NOT NULL))
      ), gone AS (
          DELETE FROM errand.jobs WHERE id = ANY (ARRAY(SELECT id FROM old))
          RETURNING queue, state
      ), counts AS (
          INSERT INTO errand.queue_counts (queue, state, jobs)
          SELECT queue, state, -count(*) FROM gone GROUP BY queue, state
      )
      """;

  /*
   * By creation, because a job is never older than that: what cannot be old enough is not looked at. A job
   * stays while others wait for it. Rows of dependencies leave with the job that had waited, 20,000 or those
   * of one job.
   */
  private static final String REMOVE =
      """
      WITH found AS (
          SELECT id, principal, idempotency_key, state, created_at,
              coalesce(cardinality(after), 0) AS dependencies, on_finish
          FROM errand.jobs j
          WHERE state = ? AND created_at < now() - make_interval(secs => ?)
            AND finished_at < now() - make_interval(secs => ?)
            AND NOT_WAITED_FOR
          ORDER BY created_at, id
          LIMIT ?
          FOR UPDATE OF j SKIP LOCKED
      ), old AS (
          SELECT * FROM (
              SELECT *, sum(dependencies) OVER oldest_first - dependencies AS dependencies_before
              FROM found WINDOW oldest_first AS (ORDER BY created_at, id)) AS f
          WHERE dependencies = 0 OR dependencies_before + dependencies <= 20000
             OR dependencies_before = 0
      ),
      """
              .replace("NOT_WAITED_FOR", NOT_WAITED_FOR)
          + REMOVING
          + "SELECT count(*) FROM gone";

  private static final String FORGET =
      """
      WITH forgotten AS (
          DELETE FROM errand.removed_jobs WHERE id = ANY (ARRAY(
              SELECT id FROM errand.removed_jobs
              WHERE removed_at < now() - make_interval(secs => ?)
              ORDER BY removed_at LIMIT ? FOR UPDATE SKIP LOCKED))
          RETURNING id, principal, idempotency_key
      ), keys AS (
          DELETE FROM errand.idempotency_keys k USING forgotten f
          WHERE k.principal = f.principal AND k.idempotency_key = f.idempotency_key
            AND k.job_id = f.id
      )
      SELECT count(*) FROM forgotten
      """;

  /**
   * What waits to be done.
   *
   * @param silent workers to give up
   * @param lost claims to rescue
   * @param expired jobs to cancel
   * @param readyKeys jobs with a concurrency key that may have to wait for it
   * @param waitingKeys jobs that wait for their concurrency key
   * @param dependencies jobs that wait for others
   * @param operations bulk changes that have not ended
   * @param counts changes of counts to fold
   * @param unfinished jobs that are not in a final state: without any, nothing waits but counts
   * @param tickSeconds seconds to the next tick of any schedule, negative where it is due already;
   *     null if there is none
   */
  public record Due(
      boolean silent,
      boolean lost,
      boolean expired,
      boolean readyKeys,
      boolean waitingKeys,
      boolean dependencies,
      boolean operations,
      boolean counts,
      boolean unfinished,
      @Nullable Double tickSeconds) {}

  /** What waits to be done, where so many unfolded counts are nothing to speak of. */
  public Due due(int unfoldedCounts) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(DUE)) {
      statement.setInt(1, unfoldedCounts);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Due(
            row.getBoolean("silent"),
            row.getBoolean("lost"),
            row.getBoolean("expired"),
            row.getBoolean("ready_keys"),
            row.getBoolean("waiting_keys"),
            row.getBoolean("dependencies"),
            row.getBoolean("operations"),
            row.getBoolean("counts"),
            row.getBoolean("unfinished"),
            row.getObject("tick_seconds", Double.class));
      }
    }
  }

  /** Seconds to the next tick of any schedule, as of {@link Due}. */
  public @Nullable Double secondsToTick() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement("SELECT " + SECONDS_TO_TICK);
        ResultSet row = statement.executeQuery()) {
      row.next();
      return row.getObject(1, Double.class);
    }
  }

  /** Transactions of others that have been open for so long that they slow the queue. */
  public List<Durability.Finding> openTransactions() throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return Durability.openTransactions(connection, LONG_OPEN);
    }
  }

  /** Makes of at most so many changes of counts one for each queue and state. */
  public void foldCounts(int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(FOLD)) {
      statement.setInt(1, limit);
      statement.executeUpdate();
      try (Statement vacuum = connection.createStatement()) {
        // It is small and changes all the time: left alone it would be read through its own dead
        // rows.
        vacuum.execute("VACUUM (TRUNCATE false, SKIP_LOCKED) errand.queue_counts");
      }
    }
  }

  /**
   * Removes jobs that reached a final state so long ago, with their attempts and events; their ids
   * and keys leave a trace. Jobs that others wait for stay.
   *
   * @param state a final one, by wire name
   * @param limit at most so many in this one transaction
   * @return how many
   */
  public int removeFinished(String state, Duration age, int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(REMOVE)) {
      statement.setString(1, state);
      statement.setDouble(2, age.toMillis() / 1e3);
      statement.setDouble(3, age.toMillis() / 1e3);
      statement.setInt(4, limit);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }

  /**
   * Forgets the ids and keys of jobs that were removed so long ago.
   *
   * @return how many, at most the limit
   */
  public int forgetRemoved(Duration age, int limit) throws SQLException {
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
