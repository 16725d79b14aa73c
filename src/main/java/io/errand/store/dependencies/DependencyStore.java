package io.errand.store.dependencies;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Tells jobs that those have finished which they wait for (ADR 27). Any number of processes may do
 * that at the same time, and one that ends in the middle has done whole steps.
 *
 * <p>First {@link #mark} sets {@code has_dependents} of a job for new dependencies on it. From then
 * on an index has the job as soon as it is in a final state, whichever statement ends it. Then
 * {@link #tell} takes finished jobs from that index, and takes them out of it once all that wait
 * for them have been told. No statement here waits for a lock that another one holds.
 */
@ApplicationScoped
public class DependencyStore {
  private static final int MOST_PARENTS = 1_000;

  private static final String MARK =
      """
      WITH edge AS (
          SELECT ctid AS tid, after_id FROM errand.job_dependencies
          WHERE NOT marked ORDER BY after_id LIMIT 1000 FOR UPDATE SKIP LOCKED
      ), parent AS (
          SELECT id, has_dependents FROM errand.jobs
          WHERE id = ANY (ARRAY(SELECT after_id FROM edge)) FOR NO KEY UPDATE SKIP LOCKED
      ), changed AS (
          UPDATE errand.jobs SET has_dependents = true
          WHERE id = ANY (ARRAY(SELECT id FROM parent WHERE NOT has_dependents))
      ), marked AS (
          UPDATE errand.job_dependencies SET marked = true
          WHERE ctid = ANY (ARRAY(
              SELECT tid FROM edge WHERE after_id IN (SELECT id FROM parent)))
          RETURNING job_id
      )
      SELECT (SELECT count(*) FROM edge) AS found, (SELECT count(*) FROM marked) AS marked
      """
          .replace("1000", Integer.toString(TellStatement.MOST));

  /* A job may have been removed between the submit of one that waits for it and the mark. */
  private static final String REMOVED =
      """
      SELECT after_id AS id,
          (SELECT r.state FROM errand.removed_jobs r WHERE r.id = after_id) AS state
      FROM (
          SELECT DISTINCT after_id FROM (
              SELECT after_id FROM errand.job_dependencies
              WHERE NOT marked ORDER BY after_id LIMIT 1000) AS first) AS one
      WHERE CASE WHEN EXISTS (SELECT FROM errand.jobs j WHERE j.id = after_id) THEN false ELSE true END
      """
          .replace("1000", Integer.toString(TellStatement.MOST));

  /* The statements behind it see what was marked until these locks were taken. */
  private static final String PARENTS =
      """
      SELECT id, state, finished_at::text AS finished_at FROM errand.jobs
      WHERE has_dependents AND (finished_at, id) > (?::timestamptz, ?)
      ORDER BY finished_at, id
      LIMIT ?
      FOR NO KEY UPDATE SKIP LOCKED
      """;

  private static final String PARENTS_AGAIN = PARENTS.replace(" > ", " >= ");

  private static final String CLEAR =
      """
      UPDATE errand.jobs j SET has_dependents = false
      WHERE j.id = ANY (?) AND CASE WHEN EXISTS (
          SELECT FROM errand.job_dependencies d
          WHERE d.after_id = j.id AND NOT d.finished) THEN false ELSE true END
      """;

  private final DataSource dataSource;
  private volatile boolean expecting;

  public DependencyStore(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** Whether jobs wait for others, as far as this process knows. */
  public boolean isExpecting() {
    return expecting;
  }

  /** Whether jobs wait for others: it has just been looked up, or one has just been submitted. */
  public void expect(boolean some) {
    expecting = some;
  }

  /**
   * What a call of {@link #mark} has done.
   *
   * @param found new dependencies that it has looked at, 1,000 at most
   * @param done those of them that were dealt with; the others are locked at the moment
   * @param ready jobs that may be claimed now
   * @param cancelled jobs that were cancelled
   */
  public record Marked(int found, int done, int ready, int cancelled) {}

  /** Marks the jobs that new dependencies are on. */
  public Marked mark() throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      int found;
      int marked;
      try (PreparedStatement statement = connection.prepareStatement(MARK);
          ResultSet row = statement.executeQuery()) {
        row.next();
        found = row.getInt("found");
        marked = row.getInt("marked");
      }
      if (found == marked) {
        return new Marked(found, marked, 0, 0);
      }
      List<Parent> removed = parents(connection.prepareStatement(REMOVED), false);
      if (removed.isEmpty()) {
        return new Marked(found, marked, 0, 0);
      }
      Told told = tell(connection, removed, null);
      return new Marked(found, marked + told.told(), told.ready(), told.cancelled());
    }
  }

  /**
   * Where a row of calls of {@link #tell} goes on.
   *
   * @param finishedAt of the last job that was dealt with, as the database writes it
   * @param parent its id
   * @param child the last job that was told about it, where others are left
   */
  public record Position(String finishedAt, UUID parent, @Nullable UUID child) {
    public static final Position START = new Position("-infinity", new UUID(0, 0), null);
  }

  /**
   * What a call of {@link #tell} has done.
   *
   * @param told dependencies that are settled now, 1,000 at most
   * @param ready jobs that may be claimed now
   * @param cancelled jobs that were cancelled
   * @param someLeft whether some have to be told again, because others had locked them
   * @param next where the next call goes on; null where none is needed
   */
  public record Step(
      int told, int ready, int cancelled, boolean someLeft, @Nullable Position next) {}

  /** Tells up to 1,000 times that a job has finished, in one transaction. */
  public Step tell(Position from) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Step step = step(connection, from);
        connection.commit();
        return step;
      } catch (SQLException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static Step step(Connection connection, Position from) throws SQLException {
    List<Parent> parents = lockParents(connection, from);
    if (parents.isEmpty()) {
      return new Step(0, 0, 0, false, null);
    }
    Told told = tell(connection, parents, from);
    boolean isFull = told.found() == TellStatement.MOST;
    List<Parent> done = isFull ? parents.subList(0, told.lastPlace() - 1) : parents;
    int left = told.found() - told.told() + done.size() - clear(connection, done);
    Parent last = parents.get(isFull ? told.lastPlace() - 1 : parents.size() - 1);
    // What was cancelled may have something to tell too, and has finished later than these.
    Position next =
        isFull || parents.size() == MOST_PARENTS || told.cancelled() > 0
            ? new Position(last.finishedAt(), last.id(), isFull ? told.lastJob() : null)
            : null;
    return new Step(told.told(), told.ready(), told.cancelled(), left > 0, next);
  }

  private record Parent(UUID id, @Nullable String state, String finishedAt) {}

  private static List<Parent> lockParents(Connection connection, Position from)
      throws SQLException {
    PreparedStatement statement =
        connection.prepareStatement(from.child() == null ? PARENTS : PARENTS_AGAIN);
    statement.setString(1, from.finishedAt());
    statement.setObject(2, from.parent());
    statement.setInt(3, MOST_PARENTS);
    return parents(statement, true);
  }

  private static List<Parent> parents(PreparedStatement open, boolean withTime)
      throws SQLException {
    try (PreparedStatement statement = open;
        ResultSet rows = statement.executeQuery()) {
      List<Parent> parents = new ArrayList<>();
      while (rows.next()) {
        parents.add(
            new Parent(
                rows.getObject("id", UUID.class),
                rows.getString("state"),
                withTime ? rows.getString("finished_at") : ""));
      }
      return parents;
    }
  }

  private record Told(
      int found, int told, int ready, int cancelled, int lastPlace, @Nullable UUID lastJob) {}

  private static Told tell(Connection connection, List<Parent> parents, @Nullable Position from)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(TellStatement.TELL)) {
      statement.setArray(
          1, connection.createArrayOf("uuid", parents.stream().map(Parent::id).toArray()));
      statement.setArray(
          2, connection.createArrayOf("text", parents.stream().map(Parent::state).toArray()));
      UUID child = from == null ? null : from.child();
      statement.setObject(3, child == null || from == null ? null : from.parent());
      statement.setObject(4, child);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Told(
            row.getInt("found"),
            row.getInt("told"),
            row.getInt("ready"),
            row.getInt("cancelled"),
            row.getInt("last_place"),
            row.getObject("last_job", UUID.class));
      }
    }
  }

  private static int clear(Connection connection, List<Parent> parents) throws SQLException {
    if (parents.isEmpty()) {
      return 0;
    }
    try (PreparedStatement statement = connection.prepareStatement(CLEAR)) {
      statement.setArray(
          1, connection.createArrayOf("uuid", parents.stream().map(Parent::id).toArray()));
      return statement.executeUpdate();
    }
  }
}
