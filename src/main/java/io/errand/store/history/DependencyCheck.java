package io.errand.store.history;

/** The rule about the order among jobs, for {@link HistoryCheck}. */
final class DependencyCheck {
  private DependencyCheck() {}

  /**
   * Jobs that were claimed too early or although they should not run; jobs that have been told of
   * an end that was none; jobs that would wait for ever, as nobody would tell them.
   */
  static final String SQL =
      """
      SELECT c.job_id, 'was claimed in attempt ' || c.attempt || ' before job ' || d.after_id
          || ' had finished'
      FROM errand.job_dependencies d
      JOIN chain c ON c.job_id = d.job_id AND c.to_state = 'running'
        AND c.previous_state IS DISTINCT FROM 'running'
      WHERE EXISTS (SELECT FROM errand.jobs p WHERE p.id = d.after_id)
        AND NOT EXISTS (
            SELECT FROM errand.job_events e
            WHERE e.job_id = d.after_id AND e.to_state IN (%2$s) AND e.at <= c.at)
      UNION ALL
      SELECT j.id, 'was claimed although job ' || p.id || ' is ' || p.state
      FROM errand.jobs j
      JOIN errand.job_dependencies d ON d.job_id = j.id
      JOIN errand.jobs p ON p.id = d.after_id
      WHERE j.attempt > 0 AND j.on_dependency_failure = 'cancel' AND p.state IN ('failed', 'cancelled')
      UNION ALL
      SELECT d.job_id, 'has been told that job ' || p.id || ' has finished, which is ' || p.state
      FROM errand.job_dependencies d JOIN errand.jobs p ON p.id = d.after_id
      WHERE d.finished AND p.state NOT IN (%2$s)
      UNION ALL
      SELECT j.id, 'waits for ' || j.waits_for_jobs || ' jobs and has ' || coalesce(d.unfinished, 0)
          || ' unfinished dependencies'
      FROM errand.jobs j
      LEFT JOIN (
          SELECT job_id, count(*) FILTER (WHERE NOT finished) AS unfinished
          FROM errand.job_dependencies GROUP BY job_id) d ON d.job_id = j.id
      WHERE j.state <> 'cancelled' AND j.waits_for_jobs <> coalesce(d.unfinished, 0)
      UNION ALL
      SELECT d.job_id, 'waits for job ' || d.after_id || ', whose end would not be noticed'
      FROM errand.job_dependencies d
      JOIN errand.jobs j ON j.id = d.job_id AND j.state = 'queued'
      WHERE d.marked AND NOT d.finished
        AND NOT EXISTS (SELECT FROM errand.jobs p WHERE p.id = d.after_id AND p.has_dependents)
      """;
}
