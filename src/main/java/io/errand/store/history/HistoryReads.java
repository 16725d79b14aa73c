package io.errand.store.history;

import io.errand.store.ProjectReads;
import io.errand.store.reads.AttemptEntity;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.control.ActivateRequestContext;
import java.util.List;
import java.util.UUID;

/** Reads attempts and events of a job by the batch, oldest first: there may be very many. */
@ApplicationScoped
@ActivateRequestContext
public class HistoryReads {
  private final ProjectReads projects;

  HistoryReads(ProjectReads projects) {
    this.projects = projects;
  }

  /**
   * How many bytes the largest row of a job's ended attempts takes, of what commands decide on.
   *
   * @param after the attempts behind this number
   */
  public long largestAttempt(String project, UUID job, int after) {
    return projects.<Long>within(
        project,
        () ->
            AttemptEntity.find(
                    "select coalesce(max(cast(sql('(coalesce(octet_length(?), 0)"
                        + " + octet_length(cast(? as text)))', detail, signalsSent) as Long)), 0L)"
                        + " from AttemptEntity where jobId = ?1 and attempt > ?2",
                    job,
                    after)
                .project(Long.class)
                .firstResult());
  }

  /** The ended attempts behind a number, at most so many. */
  public List<AttemptEntity> attempts(String project, UUID job, int after, int limit) {
    return projects.within(
        project,
        () -> {
          AttemptEntity.getEntityManager().clear();
          return AttemptEntity.<AttemptEntity>find(
                  "jobId = ?1 and attempt > ?2 order by attempt", job, after)
              .range(0, limit - 1)
              .list();
        });
  }

  /** The id of the event that so many newer ones follow, or 0. */
  public long eventBehind(String project, UUID job, int newer) {
    Long id =
        projects.<Long>within(
            project,
            () ->
                EventEntity.find(
                        "select id from EventEntity where jobId = ?1 order by id desc", job)
                    .project(Long.class)
                    .range(newer, newer)
                    .firstResult());
    return id == null ? 0 : id;
  }

  /** The changes of a job's state behind an event, at most so many. */
  public List<EventEntity> events(String project, UUID job, long after, int limit) {
    return projects.within(
        project,
        () -> {
          EventEntity.getEntityManager().clear();
          return EventEntity.<EventEntity>find("jobId = ?1 and id > ?2 order by id", job, after)
              .range(0, limit - 1)
              .list();
        });
  }
}
