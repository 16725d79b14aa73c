package io.errand.api.jobs;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.request.WireTime;
import io.errand.store.reads.AttemptEntity;
import io.errand.store.reads.JobEntity;
import org.jspecify.annotations.Nullable;

/** A try on the wire. One that still runs has no outcome yet. */
@JsonNaming(SnakeCaseStrategy.class)
record AttemptView(
    int attempt,
    @Nullable String outcome,
    @Nullable Integer exitCode,
    @Nullable String signal,
    @Nullable String detail,
    @Nullable String claimedAt,
    @Nullable String startedAt,
    @Nullable String finishedAt,
    @Nullable Double durationSeconds,
    @Nullable String worker,
    @Nullable Double cpuUserSeconds,
    @Nullable Double cpuSystemSeconds,
    @Nullable Long memoryPeakBytes,
    @JsonRawValue String signalsSent,
    @Nullable Boolean treeEmpty,
    long stdoutBytes,
    long stdoutDroppedBytes,
    long stderrBytes,
    long stderrDroppedBytes) {

  static AttemptView of(AttemptEntity attempt) {
    return new AttemptView(
        attempt.attempt,
        attempt.outcome,
        attempt.exitCode == null ? null : attempt.exitCode.intValue(),
        attempt.signal,
        attempt.detail,
        WireTime.format(attempt.claimedAt),
        WireTime.format(attempt.startedAt),
        WireTime.format(attempt.finishedAt),
        attempt.durationSeconds,
        attempt.worker,
        attempt.cpuUserSeconds,
        attempt.cpuSystemSeconds,
        attempt.memoryPeakBytes,
        attempt.signalsSent,
        attempt.treeEmpty,
        attempt.stdoutBytes,
        attempt.stdoutDroppedBytes,
        attempt.stderrBytes,
        attempt.stderrDroppedBytes);
  }

  /** The try that a running job is in. */
  static AttemptView running(JobEntity job) {
    return new AttemptView(
        job.attempt,
        null,
        null,
        null,
        null,
        WireTime.format(job.claimedAt),
        WireTime.format(job.startedAt),
        null,
        null,
        job.worker,
        null,
        null,
        null,
        "[]",
        null,
        0,
        0,
        0,
        0);
  }
}
