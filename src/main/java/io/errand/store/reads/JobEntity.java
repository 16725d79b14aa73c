package io.errand.store.reads;

import io.errand.job.JobState;
import io.errand.job.TraceContext;
import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import org.hibernate.annotations.Formula;
import org.hibernate.annotations.Immutable;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.type.SqlTypes;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code jobs}, to read. Writing is done by the verbs of this package alone. The values of
 * {@code env} and {@code stdin} are not mapped, so that no reader can give them away.
 */
@Entity
@Immutable
@Table(name = "jobs")
public class JobEntity extends PanacheEntityBase {
  @Id public UUID id;
  public String state;
  public String reason;
  public @Nullable String description;
  public String queue;
  public short priority;
  public String[] command;

  /** The named command that the command was made of. */
  public @Nullable String run;

  @Column(name = "run_version")
  public @Nullable Integer runVersion;

  @JdbcTypeCode(SqlTypes.JSON)
  public @Nullable String parameters;

  public int attempt;

  @Column(name = "max_attempts")
  public int maxAttempts;

  @Column(name = "charged_attempts")
  public int chargedAttempts;

  @Column(name = "exit_code")
  public Short exitCode;

  public String signal;
  public String detail;

  @Column(name = "created_at")
  public Instant createdAt;

  @Column(name = "run_at")
  public Instant runAt;

  @Column(name = "claimed_at")
  public Instant claimedAt;

  @Column(name = "started_at")
  public Instant startedAt;

  @Column(name = "finished_at")
  public Instant finishedAt;

  @Column(name = "duration_seconds")
  public Double durationSeconds;

  @Column(name = "cancel_requested_at")
  public Instant cancelRequestedAt;

  @Column(name = "expires_at")
  public @Nullable Instant expiresAt;

  public String worker;

  @Column(name = "stdout_bytes")
  public long stdoutBytes;

  @Column(name = "stdout_dropped_bytes")
  public long stdoutDroppedBytes;

  @Column(name = "stderr_bytes")
  public long stderrBytes;

  @Column(name = "stderr_dropped_bytes")
  public long stderrDroppedBytes;

  @JdbcTypeCode(SqlTypes.JSON)
  public String labels;

  @Column(name = "concurrency_key")
  public @Nullable String concurrencyKey;

  @Column(name = "concurrency_limit")
  public int concurrencyLimit;

  @Column(name = "idempotency_key")
  public @Nullable String idempotencyKey;

  public String principal;

  /** The project of its queue. */
  public String project = "default";

  @Column(name = "retry_of")
  public UUID retryOf;

  public @Nullable String schedule;

  @Column(name = "scheduled_at")
  public @Nullable Instant scheduledAt;

  /** As of {@link io.errand.job.TraceContext#stored}. */
  @Column(name = "trace_context")
  public @Nullable String traceContext;

  @Column(name = "timeout_seconds")
  public double timeoutSeconds;

  @Column(name = "kill_grace_seconds")
  public double killGraceSeconds;

  @Column(name = "stdout_limit_bytes")
  public int stdoutLimitBytes;

  @Column(name = "stderr_limit_bytes")
  public int stderrLimitBytes;

  @Column(name = "success_exit_codes")
  public Short[] successExitCodes;

  @Column(name = "on_lost")
  public String onLost;

  @JdbcTypeCode(SqlTypes.JSON)
  public String backoff;

  @JdbcTypeCode(SqlTypes.JSON)
  public String retry;

  @JdbcTypeCode(SqlTypes.JSON)
  public String limits;

  @Column(name = "run_as")
  public @Nullable String runAs;

  @JdbcTypeCode(SqlTypes.JSON)
  public @Nullable String sandbox;

  @Column(name = "on_finish")
  @JdbcTypeCode(SqlTypes.JSON)
  public @Nullable String onFinish;

  @Column(name = "working_directory")
  public @Nullable String workingDirectory;

  /** The jobs that it waits for, null where it waits for none. */
  @Column(name = "after")
  public UUID @Nullable [] waitsAfter;

  @Column(name = "on_dependency_failure")
  public @Nullable String onDependencyFailure;

  /** The names of the job's own variables, sorted. */
  @Formula("ARRAY(SELECT jsonb_object_keys(env) ORDER BY 1)")
  public String[] envNames;

  /** The size of what the command reads, null where there is nothing. */
  @Formula(
      "CASE WHEN sealed_key IS NULL THEN octet_length(stdin)"
          + " ELSE octet_length(stdin) * 3 / 4 - 28 END") // see Seal
  public @Nullable Integer stdinBytes;

  /** The id of the trace that it belongs to, or null. */
  public @Nullable String traceId() {
    TraceContext trace = TraceContext.ofStored(traceContext);
    return trace == null ? null : trace.traceId();
  }

  /** The state as the machine knows it. */
  public JobState jobState() {
    return JobState.valueOf(state.toUpperCase(Locale.ROOT));
  }
}
