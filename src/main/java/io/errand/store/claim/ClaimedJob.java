package io.errand.store.claim;

import io.errand.job.Call;
import io.errand.job.Confinement;
import io.errand.job.RetryPolicy;
import io.errand.job.Seal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One claim: the job as its worker needs it.
 *
 * @param id the job
 * @param token fences every later write about this attempt
 * @param claimedAt when, by the database's clock
 * @param startedAt when its command started, as the database knows it; null where it waits for a
 *     slot
 * @param attempt the number of this attempt
 * @param charged how many tries have been charged, this one included
 * @param queue where it came from
 * @param waited from when it could have run until it was claimed
 * @param runAt since when it could run
 * @param stdin what its command reads, in UTF-8, or null for an immediate end-of-file
 * @param seal tells that the values of {@code environment} and {@code stdin} are encrypted, else
 *     null
 * @param limited whether its end may let others start: it has a concurrency key, or its queue has
 *     limits
 * @param hasCircuit whether its outcome counts for the circuit breaker of its queue
 * @param call that has submitted it
 * @param memoryBytes what it may hold of the worker's memory, see {@link ClaimStore#MOST_MEMORY}
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
public record ClaimedJob(
    UUID id,
    UUID token,
    Instant claimedAt,
    @Nullable Instant startedAt,
    int attempt,
    int charged,
    String queue,
    Duration waited,
    Instant runAt,
    List<String> command,
    Map<String, String> environment,
    byte @Nullable [] stdin,
    @Nullable Seal seal,
    @Nullable String workingDirectory,
    Duration timeout,
    Duration killGrace,
    int stdoutLimitBytes,
    int stderrLimitBytes,
    RetryPolicy policy,
    Confinement confinement,
    boolean limited,
    boolean hasCircuit,
    Call call,
    long memoryBytes) {

  /** The same with something else for its command to read. */
  public ClaimedJob withStdin(byte @Nullable [] other) {
    return with(environment, other, seal);
  }

  /** The same with what its command gets, in clear. */
  public ClaimedJob withInputs(Map<String, String> clear, byte @Nullable [] stdinInClear) {
    return with(clear, stdinInClear, null);
  }

  private ClaimedJob with(
      Map<String, String> otherEnvironment, byte @Nullable [] other, @Nullable Seal otherSeal) {
    return new ClaimedJob(
        id,
        token,
        claimedAt,
        startedAt,
        attempt,
        charged,
        queue,
        waited,
        runAt,
        command,
        otherEnvironment,
        other,
        otherSeal,
        workingDirectory,
        timeout,
        killGrace,
        stdoutLimitBytes,
        stderrLimitBytes,
        policy,
        confinement,
        limited,
        hasCircuit,
        call,
        memoryBytes);
  }
}
