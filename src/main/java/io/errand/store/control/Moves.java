package io.errand.store.control;

import io.errand.job.Access;
import io.errand.job.ProjectNames;
import io.errand.store.submit.AdmittingStore;
import io.errand.store.submit.AdmittingStore.Room;
import io.errand.store.submit.Overload;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Jobs that go to another queue of their project, which may have a limit of waiting jobs. A job
 * that is held takes no room.
 */
public final class Moves {
  private static final String ADDED =
      """
      SELECT id FROM errand.jobs
      WHERE id = ANY (?) AND state IN ('queued', 'retrying') AND queue <> ?
      ORDER BY created_at, id OFFSET ?
      """;

  private static final String POLICY =
      """
      SELECT errand.policy_refusal(?, command, timeout_seconds, run_as, limits, sandbox) AS why
      FROM errand.jobs WHERE id = ANY (?) AND queue <> ? ORDER BY why LIMIT 1
      """;

  private final Connection connection;
  private final @Nullable String queue;
  private final @Nullable Room room;

  private Moves(Connection connection, @Nullable String queue, @Nullable Room room) {
    this.connection = connection;
    this.queue = queue;
    this.room = room;
  }

  /** Locks the depth of the queue that an update names, if it names one, until the end. */
  public static Moves lock(Connection connection, Access access, @Nullable JobUpdate update)
      throws SQLException {
    if (update == null || update.queue() == null) {
      return new Moves(connection, null, null);
    }
    String queue = ProjectNames.queue(access.project(), update.queue());
    return new Moves(connection, queue, AdmittingStore.room(connection, queue));
  }

  /** Those of these jobs, which are locked, that the queue has no room for: the youngest. */
  public Set<UUID> refused(Collection<UUID> ids) throws SQLException {
    Set<UUID> refused = new HashSet<>();
    if (room == null) {
      return refused;
    }
    try (PreparedStatement statement = connection.prepareStatement(ADDED)) {
      statement.setArray(1, connection.createArrayOf("uuid", ids.toArray()));
      statement.setString(2, queue);
      statement.setLong(3, room.jobs());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          refused.add(rows.getObject(1, UUID.class));
        }
      }
    }
    return refused;
  }

  /** The limit of the queue, or null. */
  public @Nullable Overload overload() {
    return room == null ? null : room.overload();
  }

  /** What the policy of the queue has against one of these jobs, or null. */
  public @Nullable String policyRefusal(Collection<UUID> ids) throws SQLException {
    if (queue == null) {
      return null;
    }
    try (PreparedStatement statement = connection.prepareStatement(POLICY)) {
      statement.setString(1, queue);
      statement.setArray(2, connection.createArrayOf("uuid", ids.toArray()));
      statement.setString(3, queue);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getString(1) : null;
      }
    }
  }
}
