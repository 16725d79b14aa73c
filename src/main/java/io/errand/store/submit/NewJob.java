package io.errand.store.submit;

import io.errand.job.JobSpec;
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
 */
public record NewJob(
    UUID id, JobSpec spec, String principal, @Nullable String idempotencyKey, String fingerprint) {}
