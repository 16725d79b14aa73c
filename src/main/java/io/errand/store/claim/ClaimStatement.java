package io.errand.store.claim;

import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.Wanted;
import io.errand.store.history.History;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;

/** The statement that claims jobs, alone or behind the one that stores completions. */
public final class ClaimStatement {
  /** More memory than a job within the limits of this version takes, or almost, in bytes. */
  static final long MOST_MEMORY = 16 << 20;

  /** What a running job holds beside what its client decides on, in bytes. */
  private static final int BESIDE = 24 << 10;

  /** What a job holds that keeps 64 KiB of each stream, and has a short command, in bytes. */
  static final long USUAL_MEMORY = BESIDE + 2 * (64 << 10) + (2 << 10);

  /**
   * How many pairs of a queue and a priority one claim looks at, at most. More than a queue has
   * priorities, so that each claim comes to another queue.
   */
  private static final int MOST_PLACES = 256;

  private ClaimStatement() {}

  /*
   * What a claim may hold in the worker's heap until its end is written: the output that it keeps, its
   * input as it is, its arguments, environment and rules as rows and as objects. An object costs far more
   * than its text where the text is short, hence the factors. Text, because a size on disk is a compressed
   * one. No job is ever measured larger than what every worker has, or it would wait for ever.
   */
  static String memory(String job) {
    return """
        least(%1$d, %2$d + j.stdout_limit_bytes + j.stderr_limit_bytes
            + coalesce(octet_length(j.stdin), 0)
            + 64 * cardinality(j.command) + 4 * octet_length(j.command::text)
            + least(16 * octet_length(j.env::text), 163840 + 3 * octet_length(j.env::text))
            + 12 * octet_length(j.retry::text) + 4 * coalesce(octet_length(j.sandbox::text), 0))
        """
        .replace("j.", job + ".")
        .formatted(MOST_MEMORY, BESIDE)
        .strip();
  }

  /*
   * Both ways read only what is due: the entries of a priority are in the order of run_at, and those
   * that are not due yet end the scan of that priority. The CASE keeps the planner from believing that
   * next to nothing passes the conditions, and from sorting all that is queued. SKIP LOCKED keeps
   * claimers out of each other's way.
   */
  private static final String DUE =
      """
      c.state IN ('queued', 'retrying') AND NOT c.waits_for_key
                AND c.run_at <= now()
                AND c.run_at >= coalesce((SELECT scan_from FROM claimer), '-infinity')
                AND CASE WHEN
                    (c.expires_at IS NULL OR c.expires_at > now() OR c.started_at IS NOT NULL)
                    AND (c.concurrency_key IS NULL OR NOT EXISTS (
                        SELECT FROM errand.jobs r
                        WHERE r.state = 'running' AND r.concurrency_key = c.concurrency_key))
                    THEN true END""";

