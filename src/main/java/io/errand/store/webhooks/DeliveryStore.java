package io.errand.store.webhooks;

import io.errand.job.Access;
import io.errand.job.TraceContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The life of a delivery: made of a finished job, claimed for a try, ended or put off. */
@ApplicationScoped
public class DeliveryStore {
  private static final int HOSTS_A_PAGE = 256;

  private final DataSource dataSource;

  public DeliveryStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /*
   * The outbox is the finished job itself: whatever statement has finished it, it is in the index of
   * jobs without a delivery, and leaves it with the statement that makes one.
   */
  private static final String MAKE =
      """
      WITH finished AS (
          SELECT id, project, principal, state, on_finish FROM errand.jobs
          WHERE on_finish IS NOT NULL AND on_finish_state IS NULL
            AND state IN ('succeeded', 'failed', 'cancelled')
          ORDER BY finished_at
          LIMIT ?
          FOR NO KEY UPDATE SKIP LOCKED
      ), marked AS (
          UPDATE errand.jobs j SET on_finish_state = 'pending' FROM finished f WHERE j.id = f.id
      ), made AS (
          INSERT INTO errand.webhook_deliveries (
              id, job_id, project, principal, type, url, host, secret_ref)
          SELECT gen_random_uuid(), id, project, principal, 'io.errand.job.' || state, on_finish ->> 'url',
                 lower(substring(on_finish ->> 'url' FROM '^https?://(\\[[^]]*\\]|[^:/?]*)')),
                 on_finish ->> 'secret_ref'
          FROM finished
          ON CONFLICT (job_id) DO NOTHING
      )
      SELECT count(*) FROM finished
      """;

  /* Host by host, each found by the index, so that what waits for one host is not read for others. */
  private static final String CLAIM =
      """
      WITH RECURSIVE hosts AS (
          (SELECT host FROM errand.webhook_deliveries
           WHERE state = 'pending' AND host > ? ORDER BY host LIMIT 1)
          UNION ALL
          SELECT (SELECT d.host FROM errand.webhook_deliveries d
                  WHERE d.state = 'pending' AND d.host > h.host ORDER BY d.host LIMIT 1)
          FROM hosts h WHERE h.host IS NOT NULL
      ), page AS (
          SELECT host FROM hosts WHERE host IS NOT NULL LIMIT ?
      ), due AS MATERIALIZED (
          SELECT d.id
          FROM page p
          LEFT JOIN unnest(?::text[], ?::integer[]) AS busy (host, sends) ON busy.host = p.host
          CROSS JOIN LATERAL (
              SELECT id FROM errand.webhook_deliveries w
              WHERE w.state = 'pending' AND w.host = p.host AND w.next_try_at <= now()
              ORDER BY w.next_try_at
              LIMIT greatest(0, ? - coalesce(busy.sends, 0))
              FOR UPDATE SKIP LOCKED) d
          LIMIT ?
      ), claimed AS (
          UPDATE errand.webhook_deliveries d
          SET claim_token = gen_random_uuid(), next_try_at = now() + make_interval(secs => ?)
          FROM due WHERE d.id = due.id
          RETURNING d.*
      )
      SELECT of_page.*, c.id, c.claim_token, c.job_id, c.project, c.principal, c.type, c.url, c.host,
             c.secret_ref, c.tries, j.trace_context, j.attempt,
             EXISTS (SELECT FROM errand.disabled_webhooks w
                     WHERE w.principal = c.principal AND w.url = c.url) AS disabled
      FROM (SELECT count(*) AS hosts, max(host) AS last_host FROM page) AS of_page
      LEFT JOIN claimed c ON true
      LEFT JOIN errand.jobs j ON j.id = c.job_id
      """;

  private static final String LOCK_JOB =
      """
      SELECT id FROM errand.jobs WHERE id = ? FOR NO KEY UPDATE
      """;

  private static final String RECORD =
      """
      UPDATE errand.webhook_deliveries
      SET state = ?, tries = tries + ?, last_status = ?, last_error = ?,
          last_tried_at = CASE WHEN ? > 0 THEN now() ELSE last_tried_at END,
          next_try_at = now() + make_interval(secs => ?),
          finished_at = CASE WHEN ?::double precision IS NULL THEN now() END, claim_token = NULL
      WHERE id = ? AND claim_token = ?
      """;

  private static final String JOB_IS_DONE =
      """
      UPDATE errand.jobs SET on_finish_state = 'done' WHERE id = ?
      """;

  private static final String DISABLE =
      """
      INSERT INTO errand.disabled_webhooks (project, principal, url, delivery_id)
      VALUES (?, ?, ?, ?)
      ON CONFLICT (principal, url)
      DO UPDATE SET delivery_id = excluded.delivery_id, disabled_at = excluded.disabled_at
      """;

  private static final String REMOVE =
      """
      DELETE FROM errand.webhook_deliveries WHERE id = ? AND claim_token = ?
      """;

  private static final String GIVE_BACK =
      """
      UPDATE errand.webhook_deliveries
      SET claim_token = NULL, next_try_at = now() + make_interval(secs => ?)
      WHERE id = ? AND claim_token = ?
      """;

  private static final String ENABLE_OLD =
      """
      DELETE FROM errand.disabled_webhooks WHERE (principal, url) IN (
          SELECT principal, url FROM errand.disabled_webhooks
          WHERE disabled_at < now() - make_interval(secs => ?) ORDER BY disabled_at LIMIT ?)
      """;

