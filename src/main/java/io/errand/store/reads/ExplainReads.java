package io.errand.store.reads;

import io.errand.job.Access;
import io.errand.job.ProjectNames;
import io.errand.store.AccessSql;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What decides when a job starts: its own fields, the settings of its queue, its concurrency key,
 * the live workers and the jobs ahead of it. One statement, whose cost does not depend on the
 * number of jobs: each ORDER BY names all columns of an index that starts with the queue, and where
 * another index would give that order for one queue, the queue is a range. The planner has then no
 * cheaper plan, also where its statistics are wrong about the queue.
 */
@ApplicationScoped
public class ExplainReads {
  /** Jobs ahead are counted up to this number. */
  public static final int MOST_AHEAD = 10_000;

  /** Of jobs in other queues that come first, so many are looked at, and so many queues. */
  private static final int MOST_OTHERS = 1_000;

  private static final String FACTS =
      """
      SELECT j.state, j.reason, j.detail, j.queue, j.priority, j.run_at, j.expires_at,
          j.started_at IS NOT NULL AS has_started, j.worker, j.claimed_at, j.started_at,
          j.cancel_requested_at IS NOT NULL AS cancel_requested, j.concurrency_key,
          j.concurrency_limit, now() AS now,
          CASE WHEN j.concurrency_key IS NOT NULL THEN (
              SELECT count(*) FROM errand.jobs r
              WHERE r.state = 'running' AND r.concurrency_key = j.concurrency_key) END AS running_of_key,
          coalesce(q.paused, false) AS paused, q.max_running,
          CASE WHEN q.max_running IS NOT NULL THEN (
              SELECT count(*) FROM (
                  SELECT FROM errand.jobs r WHERE r.state = 'running' AND r.queue = j.queue
                  LIMIT q.max_running) r) END AS running_of_queue,
          q.rate_per_second, CASE WHEN q.rate_per_second IS NOT NULL THEN errand.tokens_now(q) END AS tokens,
          coalesce(q.circuit_state, 'closed') AS circuit_state,
          CASE WHEN q.circuit_probe_at < 'infinity' THEN q.circuit_probe_at END AS circuit_probe_at,
          coalesce(q.circuit_probe_at = 'infinity', false) AS opened_by_hand,
          (SELECT p.id FROM errand.jobs p
           WHERE p.id = q.circuit_probe_job AND p.state = 'running') AS circuit_probe,
          w.workers, w.able_workers, w.slots, w.free_slots, w.foreign_running, w.faulty,
          a.ahead, o.others, o.cut, d.shortest, d.longest, d.finished
      FROM errand.jobs j
      LEFT JOIN errand.queues q ON q.name = j.queue,
      LATERAL (
          SELECT count(*) AS workers,
              count(*) FILTER (WHERE able) AS able_workers,
              coalesce(sum(slots) FILTER (WHERE able), 0) AS slots,
              coalesce(sum(greatest(0, slots - running)) FILTER (WHERE able), 0) AS free_slots,
              coalesce(sum(foreign_running) FILTER (WHERE able), 0) AS foreign_running,
              count(*) FILTER (WHERE able AND claims_nothing_because IS NOT NULL) AS faulty
          FROM (
              SELECT slots, claims_nothing_because,
                  running, foreign_running,
                  (j.run_as IS NULL OR 'user' = ANY (abilities))
                  AND (j.limits = '{}' OR 'limits' = ANY (abilities))
                  AND (j.sandbox IS NULL OR 'sandbox' = ANY (abilities)) AS able
              FROM errand.workers v, LATERAL (
                  SELECT count(*) AS running, count(*) FILTER (WHERE r.queue <> j.queue) AS foreign_running
                  FROM errand.jobs r WHERE r.state = 'running' AND r.worker_id = v.id) r
              WHERE state = 'live' AND ('*' = ANY (queues) OR j.queue = ANY (queues))) w) w,
      LATERAL (
          WITH RECURSIVE level (priority) AS (
              SELECT 32767::smallint
              UNION ALL
              SELECT (SELECT b.priority FROM errand.jobs b
                      WHERE b.state IN ('queued', 'retrying') AND NOT b.waits_for_key
                        AND b.queue = j.queue AND b.priority < l.priority
                      ORDER BY b.queue, b.priority DESC, b.run_at, b.id LIMIT 1)
              FROM level l WHERE l.priority > j.priority
          )
          SELECT count(*) AS ahead FROM (
              SELECT FROM level l CROSS JOIN LATERAL (
                  SELECT FROM errand.jobs b
                  WHERE b.state IN ('queued', 'retrying') AND NOT b.waits_for_key
                    AND b.queue = j.queue AND b.priority = l.priority
                    AND (b.run_at, b.id) < (
                        CASE WHEN l.priority > j.priority THEN now() ELSE least(j.run_at, now()) END,
                        CASE WHEN l.priority > j.priority THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'
                             ELSE j.id END)
                  ORDER BY b.queue, b.priority DESC, b.run_at, b.id LIMIT %1$d) b
              WHERE l.priority >= j.priority LIMIT %1$d) b) a,
      LATERAL (
          WITH RECURSIVE other (queue, number) AS (
              (SELECT b.queue, 1 FROM errand.jobs b
              WHERE b.state IN ('queued', 'retrying') AND NOT b.waits_for_key
              ORDER BY b.queue, b.priority DESC, b.run_at, b.id LIMIT 1)
              UNION ALL
              SELECT (SELECT b.queue FROM errand.jobs b
                      WHERE b.state IN ('queued', 'retrying') AND NOT b.waits_for_key
                        AND b.queue > o.queue
                      ORDER BY b.queue, b.priority DESC, b.run_at, b.id LIMIT 1), number + 1
              FROM other o WHERE o.queue IS NOT NULL AND number < %2$d
          )
          SELECT count(*) FILTER (WHERE run_at <= now()) AS others,
              count(*) = %2$d OR (SELECT count(queue) = %2$d FROM other) AS cut
          FROM (
              SELECT b.run_at FROM other x CROSS JOIN LATERAL (
                  SELECT b.run_at FROM errand.jobs b
                  WHERE b.state IN ('queued', 'retrying') AND NOT b.waits_for_key
                    AND b.queue = x.queue AND b.priority > j.priority
                  ORDER BY b.queue, b.priority DESC, b.run_at, b.id LIMIT %2$d) b
              WHERE x.queue <> j.queue
                AND NOT EXISTS (SELECT FROM errand.queues p WHERE p.name = x.queue AND p.paused)
              LIMIT %2$d) n) o,
      LATERAL (
          SELECT percentile_disc(0.1) WITHIN GROUP (ORDER BY duration_seconds) AS shortest,
              percentile_disc(0.9) WITHIN GROUP (ORDER BY duration_seconds) AS longest,
              count(duration_seconds) AS finished
          FROM (
              SELECT f.duration_seconds FROM errand.jobs f WHERE f.queue BETWEEN j.queue AND j.queue
              ORDER BY f.queue DESC, f.created_at DESC, f.id DESC LIMIT 500) f) d
      WHERE j.id = ? AND j.project = ? AND j.principal = coalesce(?, j.principal)
      """
          .formatted(MOST_AHEAD + 1, MOST_OTHERS);