  /*
   * A worker that was given up claims nothing.
   *
   * Where every queue may give, level finds the priorities that have jobs, the highest first, by one
   * descent of jobs_ready each, and ready_by_level locks the first jobs of each until there are enough.
   * A scan that starts at a run_at must not read the entries before it, as finding the priorities
   * would: it tries all priorities.
   *
   * Where some queues may not give, place finds the pairs of a queue and a priority that have jobs, by
   * descents of jobs_ready_by_queue. It begins with the queue where the last claim had to stop. best has
   * the best jobs of all of them, without locking any; ready_by_queue locks from each place as many as
   * best has of it. So what a queue may give is decided once a claim, and jobs of queues that may give
   * nothing are not read.
   *
   * Of the rows that were locked, one for each concurrency key is taken, and the others of that key
   * leave the index of ready jobs (see ConcurrencyKeys); the unique index on running keys decides
   * between two claimers that could not see each other. The first at_once of them start
   * now, the others when a slot is free. A job with a concurrency key is never taken ahead, as others
   * of its key would wait for a job that does not run; nor is what comes behind it, or it would be
   * passed over for ever. The array keeps the planner from
   * reading the whole table: it takes an unknown LIMIT for a tenth of all jobs.
   */
  static final String CLAIMING =
      """
      claimer AS (
          SELECT c.*, c.queues IS NOT NULL OR EXISTS (SELECT FROM errand.queues WHERE paused) AS by_queue
          FROM (SELECT ?::timestamptz AS scan_from, ?::text[] AS queues, ?::text AS first_queue,
                    ?::integer AS most, ?::integer AS at_once) c
          WHERE EXISTS (SELECT FROM errand.workers w WHERE w.id = ? AND w.state = 'live')
      ), level (priority) AS (
          SELECT 32767::smallint FROM claimer WHERE NOT by_queue AND scan_from IS NULL
          UNION ALL
          SELECT (
              SELECT c.priority FROM errand.jobs c
              WHERE c.state IN ('queued', 'retrying') AND NOT c.waits_for_key
                AND c.priority < l.priority
              ORDER BY c.priority DESC, c.run_at, c.id LIMIT 1)
          FROM level l WHERE l.priority IS NOT NULL
      ), ready_by_level AS (
          SELECT c.*
          FROM (
              SELECT priority FROM level WHERE priority < 32767
              UNION ALL
              SELECT generate_series(100, -100, -1)::smallint FROM claimer
              WHERE NOT by_queue AND scan_from IS NOT NULL) l
          CROSS JOIN LATERAL (
              SELECT c.id, c.concurrency_key, c.priority, c.run_at, c.state, %2$s AS memory_bytes
              FROM errand.jobs c
              WHERE c.priority = l.priority AND %3$s
              ORDER BY c.priority DESC, c.run_at, c.id
              LIMIT (SELECT most FROM claimer)
              FOR UPDATE OF c SKIP LOCKED) c
          LIMIT (SELECT most FROM claimer)
      ), place (queue, priority) AS (
          SELECT q, 32767::smallint
          FROM claimer, unnest(coalesce(queues, ARRAY[first_queue])) q
          WHERE by_queue
          UNION ALL
          SELECT next.queue, next.priority
          FROM place p CROSS JOIN LATERAL (
              (SELECT c.queue, c.priority FROM errand.jobs c
              WHERE c.state IN ('queued', 'retrying') AND NOT c.waits_for_key
                AND c.queue = p.queue AND c.priority < p.priority
              ORDER BY c.queue, c.priority DESC, c.run_at, c.id LIMIT 1)
              UNION ALL
              (SELECT c.queue, c.priority FROM errand.jobs c
              WHERE (SELECT queues IS NULL FROM claimer) AND c.state IN ('queued', 'retrying')
                AND NOT c.waits_for_key AND c.queue > p.queue
              ORDER BY c.queue, c.priority DESC, c.run_at, c.id LIMIT 1)
              LIMIT 1) next
      ), visited AS (
          SELECT queue, priority FROM place
          LIMIT (SELECT CASE WHEN queues IS NULL THEN %4$d END FROM claimer)
      ), best AS (
          SELECT p.queue, p.priority
          FROM visited p CROSS JOIN LATERAL (
              SELECT c.run_at, c.id FROM errand.jobs c
              WHERE c.queue = p.queue AND c.priority = p.priority AND %3$s
              ORDER BY c.queue, c.priority DESC, c.run_at, c.id
              LIMIT (SELECT most FROM claimer)) c
          WHERE p.priority < 32767
            AND p.queue <> ALL (ARRAY(SELECT name FROM errand.queues WHERE paused))
          ORDER BY p.priority DESC, c.run_at, c.id
          LIMIT (SELECT most FROM claimer)
      ), ready_by_queue AS (
          SELECT c.*
          FROM (SELECT queue, priority, count(*) AS jobs FROM best GROUP BY queue, priority) p
          CROSS JOIN LATERAL (
              SELECT c.id, c.concurrency_key, c.priority, c.run_at, c.state, %2$s AS memory_bytes
              FROM errand.jobs c
              WHERE c.queue = p.queue AND c.priority = p.priority AND %3$s
              ORDER BY c.queue, c.priority DESC, c.run_at, c.id
              LIMIT p.jobs
              FOR UPDATE OF c SKIP LOCKED) c
      ), ready AS (
          SELECT * FROM ready_by_level UNION ALL SELECT * FROM ready_by_queue
      ), one_each AS (
          SELECT DISTINCT ON (coalesce(concurrency_key, id::text))
              id, state, concurrency_key IS NOT NULL AS keyed, priority, run_at, memory_bytes
          FROM ready
          ORDER BY coalesce(concurrency_key, id::text), priority DESC, run_at, id
      ), set_aside AS (
          UPDATE errand.jobs SET waits_for_key = true
          WHERE id = ANY (ARRAY(SELECT id FROM ready EXCEPT SELECT id FROM one_each))
      ), measured AS (
          SELECT id, state, keyed, row_number() OVER best_first AS rank,
              sum(memory_bytes) OVER best_first <= ? AS fits
          FROM one_each
          WINDOW best_first AS (ORDER BY priority DESC, run_at, id ROWS UNBOUNDED PRECEDING)
      ), taken AS (
          SELECT id, state, rank FROM measured
          WHERE fits AND rank < coalesce((
              SELECT min(m.rank) FROM measured m, claimer c WHERE m.keyed AND m.rank > c.at_once), 1000000)
      ), claimed AS (
          UPDATE errand.jobs j
          SET state = 'running', reason = NULL, attempt = j.attempt + 1,
              charged_attempts = j.charged_attempts + 1, exit_code = NULL, signal = NULL,
              detail = NULL, claimed_at = now(), started_at = CASE WHEN j.id = ANY (ARRAY(
                  SELECT t.id FROM taken t, claimer c WHERE t.rank <= c.at_once)) THEN now() END,
              duration_seconds = NULL, worker = ?,
              worker_id = ?, claim_token = gen_random_uuid(), stdout_bytes = 0,
              stdout_dropped_bytes = 0, stderr_bytes = 0, stderr_dropped_bytes = 0
          WHERE j.id = ANY (ARRAY(SELECT id FROM taken))
          RETURNING j.id, j.worker, j.claim_token, j.claimed_at, j.started_at, j.attempt,
              j.charged_attempts, j.queue,
              array_position(ARRAY(SELECT id FROM taken ORDER BY rank), j.id) AS rank,
              extract(epoch FROM now() - greatest(j.run_at, j.created_at)) AS waited_seconds,
              j.command, j.env::text, j.stdin, j.working_directory, j.timeout_seconds,
              j.kill_grace_seconds, j.stdout_limit_bytes, j.stderr_limit_bytes, j.max_attempts,
              j.backoff::text, j.retry::text, j.success_exit_codes, j.on_lost, j.limits::text,
              j.run_as, j.sandbox::text, j.run_at, j.concurrency_key IS NOT NULL AS keyed,
              %1$s AS memory_bytes
      ), claimed_change AS (
          SELECT c.id, c.queue, t.state AS from_state, 'running' AS to_state, NULL AS reason,
              c.attempt, c.claim_token, c.worker
          FROM claimed c JOIN taken t ON t.id = c.id
      ),
      """
              .replace("%1$s", memory("j"))
              .replace("%2$s", memory("c"))
              .replace("%3$s", DUE)
              .replace("%4$d", Integer.toString(MOST_PLACES))
          + History.of("claimed_change", "'worker ' || worker");

