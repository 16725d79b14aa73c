package io.errand.store.history;

/** What the tables must say about the ticks of schedules. */
final class TickRules {
  private TickRules() {}

  /** In the form of the rules of {@link HistoryCheck}. */
  static final String SQL =
      """
      SELECT (array_agg(id))[1], 'shares tick ' || scheduled_at || ' of schedule ' || schedule
          || ' with ' || count(*) - 1 || ' others'
      FROM errand.jobs WHERE schedule IS NOT NULL AND scheduled_at IS NOT NULL
      GROUP BY principal, schedule, scheduled_at HAVING count(*) > 1
      UNION ALL
      SELECT job_id, 'is the job of ' || count(*) || ' ticks'
      FROM errand.schedule_ticks WHERE job_id IS NOT NULL GROUP BY job_id HAVING count(*) > 1
      UNION ALL
      SELECT j.id, 'is recorded for tick ' || t.tick_at || ' of schedule ' || s.name
          || ' and says that it is of tick ' || coalesce(j.scheduled_at::text, 'none') || ' of '
          || coalesce(j.schedule, 'none')
      FROM errand.schedule_ticks t
      JOIN errand.schedules s ON s.id = t.schedule_id
      JOIN errand.jobs j ON j.id = t.job_id
      WHERE (j.principal, j.schedule, j.scheduled_at) IS DISTINCT FROM (s.principal, s.name, t.tick_at)
      UNION ALL
      SELECT j.id, 'is of tick ' || j.scheduled_at || ' of schedule ' || j.schedule
          || ', which is not recorded'
      FROM errand.jobs j
      JOIN errand.schedules s ON s.principal = j.principal AND s.name = j.schedule
      WHERE j.schedule IS NOT NULL AND j.scheduled_at >= (
              SELECT min(t.tick_at) FROM errand.schedule_ticks t WHERE t.schedule_id = s.id)
        AND NOT EXISTS (
              SELECT FROM errand.schedule_ticks t
              WHERE t.schedule_id = s.id AND t.tick_at = j.scheduled_at AND t.job_id = j.id)
      """;
}
