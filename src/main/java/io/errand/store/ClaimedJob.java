package io.errand.store;

import io.errand.job.Confinement;
import io.errand.job.RetryPolicy;
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
 * @param attempt the number of this attempt
 * @param charged how many tries have been charged, this one included
 * @param queue where it came from
 * @param waited from when it could have run until it was claimed
 * @param runAt since when it could run
 * @param keyed whether others with its concurrency key wait for its end
 */
public record ClaimedJob(
    UUID id,
    UUID token,
    Instant claimedAt,
    int attempt,
    int charged,
    String queue,
    Duration waited,
    Instant runAt,
    List<String> command,
    Map<String, String> environment,
    @Nullable String stdin,
    @Nullable String workingDirectory,
    Duration timeout,
    Duration killGrace,
    int stdoutLimitBytes,
    int stderrLimitBytes,
    RetryPolicy policy,
    Confinement confinement,
    boolean keyed) {}
