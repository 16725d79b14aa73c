package io.errand.store.history;

import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.UUID;
import org.hibernate.annotations.Immutable;

/**
 * A row of {@code job_events}, to read. The claim token is not mapped, so that no reader can give
 * it away.
 */
@Entity
@Immutable
@Table(name = "job_events")
public class EventEntity extends PanacheEntityBase {
  @Id public long id;

  @Column(name = "job_id")
  public UUID jobId;

  public Instant at;

  @Column(name = "from_state")
  public String fromState;

  @Column(name = "to_state")
  public String toState;

  public String reason;
  public int attempt;
  public String actor;
  public String detail;
}
