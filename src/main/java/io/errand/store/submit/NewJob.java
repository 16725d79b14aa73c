package io.errand.store.submit;

import io.errand.job.Access;
import io.errand.job.Call;
import io.errand.job.JobSpec;
import io.errand.job.Seal;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job about to be stored.
 *
 * @param id made by the server, or the client's own
 * @param spec what it asks for
 * @param access of who submits it
 * @param idempotencyKey makes a repeat harmless, or null
 * @param fingerprint SHA-256 of the canonical request, 64 hexadecimal digits
 * @param schedule the schedule that submits it, or null
 * @param scheduledAt the tick of the schedule, or null
 * @param dependencies the jobs that it waits for; if there are any, {@link DependentStore} stores
 *     it
 * @param seal tells that the environment and stdin of {@code spec} are encrypted, else null
 * @param call that submits it
 */
public record NewJob(
    UUID id,
    JobSpec spec,
    Access access,
    @Nullable String idempotencyKey,
    String fingerprint,
    @Nullable String schedule,
    @Nullable Instant scheduledAt,
    Dependencies dependencies,
    @Nullable Seal seal,
    Call call) {

  /** One that no schedule submits, and that waits for no other. */
  public NewJob(
      UUID id, JobSpec spec, Access access, @Nullable String idempotencyKey, String fingerprint) {
    this(
        id,
        spec,
        access,
        idempotencyKey,
        fingerprint,
        null,
        null,
        Dependencies.NONE,
        null,
        Call.NONE);
  }

  /** The same job, submitted by a schedule. */
  public NewJob of(String byName, @Nullable Instant tick) {
    return new NewJob(
        id, spec, access, idempotencyKey, fingerprint, byName, tick, dependencies, seal, call);
  }

  /** The same job, submitted by a call. */
  public NewJob by(Call caller) {
    return new NewJob(
        id,
        spec,
        access,
        idempotencyKey,
        fingerprint,
        schedule,
        scheduledAt,
        dependencies,
        seal,
        caller);
  }

  /** The same job, which waits for others. */
  public NewJob waitingFor(Dependencies others) {
    return new NewJob(
        id, spec, access, idempotencyKey, fingerprint, schedule, scheduledAt, others, seal, call);
  }

  /** The same job with encrypted inputs. */
  public NewJob sealed(Map<String, String> environment, @Nullable String stdin, Seal by) {
    JobSpec encrypted = spec.withInputs(environment, stdin);
    return new NewJob(
        id,
        encrypted,
        access,
        idempotencyKey,
        fingerprint,
        schedule,
        scheduledAt,
        dependencies,
        by,
        call);
  }

  /** Who submits it. */
  public String principal() {
    return access.principal();
  }

  /** How many bytes it takes in the heap, at most. */
  public long heapBytes() {
    return spec.heapBytes() + dependencies.heapBytes() + call.heapBytes();
  }
}
