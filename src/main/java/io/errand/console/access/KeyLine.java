package io.errand.console.access;

import io.errand.console.Words;
import io.errand.store.access.KeyRow;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A key in a list.
 *
 * @param state in use, expired or revoked
 */
record KeyLine(
    String id,
    String name,
    String role,
    String project,
    String createdBy,
    Instant createdAt,
    @Nullable Instant expiresAt,
    @Nullable Instant lastUsedAt,
    String state) {
  static KeyLine of(KeyRow key) {
    boolean isExpired = key.expiresAt() != null && !key.expiresAt().isAfter(Instant.now());
    return new KeyLine(
        key.id(),
        Words.oneLine(key.name()),
        key.role(),
        key.project(),
        Words.oneLine(key.createdBy()),
        key.createdAt(),
        key.expiresAt(),
        key.lastUsedAt(),
        key.revokedAt() != null ? "revoked" : isExpired ? "expired" : "in use");
  }

  /** Whether it can be used. */
  public boolean isInUse() {
    return state.equals("in use");
  }
}
