package io.errand.store.access;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The projects. */
@ApplicationScoped
public class ProjectStore {
  /** How many there may be. Each process that serves the API keeps them in memory. */
  public static final int MOST = 1_000;

  private static final String LIST =
      """
      SELECT name, free_commands, max_waiting, created_at FROM errand.projects
      WHERE (?::text IS NULL OR name = ?) ORDER BY name LIMIT ?
      """;

  private static final String NAMES = "SELECT name FROM errand.projects ORDER BY name LIMIT ?";

  private static final String EXISTING =
      "SELECT name FROM errand.projects WHERE name = ANY (?) ORDER BY name";

  private static final String ONE_BY_ONE =
      "SELECT pg_advisory_xact_lock(hashtextextended('errand projects', 0))";

  private static final String PUT =
      """
      INSERT INTO errand.projects (name, free_commands, max_waiting)
      SELECT ?, ?, ?
      WHERE EXISTS (SELECT FROM errand.projects WHERE name = ?)
         OR (SELECT count(*) FROM errand.projects) < ?
      ON CONFLICT (name) DO UPDATE
      SET free_commands = excluded.free_commands, max_waiting = excluded.max_waiting
      RETURNING xmax = 0 AS created
      """;

  /* Whoever adds a job to the project holds the same lock, shared, until the job is committed. */
  private static final String ALONE =
      "SELECT pg_try_advisory_xact_lock(hashtextextended('errand project ' || ?, 0))";

  /* Keys of a project that have ended do not keep it; their rows go with it. */
  private static final String IN_USE =
      """
      SELECT EXISTS (SELECT FROM errand.jobs WHERE project = ? AND project <> 'default')
          OR EXISTS (SELECT FROM errand.schedules WHERE project = ?)
          OR EXISTS (SELECT FROM errand.api_keys WHERE project = ? AND revoked_at IS NULL
                        AND (expires_at > now()) IS NOT FALSE)
      """;

  /* What is told of it goes, too: one that is made later with the same name has nothing of it. */
  private static final String DELETE =
      """
      WITH gone AS (SELECT ?::text AS project),
          callers AS (
              SELECT principal FROM errand.api_keys, gone WHERE api_keys.project = gone.project
              UNION
              SELECT principal || '@' || gone.project FROM (
                  SELECT principal FROM errand.api_keys WHERE project = 'default'
                  UNION SELECT 'admin') AS named, gone),
          idempotency_keys AS (
              DELETE FROM errand.idempotency_keys WHERE principal IN (SELECT principal FROM callers)),
          keys AS (DELETE FROM errand.api_keys k USING gone WHERE k.project = gone.project),
          operations AS (DELETE FROM errand.operations o USING gone WHERE o.project = gone.project),
          deliveries AS (
              DELETE FROM errand.webhook_deliveries d USING gone WHERE d.project = gone.project),
          webhooks AS (
              DELETE FROM errand.disabled_webhooks w USING gone WHERE w.project = gone.project),
          circuits AS (
              DELETE FROM errand.circuit_counts c USING gone
              WHERE starts_with(c.queue, gone.project || '/')),
          events AS (
              DELETE FROM errand.queue_events e USING gone
              WHERE starts_with(e.queue, gone.project || '/')),
          queues AS (
              DELETE FROM errand.queues q USING gone WHERE starts_with(q.name, gone.project || '/'))
      SELECT FROM gone
      """;

  private static final String DELETE_ROW = "DELETE FROM errand.projects WHERE name = ?";

  private final DataSource dataSource;

  public ProjectStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** All projects by name. */
  public List<Project> list() throws SQLException {
    return read(null);
  }

  /** The first names. */
  public List<String> names(int most) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(NAMES)) {
      statement.setInt(1, most);
      return texts(statement);
    }
  }

  /** Those of these names that there is a project of. */
  public List<String> existing(Collection<String> names) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(EXISTING)) {
      statement.setArray(1, connection.createArrayOf("text", names.toArray()));
      return texts(statement);
    }
  }

  private static List<String> texts(PreparedStatement statement) throws SQLException {
    List<String> texts = new ArrayList<>();
    try (ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        texts.add(row.getString(1));
      }
    }
    return texts;
  }

  /** One project. */
  public Optional<Project> find(String name) throws SQLException {
    return read(name).stream().findFirst();
  }

  private List<Project> read(@Nullable String name) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(LIST)) {
      statement.setString(1, name);
      statement.setString(2, name);
      statement.setInt(3, MOST);
      List<Project> projects = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          projects.add(
              new Project(
                  row.getString("name"),
                  row.getBoolean("free_commands"),
                  row.getObject("max_waiting", Long.class),
                  row.getObject("created_at", OffsetDateTime.class).toInstant()));
        }
      }
      return projects;
    }
  }

  /** What became of a project that was to be there. */
  public enum Put {
    /** It is new. */
    CREATED,
    /** It was there, and is as asked for now. */
    CHANGED,
    /** There are {@link #MOST}. */
    TOO_MANY
  }

  /** Makes or changes a project. */
  public Put put(String name, boolean freeCommands, @Nullable Long maxWaiting) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try (PreparedStatement lock = connection.prepareStatement(ONE_BY_ONE);
          PreparedStatement statement = connection.prepareStatement(PUT)) {
        lock.execute();
        statement.setString(1, name);
        statement.setBoolean(2, freeCommands);
        statement.setObject(3, maxWaiting, Types.BIGINT);
        statement.setString(4, name);
        statement.setInt(5, MOST);
        Put result = Put.TOO_MANY;
        try (ResultSet row = statement.executeQuery()) {
          if (row.next()) {
            result = row.getBoolean(1) ? Put.CREATED : Put.CHANGED;
          }
        }
        connection.commit();
        return result;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  /** What became of a project that was to go. */
  public enum Removal {
    /**
     * It is gone, with its keys that have ended, the settings of its queues and all that is told of
     * it.
     */
    REMOVED,
    /** There is none of that name. */
    UNKNOWN,
    /** It has jobs, schedules or keys in use. */
    IN_USE
  }

  /** Removes a project that nothing belongs to. */
  public Removal delete(String name) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Removal result = delete(connection, name);
        connection.commit();
        return result;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static Removal delete(Connection connection, String name) throws SQLException {
    try (PreparedStatement lock = connection.prepareStatement(ONE_BY_ONE);
        PreparedStatement alone = connection.prepareStatement(ALONE);
        PreparedStatement inUse = connection.prepareStatement(IN_USE);
        PreparedStatement parts = connection.prepareStatement(DELETE);
        PreparedStatement itself = connection.prepareStatement(DELETE_ROW)) {
      lock.execute();
      alone.setString(1, name);
      for (int i = 1; i <= 3; i++) {
        inUse.setString(i, name);
      }
      if (!isTrue(alone) || isTrue(inUse)) {
        return Removal.IN_USE;
      }
      parts.setString(1, name);
      parts.execute();
      itself.setString(1, name);
      return itself.executeUpdate() > 0 ? Removal.REMOVED : Removal.UNKNOWN;
    }
  }

  private static boolean isTrue(PreparedStatement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery()) {
      return row.next() && row.getBoolean(1);
    }
  }
}
