package io.errand.store.dependencies;

import io.errand.store.history.History;

/** The statement that tells jobs that those have finished which they wait for. */
final class TellStatement {
  private TellStatement() {}

  /** How many dependencies one statement settles, at most. */
  static final int MOST = 1_000;

  /*
   * parent has jobs that have finished, in order, with their final states. edge has the first dependencies
   * on them that are unfinished; of the one where the statement before had to stop only those from there on,
   * so that entries of the index that are dead are read once. Nothing here waits for a lock: rows of
   * job_dependencies that are locked are being removed with their job, and a job that waits and is locked
   * (busy) is told another time. A locked job is taken as it is then and not as it was when the
   * statement began, so one that was cancelled meanwhile is left alone.
   *
   * A job that all have finished for may be claimed from then on, unless another one of its key runs. Its
   * run_at then says since when it could have run.
   */
  static final String TELL =
      """
      WITH parent AS (
          SELECT * FROM unnest(?::uuid[], ?::text[]) WITH ORDINALITY AS p (id, state, place)
      ), edge AS (
          SELECT d.*, p.place
          FROM parent p CROSS JOIN LATERAL (
              SELECT d.ctid AS tid, d.job_id, d.after_id FROM errand.job_dependencies d
              WHERE d.after_id = p.id AND NOT d.finished AND d.job_id >= CASE WHEN p.id = ?::uuid
                  THEN ?::uuid ELSE '00000000-0000-0000-0000-000000000000' END
              ORDER BY d.after_id, d.job_id
              LIMIT %1$d
              FOR UPDATE SKIP LOCKED) d
          LIMIT %1$d
      ), waiting AS (
          SELECT j.id FROM errand.jobs j
          WHERE j.id = ANY (ARRAY(SELECT job_id FROM edge)) AND j.state = 'queued'
            AND j.waits_for_jobs > 0
      ), child AS (
          SELECT j.id FROM errand.jobs j
          WHERE j.id = ANY (ARRAY(SELECT id FROM waiting)) AND j.state = 'queued'
            AND j.waits_for_jobs > 0
          FOR NO KEY UPDATE SKIP LOCKED
      ), busy AS (
          SELECT id FROM waiting EXCEPT SELECT id FROM child
      ), told AS (
          UPDATE errand.job_dependencies SET finished = true, marked = true
          WHERE ctid = ANY (ARRAY(
              SELECT e.tid FROM edge e WHERE e.job_id NOT IN (SELECT id FROM busy)))
          RETURNING job_id, after_id
      ), change AS (
          SELECT t.job_id, count(*) AS finished,
              (array_agg('job ' || p.id || CASE p.state
                  WHEN 'failed' THEN ' failed' WHEN 'cancelled' THEN ' was cancelled'
                  ELSE ' was removed' END ORDER BY p.place)
                  FILTER (WHERE p.state IS DISTINCT FROM 'succeeded'))[1] AS failure
          FROM told t JOIN parent p ON p.id = t.after_id
          GROUP BY t.job_id
      ), changed AS (
          UPDATE errand.jobs j
          SET waits_for_jobs = greatest(0, j.waits_for_jobs - c.finished),
              waits_for_key = j.waits_for_jobs > c.finished OR (
                  j.concurrency_key IS NOT NULL AND EXISTS (
                      SELECT FROM errand.jobs r
                      WHERE r.state = 'running' AND r.concurrency_key = j.concurrency_key)),
              run_at = CASE WHEN j.waits_for_jobs > c.finished THEN j.run_at
                            ELSE greatest(j.run_at, now()) END,
              state = CASE WHEN FAILED THEN 'cancelled' ELSE j.state END,
              reason = CASE WHEN FAILED THEN 'dependency_failed' ELSE j.reason END,
              detail = CASE WHEN FAILED THEN c.failure ELSE j.detail END,
              finished_at = CASE WHEN FAILED THEN now() END
          FROM change c
          WHERE j.id = c.job_id AND j.id = ANY (ARRAY(SELECT id FROM child))
            AND j.state = 'queued' AND j.waits_for_jobs > 0
          RETURNING j.id, j.queue, 'queued' AS from_state, j.state AS to_state, j.reason, j.attempt,
              j.claim_token, j.waits_for_jobs
      ), cancelled AS (
          SELECT * FROM changed WHERE to_state = 'cancelled'
      ),
      """
              .replace("FAILED", "(c.failure IS NOT NULL AND j.on_dependency_failure = 'cancel')")
              .replace("%1$d", Integer.toString(MOST))
          + History.of("cancelled", "'dependency'")
          + """
          SELECT (SELECT count(*) FROM edge) AS found,
              (SELECT count(*) FROM told) AS told,
              (SELECT count(*) FROM changed WHERE to_state = 'queued' AND waits_for_jobs = 0) AS ready,
              (SELECT count(*) FROM cancelled) AS cancelled,
              (SELECT max(place) FROM edge) AS last_place,
              (SELECT job_id FROM edge ORDER BY place DESC, job_id DESC LIMIT 1) AS last_job
          """;
}
