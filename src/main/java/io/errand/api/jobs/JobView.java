package io.errand.api.jobs;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.request.WireTime;
import io.errand.job.ProjectNames;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.JobReads.JobWithOutput;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job on the wire. The values of {@code env} and {@code stdin} are in no answer, their names and
 * size are. Listed jobs come without {@code stdout} and {@code stderr}.
 */
@JsonNaming(SnakeCaseStrategy.class)
public record JobView(
    UUID id,
    String state,
    @Nullable String reason,
    @Nullable String detail,
    @Nullable String description,
    List<String> command,
    @Nullable String run,
    @Nullable Integer runVersion,
    @JsonRawValue @Nullable String parameters,
    String project,
    String principal,
    String queue,
    int priority,
    int attempt,
    int maxAttempts,
    int chargedAttempts,
    @Nullable Integer exitCode,
    @Nullable String signal,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String stdout,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String stderr,
    long stdoutBytes,
    long stdoutDroppedBytes,
    long stderrBytes,
    long stderrDroppedBytes,
    @Nullable String createdAt,
    @Nullable String runAt,
    @Nullable String claimedAt,
    @Nullable String startedAt,
    @Nullable String finishedAt,
    @Nullable Double durationSeconds,
    @Nullable String cancelRequestedAt,
    @Nullable String expiresAt,
    @Nullable String worker,
    @Nullable String idempotencyKey,
    @Nullable UUID retryOf,
    @Nullable String schedule,
    @Nullable String scheduledAt,
    @Nullable String traceId,
    @Nullable Integer stdinBytes,
    List<String> envNames,
    @Nullable String workingDirectory,
    double timeoutSeconds,
    double killGraceSeconds,
    @JsonRawValue String backoff,
    @JsonRawValue String retry,
    List<Integer> successExitCodes,
    String onLost,
    int stdoutLimitBytes,
    int stderrLimitBytes,
    @Nullable String concurrencyKey,
    int concurrencyLimit,
    List<UUID> after,
    @Nullable String onDependencyFailure,
    @JsonRawValue String limits,
    @Nullable String user,
    @JsonRawValue @Nullable String sandbox,
    @JsonRawValue @Nullable String onFinish,
    @JsonRawValue String labels) {

  public static JobView of(JobWithOutput read) {
    return of(read.job(), OutputText.of(read.stdout()), OutputText.of(read.stderr()));
  }

  public static JobView listed(JobEntity job) {
    return of(job, null, null);
  }

  private static JobView of(JobEntity job, @Nullable String stdout, @Nullable String stderr) {
    return new JobView(
        job.id,
        job.state,
        job.reason,
        job.detail,
        job.description,
        List.of(job.command),
        job.run,
        job.runVersion,
        job.parameters,
        job.project,
        job.principal,
        ProjectNames.shownQueue(job.queue),
        job.priority,
        job.attempt,
        job.maxAttempts,
        job.chargedAttempts,
        job.exitCode == null ? null : job.exitCode.intValue(),
        job.signal,
        stdout,
        stderr,
        job.stdoutBytes,
        job.stdoutDroppedBytes,
        job.stderrBytes,
        job.stderrDroppedBytes,
        WireTime.format(job.createdAt),
        WireTime.format(job.runAt),
        WireTime.format(job.claimedAt),
        WireTime.format(job.startedAt),
        WireTime.format(job.finishedAt),
        job.durationSeconds,
        WireTime.format(job.cancelRequestedAt),
        WireTime.format(job.expiresAt),
        job.worker,
        job.idempotencyKey,
        job.retryOf,
        job.schedule,
        WireTime.format(job.scheduledAt),
        job.traceId(),
        job.stdinBytes,
        List.of(job.envNames),
        job.workingDirectory,
        job.timeoutSeconds,
        job.killGraceSeconds,
        job.backoff,
        job.retry,
        Arrays.stream(job.successExitCodes).map(Short::intValue).toList(),
        job.onLost,
        job.stdoutLimitBytes,
        job.stderrLimitBytes,
        ProjectNames.shownKey(job.concurrencyKey),
        job.concurrencyLimit,
        job.waitsAfter == null ? List.of() : List.of(job.waitsAfter),
        job.onDependencyFailure,
        job.limits,
        job.runAs,
        job.sandbox,
        job.onFinish,
        job.labels);
  }
}
