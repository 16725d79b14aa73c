package io.errand.api.access;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.request.WireTime;
import io.errand.store.access.KeyRow;
import org.jspecify.annotations.Nullable;

/** A key on the wire; its text is there only in the answer to the call that made it. */
@JsonNaming(SnakeCaseStrategy.class)
record KeyView(
    String id,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String key,
    String name,
    String role,
    String project,
    String principal,
    @Nullable String createdAt,
    String createdBy,
    @Nullable String expiresAt,
    @Nullable String revokedAt,
    @Nullable String lastUsedAt) {
  static KeyView of(KeyRow row) {
    return of(row, null);
  }

  /**
   * The same.
   *
   * @param key the text, or null
   */
  static KeyView of(KeyRow row, @Nullable String key) {
    return new KeyView(
        row.id(),
        key,
        row.name(),
        row.role(),
        row.project(),
        row.principal(),
        WireTime.format(row.createdAt()),
        row.createdBy(),
        WireTime.format(row.expiresAt()),
        WireTime.format(row.revokedAt()),
        WireTime.format(row.lastUsedAt()));
  }
}
