package io.errand.store.workers;

import io.errand.store.Session;
import io.errand.store.StoreConfig;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Collection;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The heartbeat rows: who is alive, by the database's clock alone. The connections are those of the
 * queue, which requests cannot use up: a heartbeat that waited behind reads would cost a lease.
 */
@ApplicationScoped
public class WorkerStore {
  private final DataSource dataSource;
  private final StoreConfig config;

  public WorkerStore(
      @io.quarkus.agroal.DataSource("queue") DataSource dataSource, StoreConfig config) {
    this.dataSource = dataSource;
    this.config = config;
  }

  private static final String REGISTER =
      """
      INSERT INTO errand.workers (id, name, slots, queues, lease_seconds, version, pid, guarantees,
          abilities)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """;

  public static final String HEARTBEAT =
      """
      UPDATE errand.workers SET heartbeat_at = now(), busy = ?, claims_waiting = ?,
          claims_nothing_because = ?
      WHERE id = ? AND state = 'live'
      """;

  private static final String STOP =
      """
      UPDATE errand.workers SET state = 'stopped', ended_at = now(), busy = 0, claims_waiting = 0,
          claims_nothing_because = NULL
      WHERE id = ? AND state = 'live'
      """;

  /* One second more than the lease: the worker ends its trees before its lease does. */
  private static final String GIVE_UP_SILENT =
      """
      UPDATE errand.workers w SET state = 'lost', ended_at = now(), busy = 0, claims_waiting = 0,
          claims_nothing_because = NULL, lost_jobs = (
              SELECT count(*) FROM errand.jobs j WHERE j.state = 'running' AND j.worker_id = w.id)
      WHERE state = 'live' AND heartbeat_at < now() - make_interval(secs => lease_seconds + 1)
      """;

  /* Rows of ended incarnations serve operators for a day. */
  private static final String FORGET_ENDED =
      """
      DELETE FROM errand.workers w
      WHERE w.state <> 'live' AND w.ended_at < now() - INTERVAL '1 day'
        AND NOT EXISTS (
            SELECT FROM errand.jobs j WHERE j.state = 'running' AND j.worker_id = w.id)
      """;

  /**
   * A new incarnation.
   *
   * @param id drawn for this start
   * @param name for people
   * @param slots how many commands it runs at once
   * @param queues what it serves; {@code *} is all
   * @param leaseSeconds after this silence it is given up
   * @param version of Errand
   * @param pid of its process
   * @param guarantees what its host lets it promise about process trees
   * @param abilities what its host can do for a job that asks
   */
  public record Incarnation(
      UUID id,
      String name,
      int slots,
      Collection<String> queues,
      double leaseSeconds,
      String version,
      long pid,
      String guarantees,
      Collection<String> abilities) {}

  /**
   * What a worker has to do now.
   *
   * @param busy how many of its slots have a command
   * @param claimsWaiting how many of its claims wait for a slot
   * @param claimsNothingBecause the fault of its host that keeps it from claiming; null where none
   *     does
   */
  public record Load(int busy, int claimsWaiting, @Nullable String claimsNothingBecause) {}

  /** Writes the row of a new incarnation: its first sign of life. */
  public void register(Connection connection, Incarnation incarnation) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(REGISTER)) {
      statement.setObject(1, incarnation.id());
      statement.setString(2, incarnation.name());
      statement.setInt(3, incarnation.slots());
      statement.setArray(4, connection.createArrayOf("text", incarnation.queues().toArray()));
      statement.setDouble(5, incarnation.leaseSeconds());
      statement.setString(6, incarnation.version());
      statement.setLong(7, incarnation.pid());
      statement.setString(8, incarnation.guarantees());
      statement.setArray(9, connection.createArrayOf("text", incarnation.abilities().toArray()));
      statement.executeUpdate();
    }
  }

  /**
   * One sign of life.
   *
   * @return whether the incarnation is still believed in; if not, it has lost every claim
   */
  public boolean heartbeat(Connection connection, UUID workerId, Load load) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(HEARTBEAT)) {
      statement.setInt(1, load.busy());
      statement.setInt(2, load.claimsWaiting());
      statement.setString(3, load.claimsNothingBecause());
      statement.setObject(4, workerId);
      return statement.executeUpdate() == 1;
    }
  }

  /** Says that an incarnation has ended by itself; claims that it still holds are lost at once. */
  public void stop(UUID workerId) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(STOP)) {
      statement.setObject(1, workerId);
      statement.executeUpdate();
    }
  }

  /**
   * Gives up every worker that has been silent for longer than its lease.
   *
   * @return how many
   */
  public int giveUpSilent() throws SQLException {
    return update(GIVE_UP_SILENT);
  }

  /** Removes the rows of incarnations that ended a day ago. */
  public int forgetEnded() throws SQLException {
    return update(FORGET_ENDED);
  }

  private int update(String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      return statement.executeUpdate();
    }
  }

  /**
   * A connection outside the pool, so that a heartbeat never waits behind the load of others.
   *
   * @param name shown in {@code pg_stat_activity}
   * @param timeoutSeconds bounds connecting and every answer, those of the login too; at least 1.
   *     The driver's loginTimeout would need a thread, when there may be none to be had
   */
  public Connection dedicatedConnection(String name, int timeoutSeconds) throws SQLException {
    return Session.openPrimary(config, name, timeoutSeconds);
  }
}
