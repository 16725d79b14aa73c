package io.errand.store.reads;

import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.UUID;
import org.hibernate.annotations.Formula;
import org.hibernate.annotations.Immutable;

/** A row of {@code workers}, to read. */
@Entity
@Immutable
@Table(name = "workers")
public class WorkerEntity extends PanacheEntityBase {
  @Id public UUID id;
  public String name;
  public String state;
  public int slots;

  /** Slots that have a job now: not as of the heartbeat, which may be old. */
  @Formula(
      "(select least(slots, count(*)) from errand.jobs r"
          + " where r.state = 'running' and r.worker_id = id)")
  public int busy;

  @Column(name = "claims_waiting")
  public int claimsWaiting;

  @Column(name = "claims_nothing_because")
  public String claimsNothingBecause;

  public String[] queues;

  @Column(name = "lease_seconds")
  public double leaseSeconds;

  @Column(name = "started_at")
  public Instant startedAt;

  @Column(name = "heartbeat_at")
  public Instant heartbeatAt;

  public String version;
  public long pid;
  public String guarantees;
  public String[] abilities;
}
