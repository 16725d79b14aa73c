package io.errand.store.reads;

import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.util.UUID;
import org.hibernate.annotations.Immutable;

/** The same row as {@link AttemptEntity}, for its output alone: most readers do not want it. */
@Entity
@Immutable
@Table(name = "attempts")
@IdClass(AttemptEntity.Key.class)
public class OutputEntity extends PanacheEntityBase {
  @Id
  @Column(name = "job_id")
  public UUID jobId;

  @Id public int attempt;

  public byte[] stdout;
  public byte[] stderr;

  @Column(name = "stdout_head_bytes")
  public int stdoutHeadBytes;

  @Column(name = "stderr_head_bytes")
  public int stderrHeadBytes;

  @Column(name = "stdout_bytes")
  public long stdoutBytes;

  @Column(name = "stderr_bytes")
  public long stderrBytes;

  /** What is kept of stdout. */
  public KeptOutput keptStdout() {
    return new KeptOutput(stdout, stdoutHeadBytes, stdoutBytes);
  }

  /** What is kept of stderr. */
  public KeptOutput keptStderr() {
    return new KeptOutput(stderr, stderrHeadBytes, stderrBytes);
  }
}