  /**
   * What a claim gave.
   *
   * @param deliveries to try now
   * @param nextHost where the next page of hosts begins, or null behind the last
   */
  public record Claims(List<ClaimedDelivery> deliveries, @Nullable String nextHost) {}

  /**
   * The result of a try.
   *
   * @param state after it
   * @param sent whether anything was tried
   * @param status of the answer, null where there was none
   * @param error why it has failed, null where it has not
   * @param delay to the next try, null if it has ended
   */
  public record Result(
      DeliveryState state,
      boolean sent,
      @Nullable Integer status,
      @Nullable String error,
      @Nullable Duration delay) {}

  /**
   * Makes deliveries of jobs that have finished.
   *
   * @return of how many, at most the limit
   */
  public int make(int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(MAKE)) {
      statement.setInt(1, limit);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }

  /**
   * Claims deliveries that are due.
   *
   * @param busy how many tries this process makes now, by host
   * @param mostOfHost how many it may make at once of one host
   * @param limit at most so many
   * @param lease after how long another process may try them
   * @param afterHost hosts behind this one in the order of their names; empty for all
   */
  public Claims claim(
      Map<String, Integer> busy, int mostOfHost, int limit, Duration lease, String afterHost)
      throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(CLAIM)) {
      List<Map.Entry<String, Integer>> hosts = List.copyOf(busy.entrySet());
      statement.setString(1, afterHost);
      statement.setInt(2, HOSTS_A_PAGE);
      statement.setArray(
          3, connection.createArrayOf("text", hosts.stream().map(Map.Entry::getKey).toArray()));
      statement.setArray(
          4,
          connection.createArrayOf("integer", hosts.stream().map(Map.Entry::getValue).toArray()));
      statement.setInt(5, mostOfHost);
      statement.setInt(6, limit);
      statement.setDouble(7, seconds(lease));
      List<ClaimedDelivery> claimed = new ArrayList<>();
      String next = null;
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          next = row.getInt("hosts") < HOSTS_A_PAGE ? null : row.getString("last_host");
          if (row.getObject("id") != null) {
            claimed.add(read(row));
          }
        }
      }
      return new Claims(claimed, next);
    }
  }

  private static ClaimedDelivery read(ResultSet row) throws SQLException {
    return new ClaimedDelivery(
        row.getObject("id", UUID.class),
        row.getObject("claim_token", UUID.class),
        row.getObject("job_id", UUID.class),
        Access.toOwn(row.getString("project"), row.getString("principal")),
        row.getString("type"),
        row.getString("url"),
        row.getString("host"),
        row.getString("secret_ref"),
        row.getInt("tries"),
        TraceContext.ofStored(row.getString("trace_context")),
        row.getInt("attempt"),
        row.getBoolean("disabled"));
  }

  /**
   * Writes what a try has given. Where the delivery has ended, its job may be removed from then on.
   *
   * @return false if the claim is no longer this process's, and nothing was written
   */
  public boolean record(ClaimedDelivery delivery, Result result) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        // Jobs are locked before deliveries everywhere, so that no two wait for each other.
        boolean written =
            isThere(connection, delivery.jobId())
                ? write(connection, delivery, result)
                : execute(connection, REMOVE, delivery.id(), delivery.token()) > 0;
        connection.commit();
        return written;
      } catch (SQLException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static boolean isThere(Connection connection, UUID job) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LOCK_JOB)) {
      statement.setObject(1, job);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next();
      }
    }
  }

  private static boolean write(Connection connection, ClaimedDelivery delivery, Result result)
      throws SQLException {
    int tries = result.sent() ? 1 : 0;
    Double delay = result.delay() == null ? null : seconds(result.delay());
    try (PreparedStatement statement = connection.prepareStatement(RECORD)) {
      statement.setString(1, result.state().wireName());
      statement.setInt(2, tries);
      statement.setObject(3, result.status(), java.sql.Types.INTEGER);
      statement.setString(4, result.error());
      statement.setInt(5, tries);
      statement.setObject(6, delay, java.sql.Types.DOUBLE);
      statement.setObject(7, delay, java.sql.Types.DOUBLE);
      statement.setObject(8, delivery.id());
      statement.setObject(9, delivery.token());
      if (statement.executeUpdate() == 0) {
        return false;
      }
    }
    if (delay == null) {
      execute(connection, JOB_IS_DONE, delivery.jobId());
    }
    if (result.state() == DeliveryState.DISABLED && result.sent()) {
      execute(
          connection,
          DISABLE,
          delivery.access().project(),
          delivery.access().principal(),
          delivery.url(),
          delivery.id());
    }
    return true;
  }

  /** Gives back a claim whose try was not made, to be made so much later. */
  public void giveBack(ClaimedDelivery delivery, Duration delay) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      execute(connection, GIVE_BACK, seconds(delay), delivery.id(), delivery.token());
    }
  }

  /** Forgets, of at most so many URLs, that they were disabled so long ago. */
  public void enableOld(Duration age, int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      execute(connection, ENABLE_OLD, seconds(age), limit);
    }
  }

  static int execute(Connection connection, String sql, Object... values) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        statement.setObject(i + 1, values[i]);
      }
      return statement.executeUpdate();
    }
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1e3;
  }
}
