package io.errand.store.access;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code api_keys}, without its hashes.
 *
 * @param id which its text names
 * @param name for people
 * @param principal whom jobs that are submitted with it belong to
 * @param role by wire name
 * @param project which it belongs to
 * @param createdBy the principal who made it
 * @param expiresAt when it ends, or null
 * @param revokedAt when it was ended, or null
 * @param lastUsedAt to the minute, or null
 */
public record KeyRow(
    String id,
    String name,
    String principal,
    String role,
    String project,
    Instant createdAt,
    String createdBy,
    @Nullable Instant expiresAt,
    @Nullable Instant revokedAt,
    @Nullable Instant lastUsedAt) {}
