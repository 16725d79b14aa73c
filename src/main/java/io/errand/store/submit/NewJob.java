package io.errand.store.submit;

import io.errand.job.JobSpec;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job about to be stored.
 *
 * @param id made by the server, or the client's own
 * @param spec what it asks for
 * @param principal who submits it
 * @param idempotencyKey makes a repeat harmless, or null
 * @param fingerprint SHA-256 of the canonical request, 64 hexadecimal digits
 * @param schedule the schedule that submits it, or null
 * @param scheduledAt the tick of the schedule, or null
 */
public record NewJob(
    UUID id,
    JobSpec spec,
    String principal,
    @Nullable String idempotencyKey,
    String fingerprint,
    @Nullable String schedule,
    @Nullable Instant scheduledAt) {

  /** One that no schedule submits. */
  public NewJob(
      UUID id,
      JobSpec spec,
      String principal,
      @Nullable String idempotencyKey,
      String fingerprint) {
    this(id, spec, principal, idempotencyKey, fingerprint, null, null);
  }

  /** The same job, submitted by a schedule. */
  public NewJob of(String byName, @Nullable Instant tick) {
    return new NewJob(id, spec, principal, idempotencyKey, fingerprint, byName, tick);
  }
}
