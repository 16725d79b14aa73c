package io.errand.store.dependencies;

import io.errand.job.Access;
import io.errand.store.AccessSql;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a job waits for, and what waits for it. Each read is bounded. */
@ApplicationScoped
public class DependencyReads {
  private static final String WAITING_FOR =
      """
      SELECT CASE WHEN state = 'queued' THEN waits_for_jobs ELSE 0 END FROM errand.jobs
      WHERE id = ? AND project = ? AND principal = coalesce(?, principal)
      """;

  private static final String PENDING =
      """
      SELECT d.after_id AS id, (SELECT j.state FROM errand.jobs j WHERE j.id = d.after_id) AS state
      FROM errand.job_dependencies d
      WHERE d.job_id = ? AND NOT d.finished ORDER BY d.after_id LIMIT ?
      """;

  private static final String AFTER =
      """
      SELECT a.id, coalesce(
          (SELECT p.state FROM errand.jobs p WHERE p.id = a.id),
          (SELECT r.state FROM errand.removed_jobs r WHERE r.id = a.id)) AS state
      FROM errand.jobs j CROSS JOIN LATERAL unnest(j.after) WITH ORDINALITY AS a (id, place)
      WHERE j.id = ? AND a.place > ? ORDER BY a.place LIMIT ?
      """;

  private static final String BEFORE =
      """
      SELECT d.job_id AS id, j.state
      FROM errand.job_dependencies d JOIN errand.jobs j ON j.id = d.job_id
      WHERE d.after_id = ? AND (?::uuid IS NULL OR d.job_id > ?)
        AND j.project = ? AND j.principal = coalesce(?, j.principal)
      ORDER BY d.job_id LIMIT ?
      """;

  private final ProjectReads projects;

  public DependencyReads(ProjectReads projects) {
    this.projects = projects;
  }

  /**
   * A job that another waits for, or that waits for another.
   *
   * @param id of the job
   * @param state by wire name; of a job that has been removed its last one, null where that is no
   *     longer known
   */
  public record Related(UUID id, @Nullable String state) {}

  /**
   * A part of what a job waits for or has waited for, and of what waits or has waited for it.
   *
   * @param after in the order of the request
   * @param before by id
   * @param waitingFor how many of the jobs that it waits for have not finished
   */
  public record Page(List<Related> after, List<Related> before, int waitingFor) {}

  /** The unfinished jobs that a job waits for, at most so many. */
  public List<Related> pending(UUID job, String project, int limit) throws SQLException {
    try (Connection connection = projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(PENDING)) {
      statement.setObject(1, job);
      statement.setInt(2, limit);
      return related(statement);
    }
  }

  /**
   * A page about a job of this caller.
   *
   * @param afterPlace how many of the jobs that it waits for are left out
   * @param beforeId jobs that wait for it are left out up to this one, null for none
   * @param limit of each list
   */
  public Optional<Page> page(
      UUID job, Access access, int afterPlace, @Nullable UUID beforeId, int limit)
      throws SQLException {
    try (Connection connection = projects.connection(access.project())) {
      int waitingFor;
      try (PreparedStatement statement = connection.prepareStatement(WAITING_FOR)) {
        statement.setObject(1, job);
        AccessSql.bind(statement, 2, access);
        try (ResultSet rows = statement.executeQuery()) {
          if (!rows.next()) {
            return Optional.empty();
          }
          waitingFor = rows.getInt(1);
        }
      }
      List<Related> after;
      try (PreparedStatement statement = connection.prepareStatement(AFTER)) {
        statement.setObject(1, job);
        statement.setInt(2, afterPlace);
        statement.setInt(3, limit);
        after = related(statement);
      }
      List<Related> before;
      try (PreparedStatement statement = connection.prepareStatement(BEFORE)) {
        statement.setObject(1, job);
        statement.setObject(2, beforeId);
        statement.setObject(3, beforeId);
        statement.setInt(AccessSql.bind(statement, 4, access), limit);
        before = related(statement);
      }
      return Optional.of(new Page(after, before, waitingFor));
    }
  }

  private static List<Related> related(PreparedStatement statement) throws SQLException {
    List<Related> related = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        related.add(new Related(rows.getObject("id", UUID.class), rows.getString("state")));
      }
    }
    return related;
  }
}
