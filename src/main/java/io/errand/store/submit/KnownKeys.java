package io.errand.store.submit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Keys that belong to jobs already. */
final class KnownKeys {
  private KnownKeys() {}

  private static final String FIND_KEYS =
      """
      SELECT k.idempotency_key, k.job_id, encode(j.fingerprint, 'hex') AS fingerprint
      FROM errand.idempotency_keys k LEFT JOIN errand.jobs j ON j.id = k.job_id
      WHERE k.principal = ? AND k.idempotency_key = ANY (?)
      """;

  /**
   * The job of a key.
   *
   * @param jobId of the job
   * @param fingerprint of its request, null where the job has been removed
   */
  record Known(UUID jobId, @Nullable String fingerprint) {
    /** What a request with this fingerprint gets. */
    Submission answerTo(String requested) {
      if (fingerprint == null) {
        return new Submission.Gone(jobId);
      }
      return fingerprint.equals(requested)
          ? new Submission.Replayed(jobId)
          : new Submission.Conflict(jobId);
    }
  }

  /** Those of a caller's keys that are known, by key. */
  static Map<String, Known> find(Connection connection, String principal, Set<String> keys)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(FIND_KEYS)) {
      statement.setString(1, principal);
      statement.setArray(2, connection.createArrayOf("text", keys.toArray()));
      Map<String, Known> found = new HashMap<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          found.put(rows.getString(1), new Known(rows.getObject(2, UUID.class), rows.getString(3)));
        }
      }
      return found;
    }
  }
}
