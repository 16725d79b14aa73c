package io.errand.store.reads;

import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.io.Serializable;
import java.time.Instant;
import java.util.UUID;
import org.hibernate.annotations.Immutable;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.type.SqlTypes;

/** A row of {@code attempts}, to read, without the output: see {@link OutputEntity}. */
@Entity
@Immutable
@Table(name = "attempts")
@IdClass(AttemptEntity.Key.class)
public class AttemptEntity extends PanacheEntityBase {
  @Id
  @Column(name = "job_id")
  public UUID jobId;

  @Id public int attempt;
  public String outcome;

  @Column(name = "exit_code")
  public Short exitCode;

  public String signal;
  public String detail;

  @Column(name = "claimed_at")
  public Instant claimedAt;

  @Column(name = "started_at")
  public Instant startedAt;

  @Column(name = "finished_at")
  public Instant finishedAt;

  @Column(name = "duration_seconds")
  public Double durationSeconds;

  @Column(name = "cpu_user_seconds")
  public Double cpuUserSeconds;

  @Column(name = "cpu_system_seconds")
  public Double cpuSystemSeconds;

  @Column(name = "memory_peak_bytes")
  public Long memoryPeakBytes;

  public String worker;

  @JdbcTypeCode(SqlTypes.JSON)
  @Column(name = "signals_sent")
  public String signalsSent;

  @Column(name = "tree_empty")
  public Boolean treeEmpty;

  @Column(name = "stdout_bytes")
  public long stdoutBytes;

  @Column(name = "stdout_dropped_bytes")
  public long stdoutDroppedBytes;

  @Column(name = "stderr_bytes")
  public long stderrBytes;

  @Column(name = "stderr_dropped_bytes")
  public long stderrDroppedBytes;

  /** Job and number. */
  public record Key(UUID jobId, int attempt) implements Serializable {}
}
