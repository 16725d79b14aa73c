package io.errand.store.webhooks;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code webhook_deliveries}, to read.
 *
 * @param id the {@code webhook-id} of every try
 * @param type of the event
 * @param state by wire name
 * @param tries that have ended since it was made or last resent
 * @param lastStatus HTTP status of the latest try, null where there was no answer
 * @param lastError why the latest try has failed, for people
 * @param nextTryAt not tried before; null once it has ended
 */
public record Delivery(
    UUID id,
    UUID jobId,
    String type,
    String url,
    @Nullable String secretRef,
    String state,
    int tries,
    @Nullable Integer lastStatus,
    @Nullable String lastError,
    @Nullable Instant lastTriedAt,
    @Nullable Instant nextTryAt,
    Instant createdAt,
    @Nullable Instant finishedAt) {

  static final String COLUMNS =
      "id, job_id, type, url, secret_ref, state, tries, last_status, last_error, last_tried_at,"
          + " next_try_at, created_at, finished_at";

  static Delivery read(ResultSet row) throws SQLException {
    return new Delivery(
        row.getObject("id", UUID.class),
        row.getObject("job_id", UUID.class),
        row.getString("type"),
        row.getString("url"),
        row.getString("secret_ref"),
        row.getString("state"),
        row.getInt("tries"),
        row.getObject("last_status", Integer.class),
        row.getString("last_error"),
        time(row, "last_tried_at"),
        time(row, "next_try_at"),
        row.getObject("created_at", OffsetDateTime.class).toInstant(),
        time(row, "finished_at"));
  }

  private static @Nullable Instant time(ResultSet row, String column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }
}