  /** What both statements say beside the claims; every row has the same. */
  static final String REST =
      """
      EXISTS (SELECT FROM measured m, claimer c WHERE NOT m.fits AND m.rank <= c.at_once) AS some_left,
      (SELECT count(*) FROM measured m, claimer c WHERE m.rank > c.at_once)
          > (SELECT count(*) FROM taken t, claimer c WHERE t.rank > c.at_once) AS some_for_later,
      (SELECT count(*) FROM ready) > (SELECT count(*) FROM one_each) AS some_set_aside,
      (SELECT CASE WHEN count(*) = %d THEN max(queue) END FROM visited) AS next_queue"""
          .formatted(MOST_PLACES);

  public static final String CLAIM =
      "WITH RECURSIVE "
          + CLAIMING
          + "SELECT c.*, "
          + REST
          + " FROM (SELECT) AS one LEFT JOIN claimed c ON true";

  /** Sets the parameters of {@link #CLAIMING}, which begin behind so many others. */
  static void bind(
      Connection connection,
      PreparedStatement statement,
      int behind,
      Claimer claimer,
      Wanted wanted)
      throws SQLException {
    Instant from = claimer.from();
    Array queues =
        claimer.queues().contains("*")
            ? null
            : connection.createArrayOf("text", claimer.queues().toArray());
    statement.setObject(behind + 1, from == null ? null : from.atOffset(ZoneOffset.UTC));
    statement.setArray(behind + 2, queues);
    statement.setString(behind + 3, claimer.firstQueue());
    statement.setInt(behind + 4, wanted.most());
    statement.setInt(behind + 5, wanted.atOnce());
    statement.setObject(behind + 6, claimer.workerId());
    statement.setLong(behind + 7, wanted.memoryBytes());
    statement.setString(behind + 8, claimer.workerName());
    statement.setObject(behind + 9, claimer.workerId());
  }
}