  private final ProjectReads projects;

  public ExplainReads(ProjectReads projects) {
    this.projects = projects;
  }

  /**
   * What is known about a job and what it may wait for, at one moment.
   *
   * @param now of the database
   * @param runningOfKey how many jobs of its concurrency key run; null where it has none
   * @param runningOfQueue how many jobs of its queue run, up to the limit; null where there is none
   * @param tokens of the rate limit; null where there is none
   * @param circuitProbeAt when the circuit lets a probe through; null where it does not by itself
   * @param openedByHand whether an operator has opened the circuit, so that it stays open
   * @param circuitProbe the probe that runs, or null
   * @param workers live workers that serve its queue
   * @param ableWorkers those of them that offer what the job asks for
   * @param slots of these
   * @param freeSlots of these, as many as hold no running job now
   * @param foreignRunning running jobs of other queues on these workers
   * @param faultyWorkers those of them that claim nothing because of a fault of their host
   * @param ahead ready jobs of the queue that come first, counted up to {@link #MOST_AHEAD} + 1
   * @param others ready jobs of a higher priority in other queues that are not paused
   * @param othersCut whether not all of these were looked at
   * @param shortestSeconds nine tenths of the last jobs of the queue took longer; null where none
   *     is known
   * @param longestSeconds nine tenths took less
   */
  public record Facts(
      String state,
      @Nullable String reason,
      @Nullable String detail,
      String queue,
      Instant runAt,
      @Nullable Instant expiresAt,
      boolean hasStarted,
      @Nullable String worker,
      boolean cancelRequested,
      @Nullable String concurrencyKey,
      int concurrencyLimit,
      Instant now,
      @Nullable Long runningOfKey,
      boolean paused,
      @Nullable Integer maxRunning,
      @Nullable Long runningOfQueue,
      @Nullable Double ratePerSecond,
      @Nullable Double tokens,
      String circuitState,
      @Nullable Instant circuitProbeAt,
      boolean openedByHand,
      @Nullable UUID circuitProbe,
      long workers,
      long ableWorkers,
      long slots,
      long freeSlots,
      long foreignRunning,
      long faultyWorkers,
      long ahead,
      long others,
      boolean othersCut,
      @Nullable Double shortestSeconds,
      @Nullable Double longestSeconds) {}

  /** What is known about a job of this caller. */
  public Optional<Facts> facts(UUID id, Access access) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(FACTS)) {
      statement.setObject(1, id);
      AccessSql.bind(statement, 2, access);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(read(row)) : Optional.empty();
      }
    }
  }

  private static Facts read(ResultSet row) throws SQLException {
    return new Facts(
        row.getString("state"),
        row.getString("reason"),
        row.getString("detail"),
        ProjectNames.shownQueue(row.getString("queue")),
        row.getObject("run_at", OffsetDateTime.class).toInstant(),
        instant(row, "expires_at"),
        row.getBoolean("has_started"),
        row.getString("worker"),
        row.getBoolean("cancel_requested"),
        ProjectNames.shownKey(row.getString("concurrency_key")),
        row.getInt("concurrency_limit"),
        row.getObject("now", OffsetDateTime.class).toInstant(),
        row.getObject("running_of_key", Long.class),
        row.getBoolean("paused"),
        row.getObject("max_running", Integer.class),
        row.getObject("running_of_queue", Long.class),
        row.getObject("rate_per_second", Double.class),
        row.getObject("tokens", Double.class),
        row.getString("circuit_state"),
        instant(row, "circuit_probe_at"),
        row.getBoolean("opened_by_hand"),
        row.getObject("circuit_probe", UUID.class),
        row.getLong("workers"),
        row.getLong("able_workers"),
        row.getLong("slots"),
        row.getLong("free_slots"),
        row.getLong("foreign_running"),
        row.getLong("faulty"),
        row.getLong("ahead"),
        row.getLong("others"),
        row.getBoolean("cut"),
        row.getObject("shortest", Double.class),
        row.getObject("longest", Double.class));
  }

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }
}
