package io.errand.store.webhooks;

import io.errand.job.Access;
import io.errand.store.AccessSql;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Lets deliveries be tried again because a client asks for it. */
@ApplicationScoped
public class ResendStore {
  private final DataSource dataSource;

  public ResendStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  private static final String LOCK_JOB =
      """
      SELECT j.id FROM errand.jobs j
      WHERE j.id = (SELECT d.job_id FROM errand.webhook_deliveries d
                    WHERE d.id = ? AND d.project = ?
                      AND d.principal = coalesce(?, d.principal))
      FOR NO KEY UPDATE
      """;

  /* One that is being tried goes on with its try. */
  private static final String RESEND =
      """
      UPDATE errand.webhook_deliveries
      SET state = 'pending', tries = 0, next_try_at = now(), finished_at = NULL, claim_token = NULL
      WHERE id = ? AND NOT (state = 'pending' AND claim_token IS NOT NULL AND next_try_at > now())
      """;

  private static final String JOB_IS_PENDING =
      """
      UPDATE errand.jobs SET on_finish_state = 'pending' WHERE id = ?
      """;

  private static final String ENABLE =
      """
      DELETE FROM errand.disabled_webhooks w USING errand.webhook_deliveries d
      WHERE d.id = ? AND w.principal = d.principal AND w.url = d.url
      """;

  /**
   * Lets the tries of a delivery begin anew, now, and enables its URL if that has answered 410.
   *
   * @return false if this caller has no such delivery, or its job has been removed
   */
  public boolean resend(UUID id, Access access) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        UUID job = lockJob(connection, id, access);
        if (job != null && DeliveryStore.execute(connection, RESEND, id) > 0) {
          DeliveryStore.execute(connection, JOB_IS_PENDING, job);
        }
        if (job != null) {
          DeliveryStore.execute(connection, ENABLE, id);
        }
        connection.commit();
        return job != null;
      } catch (SQLException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static @Nullable UUID lockJob(Connection connection, UUID id, Access access)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LOCK_JOB)) {
      statement.setObject(1, id);
      AccessSql.bind(statement, 2, access);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getObject(1, UUID.class) : null;
      }
    }
  }
}
