package io.errand.store.history;

/**
 * What every statement that changes the state of jobs writes beside it: an event a job, and what
 * the change does to the counts. In the same statement, so that neither can be without the other.
 */
public final class History {
  private History() {}

  /**
   * Two common table expressions, to follow the one that has made the change.
   *
   * @param changes name of that expression; it returns {@code id, queue, from_state, to_state,
   *     reason, attempt, claim_token}, where {@code from_state} is null for a new job
   * @param actor who made the change, in SQL: {@code client NAME}, {@code worker NAME}, {@code
   *     rescuer}, {@code clock} or {@code dependency}
   */
  public static String of(String changes, String actor) {
    return """
        %1$s_events AS (
            INSERT INTO errand.job_events (
                job_id, from_state, to_state, reason, attempt, claim_token, actor)
            SELECT id, from_state, to_state, reason, attempt, claim_token, %2$s FROM %1$s
        ), %1$s_counts AS (
            INSERT INTO errand.queue_counts (queue, state, jobs)
            SELECT c.queue, v.state, sum(v.jobs)
            FROM %1$s c, LATERAL (VALUES (c.from_state, -1), (c.to_state, 1)) AS v (state, jobs)
            WHERE v.state IS NOT NULL
            GROUP BY c.queue, v.state HAVING sum(v.jobs) <> 0
        )
        """
        .formatted(changes, actor);
  }

  /**
   * The same for a change that leaves the state as it was: an event that says what was changed, and
   * the counts of jobs that have moved to another queue.
   *
   * @param changes name of the expression that has made the change; it returns {@code id, queue,
   *     from_queue, state, reason, attempt, claim_token, detail}
   * @param actor as of {@link #of}
   */
  public static String ofUpdate(String changes, String actor) {
    return """
        %1$s_events AS (
            INSERT INTO errand.job_events (
                job_id, from_state, to_state, reason, attempt, claim_token, actor, detail)
            SELECT id, state, state, reason, attempt, claim_token, %2$s, detail FROM %1$s
        ), %1$s_counts AS (
            INSERT INTO errand.queue_counts (queue, state, jobs)
            SELECT v.queue, c.state, sum(v.jobs)
            FROM %1$s c, LATERAL (VALUES (c.from_queue, -1), (c.queue, 1)) AS v (queue, jobs)
            GROUP BY v.queue, c.state HAVING sum(v.jobs) <> 0
        )
        """
        .formatted(changes, actor);
  }
}
