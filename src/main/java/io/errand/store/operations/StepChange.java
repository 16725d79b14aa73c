package io.errand.store.operations;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.store.AccessSql;
import io.errand.store.control.JobChanges;
import io.errand.store.control.JobUpdate;
import io.errand.store.control.Moves;
import io.errand.store.history.History;
import io.errand.store.submit.Overload;
import io.errand.store.submit.RetryStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the steps of an operation do to jobs, and to which. */
record StepChange(
    UUID operation,
    Access access,
    OperationKind kind,
    @Nullable JobUpdate update,
    boolean isToStop,
    JobMatch match,
    boolean isFixed,
    StepJobs.Position position) {

  /*
   * The new ids are UUIDv7 by the clock of the database. The key makes it impossible that one operation
   * stores two jobs for one.
   */
  private static final String RETRY =
      """
      WITH source AS (
          SELECT * FROM errand.jobs j
          WHERE id = ANY (?) AND project = ?
            AND principal = coalesce(?, principal) AND state IN ('succeeded', 'failed', 'cancelled')
            AND errand.refusal(j) IS NULL
      ), wanted AS MATERIALIZED (
          SELECT n.*, ?::text AS principal, sha256(convert_to(n.idempotency_key, 'UTF8')) AS fingerprint,
              NULL::text AS request_id, NULL::text AS trace_context
          FROM (
              SELECT s.id AS source_id,
                  'operation-' || ?::text || '-' || s.id AS idempotency_key,
                  encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
                      PLACING substring(int8send(
                          floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                      FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid AS id
              FROM source s) n
      ),
      """
          + RetryStore.STORE
          + History.of("stored", "?::text")
          + "SELECT count(*) FROM stored";

  /**
   * What others have to be told after a step.
   *
   * @param jobs how many jobs were changed
   * @param ready whether jobs may be claimed that could not be before
   * @param asked whether a running job is to be cancelled
   * @param finished whether jobs reached a final state
   * @param detail why jobs were not changed, or null
   */
  public record Effect(
      int jobs, boolean ready, boolean asked, boolean finished, @Nullable String detail) {
    static final Effect NOTHING = new Effect(0, false, false, false);

    Effect(int jobs, boolean ready, boolean asked, boolean finished) {
      this(jobs, ready, asked, finished, null);
    }
  }

  /**
   * From the columns of an operation; an IllegalArgumentException if a newer version wrote them.
   */
  static StepChange of(
      UUID operation,
      Access access,
      String kindName,
      JsonNode filter,
      @Nullable String set,
      boolean isToStop,
      Instant createdAt,
      boolean isFixed,
      StepJobs.Position position) {
    OperationKind kind = OperationKind.ofWireName(kindName);
    return new StepChange(
        operation,
        access,
        kind,
        set == null ? null : JobUpdate.of(Operation.json(set)),
        isToStop,
        new JobMatch(kind, BulkFilter.of(filter), access, createdAt),
        isFixed,
        position);
  }

  /** Whether it stores a new job for each. */
  boolean copiesJobs() {
    return kind == OperationKind.RETRY;
  }

  /** Changes jobs that are locked and match, within the room of the queue that they go to. */
  Effect make(Connection connection, List<UUID> ids, Moves moves) throws SQLException {
    if (ids.isEmpty()) {
      return Effect.NOTHING;
    }
    String by = ", operation " + operation;
    return switch (kind) {
      case CANCEL -> {
        List<JobState> after = JobChanges.cancel(connection, ids, access, by);
        long asked = after.stream().filter(state -> state == JobState.RUNNING).count();
        yield new Effect(after.size(), false, asked > 0, asked < after.size());
      }
      case RELEASE -> {
        int jobs = JobChanges.release(connection, ids, access, by).size();
        yield new Effect(jobs, jobs > 0, false, false);
      }
      case RETRY -> {
        int jobs = retry(connection, ids, by);
        yield new Effect(jobs, jobs > 0, false, false);
      }
      case DELETE ->
          new Effect(JobChanges.delete(connection, ids, access).size(), false, false, false);
      case UPDATE -> {
        JobUpdate wanted = update == null ? new JobUpdate(null, null, null, false) : update;
        Set<UUID> refused = moves.refused(ids);
        List<UUID> admitted = ids.stream().filter(id -> !refused.contains(id)).toList();
        int jobs = JobChanges.update(connection, admitted, access, wanted, by).size();
        String why = jobs == admitted.size() ? null : moves.policyRefusal(admitted);
        Overload overload = moves.overload();
        String detail =
            refused.isEmpty() || overload == null
                ? (why == null
                    ? null
                    : "queue " + wanted.queue() + " does not take all jobs: " + why)
                : "queue " + wanted.queue() + " is full: max_depth is " + (long) overload.limit();
        yield new Effect(jobs, jobs > 0, false, false, detail);
      }
    };
  }

  private int retry(Connection connection, List<UUID> ids, String by) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(RETRY)) {
      statement.setArray(1, connection.createArrayOf("uuid", ids.toArray()));
      int at = AccessSql.bind(statement, 2, access);
      statement.setString(at, access.principal());
      statement.setString(at + 1, operation.toString());
      statement.setString(at + 2, "client " + access.principal() + by);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }
}
