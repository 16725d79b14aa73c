package io.errand.store.claim;

import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.PlaceStart;
import io.errand.store.claim.ClaimStore.Share;
import io.errand.store.claim.ClaimStore.Wanted;
import io.errand.store.history.History;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.ZoneOffset;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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

  /** The seed of the locks of concurrency keys, as {@code errand.running_of_key} has it. */
  private static final long KEY_LOCKS = 20261130;

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
   * Only what is due is read: the entries of a place are in the order of run_at, and those
   * that are not due yet end the scan of that place. The CASE keeps the planner from believing that
   * next to nothing passes the conditions, and from sorting all that is queued.
   */
  private static final String DUE =
      """
      c.state IN ('queued', 'retrying') AND NOT c.waits_for_key
                AND c.run_at <= now()
                AND c.run_at >= p.scan_from
                AND CASE WHEN
                    (c.expires_at IS NULL OR c.expires_at > now() OR c.started_at IS NOT NULL)
                    AND (c.concurrency_key IS NULL OR c.concurrency_limit > (
                        SELECT count(*) FROM (
                            SELECT FROM errand.jobs r
                            WHERE r.state = 'running' AND r.concurrency_key = c.concurrency_key
                            LIMIT c.concurrency_limit) running))
                    THEN true END""";

  /*
   * A worker that was given up claims nothing.
   *
   * A place is a pair of a queue and a priority that has jobs. place finds them by one descent of
   * jobs_ready_by_queue each, beginning with the queue where the last claim had to stop. A claim that
   * is to read no old entries of the index must not find the places so: it is given them, and for each the
   * run_at from which it reads (scan_from; see worker.KnownPlaces). found has the first of each place.
   *
   * room asks of each queue with limits how many jobs it may give, without locking. due_place has the places
   * whose jobs may run now. The more there are, the fewer jobs of each are read; those of the highest priority
   * count apart. candidate has the best jobs of each place. Where it has not all of a place that may be wanted
   * (unread), jobs of lower priorities must wait for the next claim. best has the best of all of them: the highest priority first, then
   * the queue that has had the least of this worker's slots (start and step, see worker.QueueShares),
   * then the oldest. Of the queues with limits that are left, exact_room locks the rows and counts
   * again, in the order of their names. ready locks the jobs. SKIP LOCKED keeps claimers out of each
   * other's way.
   *
   * key_running counts what runs of each concurrency key, under a lock of the key. free has what the
   * keys allow; the rest leaves the index of ready jobs (see ConcurrencyKeys). All locks that can
   * wait are taken in one order, queues before keys, and no claimer waits for the row of a job.
   *
   * The first at_once of them start now, the others when a slot is free. A job with a concurrency key
   * or of a queue with limits is never taken ahead, as others would wait for a job that does not
   * run; nor is what comes behind it, or it would be passed over for ever. The arrays keep the
   * planner from reading the whole table: it takes an unknown LIMIT for a tenth of all jobs.
   */
  static final String CLAIMING =
      """
      claimer AS (
          SELECT c.*
          FROM (SELECT ?::boolean AS finds_places, ?::text[] AS queues, ?::text AS first_queue,
                    ?::text[] AS known_queues, ?::smallint[] AS known_priorities, ?::timestamptz[] AS known_starts,
                    ?::text[] AS share_queues, ?::float8[] AS share_starts, ?::float8[] AS share_steps,
                    ?::float8 AS usual_step, ?::integer AS most, ?::integer AS at_once) c
          WHERE EXISTS (SELECT FROM errand.workers w WHERE w.id = ? AND w.state = 'live')
      ), place (queue, priority) AS (
          SELECT q, 32767::smallint
          FROM claimer, unnest(coalesce(queues, ARRAY[first_queue])) q
          WHERE finds_places
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
      ), visited AS MATERIALIZED (
          (SELECT queue, priority, '-infinity'::timestamptz AS scan_from FROM place
          LIMIT (SELECT CASE WHEN queues IS NULL THEN %4$d END FROM claimer))
          UNION ALL
          SELECT k.queue, k.priority, coalesce(k.scan_from, '-infinity')
          FROM claimer, unnest(known_queues, known_priorities, known_starts) k (queue, priority, scan_from)
          WHERE NOT finds_places
      ), room AS MATERIALIZED (
          SELECT q.name AS queue, errand.queue_room(q.name, c.most, false) AS jobs
          FROM claimer c, errand.queues q
          WHERE q.limited AND q.name IN (SELECT queue FROM visited)
      ), open_place AS (
          SELECT p.queue, p.priority, p.scan_from, coalesce(r.jobs, c.most) AS room,
              CASE WHEN count(*) OVER () <= 4 THEN true ELSE EXISTS (
                  SELECT FROM errand.jobs c
                  WHERE c.queue = p.queue AND c.priority = p.priority AND %3$s
                  ORDER BY c.queue, c.priority DESC, c.run_at, c.id LIMIT 1) END AS has_due
          FROM claimer c, visited p LEFT JOIN room r ON r.queue = p.queue
          WHERE p.priority < 32767 AND coalesce(r.jobs, 1) > 0
      ), due_place AS MATERIALIZED (
          SELECT p.queue, p.priority, p.scan_from, p.room, least(c.most, 1 + 4 * c.most / count(*) OVER (
              PARTITION BY p.priority = p.highest)) AS most
          FROM claimer c, (SELECT *, max(priority) OVER () AS highest FROM open_place WHERE has_due) p
      ), candidate AS MATERIALIZED (
          SELECT p.queue, p.priority, p.scan_from, c.run_at, c.id, p.room,
              row_number() OVER (PARTITION BY p.queue ORDER BY p.priority DESC, c.run_at, c.id) AS nth
          FROM due_place p CROSS JOIN LATERAL (
              SELECT c.run_at, c.id FROM errand.jobs c
              WHERE c.queue = p.queue AND c.priority = p.priority AND %3$s
              ORDER BY c.queue, c.priority DESC, c.run_at, c.id
              LIMIT p.most) c
      ), unread AS MATERIALIZED (
          SELECT p.priority FROM due_place p CROSS JOIN claimer c
          WHERE p.most < least(c.most, p.room) AND p.most <= (
              SELECT count(*) FROM candidate n WHERE n.queue = p.queue AND n.priority = p.priority)
      ), offered AS (
          SELECT array_agg(c.queue) AS queues, array_agg(coalesce(q.weight, 1)) AS weights
          FROM (SELECT DISTINCT queue FROM candidate) c LEFT JOIN errand.queues q ON q.name = c.queue
      ), found AS (
          SELECT v.queue, v.priority, min(c.run_at) AS first_run_at
          FROM visited v LEFT JOIN candidate c ON c.queue = v.queue AND c.priority = v.priority
          WHERE v.priority < 32767 GROUP BY v.queue, v.priority
      ), share AS (
          SELECT s.* FROM claimer,
              unnest(share_queues, share_starts, share_steps) s (queue, start, step)
      ), best AS (
          SELECT c.queue, c.priority, c.scan_from
          FROM candidate c CROSS JOIN claimer m LEFT JOIN share s ON s.queue = c.queue
          WHERE c.nth <= c.room AND c.priority >= coalesce((SELECT max(priority) FROM unread), -32768)
          ORDER BY c.priority DESC, coalesce(s.start, 0) + c.nth * coalesce(s.step, m.usual_step),
              c.run_at, c.id
          LIMIT (SELECT most FROM claimer)
      ), best_of_place AS (
          SELECT queue, priority, scan_from, count(*) AS jobs FROM best GROUP BY queue, priority, scan_from
      ), exact_room AS MATERIALIZED (
          SELECT q.queue, errand.queue_room(q.queue, (SELECT most FROM claimer), true) AS jobs
          FROM (SELECT DISTINCT b.queue FROM best b JOIN room r ON r.queue = b.queue ORDER BY 1) q
      ), wanted AS (
          SELECT b.queue, b.priority, b.scan_from, least(b.jobs, coalesce(e.jobs - sum(b.jobs) OVER (
              PARTITION BY b.queue ORDER BY b.priority DESC ROWS UNBOUNDED PRECEDING) + b.jobs, b.jobs)) AS jobs
          FROM best_of_place b LEFT JOIN exact_room e ON e.queue = b.queue
      ), ready AS (
          SELECT c.*, row_number() OVER (PARTITION BY c.queue ORDER BY c.priority DESC, c.run_at, c.id) AS nth,
              row_number() OVER (
                  PARTITION BY c.concurrency_key ORDER BY c.priority DESC, c.run_at, c.id) AS nth_of_key
          FROM wanted p CROSS JOIN LATERAL (
              SELECT c.id, c.queue, c.concurrency_key, c.concurrency_limit, c.priority, c.run_at, c.state,
                  %2$s AS memory_bytes
              FROM errand.jobs c
              WHERE c.queue = p.queue AND c.priority = p.priority AND %3$s
              ORDER BY c.queue, c.priority DESC, c.run_at, c.id
              LIMIT greatest(p.jobs, 0)
              FOR UPDATE OF c SKIP LOCKED) c
      ), key_running AS MATERIALIZED (
          SELECT k.concurrency_key, errand.running_of_key(k.concurrency_key) AS running
          FROM (
              SELECT DISTINCT hashtextextended(concurrency_key, %5$d) AS lock, concurrency_key FROM ready
              WHERE concurrency_key IS NOT NULL ORDER BY 1, 2) k
      ), free AS (
          SELECT r.id, r.state, r.queue, r.priority, r.run_at, r.memory_bytes,
              r.concurrency_key IS NOT NULL OR o.queue IS NOT NULL AS limited,
              coalesce(s.start, 0) + r.nth * coalesce(s.step, m.usual_step) AS share
          FROM ready r CROSS JOIN claimer m LEFT JOIN share s ON s.queue = r.queue
          LEFT JOIN room o ON o.queue = r.queue
          LEFT JOIN key_running k ON k.concurrency_key = r.concurrency_key
          WHERE r.concurrency_key IS NULL OR k.running + r.nth_of_key <= r.concurrency_limit
      ), set_aside AS (
          UPDATE errand.jobs SET waits_for_key = true
          WHERE id = ANY (ARRAY(SELECT id FROM ready EXCEPT SELECT id FROM free))
      ), measured AS (
          SELECT id, state, queue, limited, row_number() OVER best_first AS rank,
              sum(memory_bytes) OVER best_first <= ? AS fits
          FROM free
          WINDOW best_first AS (ORDER BY priority DESC, share, run_at, id ROWS UNBOUNDED PRECEDING)
      ), taken AS (
          SELECT id, state, queue, rank FROM measured
          WHERE fits AND rank < coalesce((
              SELECT min(m.rank) FROM measured m, claimer c WHERE m.limited AND m.rank > c.at_once), 1000000)
      ), charged AS (
          UPDATE errand.queues q
          SET tokens = CASE WHEN q.rate_per_second IS NOT NULL THEN errand.tokens_now(q) - t.jobs END,
              tokens_at = clock_timestamp(),
              circuit_state = CASE q.circuit_state WHEN 'closed' THEN 'closed' ELSE 'half_open' END,
              circuit_changed_at = CASE q.circuit_state WHEN 'open' THEN now() ELSE q.circuit_changed_at END,
              circuit_probes = q.circuit_probes + (q.circuit_state <> 'closed')::integer,
              circuit_probe_job = CASE q.circuit_state WHEN 'closed' THEN NULL ELSE t.job END,
              circuit_probe_at = CASE q.circuit_state WHEN 'closed' THEN NULL ELSE clock_timestamp()
                  + make_interval(secs => least(q.circuit_max_probe_seconds,
                      q.circuit_probe_seconds * 2 ^ least(30, q.circuit_probes + 1))) END
          FROM (
              SELECT t.queue, count(*) AS jobs, (array_agg(t.id))[1] AS job
              FROM taken t JOIN exact_room e ON e.queue = t.queue GROUP BY t.queue) t
          WHERE q.name = t.queue AND (q.rate_per_second IS NOT NULL OR q.circuit_state <> 'closed')
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
              j.command, j.env::text, j.stdin, j.sealed_key, j.sealed_for, j.working_directory, j.timeout_seconds,
              j.kill_grace_seconds, j.stdout_limit_bytes, j.stderr_limit_bytes, j.max_attempts,
              j.backoff::text, j.retry::text, j.success_exit_codes, j.on_lost, j.limits::text,
              j.run_as, j.sandbox::text, j.run_at, j.request_id, j.trace_context,
              j.concurrency_key IS NOT NULL OR j.queue = ANY (ARRAY(SELECT queue FROM room)) AS limited,
              j.queue = ANY (ARRAY(
                  SELECT name FROM errand.queues WHERE circuit_failure_ratio IS NOT NULL)) AS has_circuit,
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
              .replace("%5$d", Long.toString(KEY_LOCKS))
          + History.of("claimed_change", "'worker ' || worker");

  /**
   * What both statements say beside the claims. Every row has the same, but the places, which the
   * first row has.
   */
  static final String REST =
      """
      EXISTS (SELECT FROM measured m, claimer c WHERE NOT m.fits AND m.rank <= c.at_once) AS some_left,
      (SELECT count(*) FROM measured m, claimer c WHERE m.rank > c.at_once)
          > (SELECT count(*) FROM taken t, claimer c WHERE t.rank > c.at_once) AS some_for_later,
      (SELECT count(*) FROM ready) > (SELECT count(*) FROM free) AS some_set_aside,
      EXISTS (SELECT FROM exact_room e JOIN taken t ON t.queue = e.queue)
          OR EXISTS (SELECT FROM unread) AS some_unread,
      (SELECT min(errand.queue_wait(q)) FROM room r JOIN errand.queues q ON q.name = r.queue)
          AS wait_seconds,
      (SELECT CASE WHEN count(*) = %d THEN max(queue) END FROM visited) AS next_queue,
      CASE WHEN row_number() OVER () = 1 THEN ARRAY(SELECT queue FROM found) END AS place_queues,
      CASE WHEN row_number() OVER () = 1 THEN ARRAY(SELECT priority FROM found) END AS place_priorities,
      CASE WHEN row_number() OVER () = 1 THEN ARRAY(SELECT first_run_at FROM found) END AS place_starts,
      CASE WHEN row_number() OVER () = 1 THEN (SELECT queues FROM offered) END AS ready_queues,
      CASE WHEN row_number() OVER () = 1 THEN (SELECT weights FROM offered) END AS ready_weights"""
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
    Array queues =
        claimer.queues().contains("*")
            ? null
            : connection.createArrayOf("text", claimer.queues().toArray());
    List<PlaceStart> places = claimer.places();
    List<Share> shares = claimer.shares().shares();
    int at = behind;
    statement.setBoolean(++at, places.isEmpty());
    statement.setArray(++at, queues);
    statement.setString(++at, claimer.firstQueue());
    statement.setArray(++at, array(connection, "text", places, start -> start.place().queue()));
    statement.setArray(++at, array(connection, "int2", places, start -> start.place().priority()));
    statement.setArray(++at, array(connection, "timestamptz", places, ClaimStatement::runAt));
    statement.setArray(++at, array(connection, "text", shares, Share::queue));
    statement.setArray(++at, array(connection, "float8", shares, Share::start));
    statement.setArray(++at, array(connection, "float8", shares, Share::step));
    statement.setDouble(++at, claimer.shares().usualStep());
    statement.setInt(++at, wanted.most());
    statement.setInt(++at, wanted.atOnce());
    statement.setObject(++at, claimer.workerId());
    statement.setLong(++at, wanted.memoryBytes());
    statement.setString(++at, claimer.workerName());
    statement.setObject(++at, claimer.workerId());
  }

  private static @Nullable Object runAt(PlaceStart start) {
    return start.runAt() == null ? null : start.runAt().atOffset(ZoneOffset.UTC);
  }

  /** One column of these; null where there are none, which costs least. */
  private static <T> @Nullable Array array(
      Connection connection, String type, List<T> items, Function<T, @Nullable Object> column)
      throws SQLException {
    return items.isEmpty()
        ? null
        : connection.createArrayOf(type, items.stream().map(column).toArray());
  }
}
