package io.errand.store.history;

/** What the tables must say about the deliveries of webhooks. */
final class DeliveryRules {
  private DeliveryRules() {}

  /**
   * In the form of the rules of {@link HistoryCheck}. A finished job without a delivery is due, and
   * no violation, while its {@code on_finish_state} is null.
   */
  static final String SQL =
      """
      SELECT j.id, 'is ' || j.on_finish_state || ' for its webhook, and has no delivery'
      FROM errand.jobs j
      WHERE j.on_finish_state IS NOT NULL
        AND NOT EXISTS (SELECT FROM errand.webhook_deliveries d WHERE d.job_id = j.id)
      UNION ALL
      SELECT j.id, 'is ' || coalesce(j.on_finish_state, 'due') || ' for its webhook, and its delivery is '
          || d.state
      FROM errand.jobs j JOIN errand.webhook_deliveries d ON d.job_id = j.id
      WHERE j.on_finish_state IS DISTINCT FROM CASE d.state WHEN 'pending' THEN 'pending' ELSE 'done' END
      UNION ALL
      SELECT j.id, 'is ' || j.state || ' and its delivery says ' || d.type || ' to ' || d.url
      FROM errand.jobs j JOIN errand.webhook_deliveries d ON d.job_id = j.id
      WHERE j.state NOT IN (%2$s) OR d.type <> 'io.errand.job.' || j.state
        OR j.on_finish ->> 'url' IS DISTINCT FROM d.url
      UNION ALL
      SELECT d.job_id, 'has a delivery that is ' || d.state || ' after an answer of '
          || coalesce(d.last_status::text, 'nothing')
      FROM errand.webhook_deliveries d
      WHERE d.state = 'delivered' AND (d.last_status IS NULL OR d.last_status NOT BETWEEN 200 AND 299)
      UNION ALL
      SELECT r.id, 'was removed before its delivery had ended'
      FROM errand.webhook_deliveries d JOIN errand.removed_jobs r ON r.id = d.job_id
      WHERE d.state = 'pending'
        AND NOT EXISTS (SELECT FROM errand.jobs j WHERE j.id = d.job_id)
      """;
}
