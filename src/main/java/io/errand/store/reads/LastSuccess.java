package io.errand.store.reads;

import io.errand.job.Access;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.control.ActivateRequestContext;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;

/** Finds the last job that has succeeded with the program of another. */
@ApplicationScoped
@ActivateRequestContext
public class LastSuccess {
  /** How many of the newest jobs of the queue are looked at. */
  private static final int WINDOW = 500;

  private static final String FIND =
      """
      SELECT id FROM (
          SELECT j.id, j.state, j.command[1] AS program, j.created_at FROM errand.jobs j
          WHERE j.queue = ? AND j.created_at <= ?
          ORDER BY j.created_at DESC, j.id DESC LIMIT ?) newest
      WHERE state = 'succeeded' AND program = ?
      ORDER BY created_at DESC, id DESC LIMIT 1
      """;

  private final ProjectReads projects;
  private final JobReads reads;

  LastSuccess(ProjectReads projects, JobReads reads) {
    this.projects = projects;
    this.reads = reads;
  }

  /** The last job before this one that has succeeded with the same program in the same queue. */
  public Optional<JobEntity> before(JobEntity job, Access access) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setString(1, job.queue);
      statement.setObject(2, job.createdAt.atOffset(java.time.ZoneOffset.UTC));
      statement.setInt(3, WINDOW);
      statement.setString(4, job.command[0]);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? reads.find(row.getObject(1, UUID.class), access) : Optional.empty();
      }
    }
  }
}
