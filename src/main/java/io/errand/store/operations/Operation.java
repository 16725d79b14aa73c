package io.errand.store.operations;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.errand.store.PolicyJson;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code operations}, for those who asked for it.
 *
 * @param id of the operation, a UUIDv7
 * @param kind by wire name, as of {@link OperationKind}
 * @param state running, stopping, stopped, finished or failed
 * @param filter which jobs, as of {@link BulkFilter#toJson}
 * @param set the new values of an update, else null
 * @param total jobs that matched when it began, null where they could not be counted in time
 * @param done jobs that it has changed
 * @param skipped jobs that no longer matched when it came to them; complete at the end
 * @param errors jobs whose change the database refused
 * @param detail one line about the last error, or null
 * @param finishedAt when it reached a final state, or null
 * @param idempotencyKey that it was created with, or null
 */
public record Operation(
    UUID id,
    String kind,
    String state,
    JsonNode filter,
    @Nullable JsonNode set,
    @Nullable Long total,
    long done,
    long skipped,
    long errors,
    @Nullable String detail,
    Instant createdAt,
    Instant updatedAt,
    @Nullable Instant finishedAt,
    @Nullable String idempotencyKey) {

  static final String COLUMNS =
      "id, kind, state, filter::text, set::text, total, done, skipped, errors, detail, created_at,"
          + " updated_at, finished_at, idempotency_key";

  /** Whether nothing will change any more. */
  public boolean isFinal() {
    return finishedAt != null;
  }

  static Operation read(ResultSet row) throws SQLException {
    String set = row.getString("set");
    return new Operation(
        row.getObject("id", UUID.class),
        row.getString("kind"),
        row.getString("state"),
        json(row.getString("filter")),
        set == null ? null : json(set),
        row.getObject("total", Long.class),
        row.getLong("done"),
        row.getLong("skipped"),
        row.getLong("errors"),
        row.getString("detail"),
        row.getObject("created_at", OffsetDateTime.class).toInstant(),
        row.getObject("updated_at", OffsetDateTime.class).toInstant(),
        time(row.getObject("finished_at", OffsetDateTime.class)),
        row.getString("idempotency_key"));
  }

  static JsonNode json(String text) {
    try {
      return PolicyJson.MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The database holds no JSON where it should", e);
    }
  }

  private static @Nullable Instant time(@Nullable OffsetDateTime time) {
    return time == null ? null : time.toInstant();
  }
}
