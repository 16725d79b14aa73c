package io.errand.store.history;

import io.errand.store.reads.AttemptEntity;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.control.ActivateRequestContext;
import java.util.List;
import java.util.UUID;

/** Reads attempts and events of a job by the batch, oldest first: there may be very many. */
@ApplicationScoped
@ActivateRequestContext
public class HistoryReads {
  /**
   * How many bytes the largest row of a job's ended attempts takes, of what commands decide on.
   *
   * @param after the attempts behind this number
   */
  public long largestAttempt(UUID job, int after) {
    return AttemptEntity.find(
            "select coalesce(max(cast(sql('(coalesce(octet_length(?), 0)"
                + " + octet_length(cast(? as text)))', detail, signalsSent) as Long)), 0L)"
                + " from AttemptEntity where jobId = ?1 and attempt > ?2",
            job,
            after)
        .project(Long.class)
        .firstResult();
  }

  /** The ended attempts behind a number, at most so many. */
  public List<AttemptEntity> attempts(UUID job, int after, int limit) {
    AttemptEntity.getEntityManager().clear();
    return AttemptEntity.<AttemptEntity>find(
            "jobId = ?1 and attempt > ?2 order by attempt", job, after)
        .range(0, limit - 1)
        .list();
  }

  /** The id of the event that so many newer ones follow, or 0. */
  public long eventBehind(UUID job, int newer) {
    Long id =
        EventEntity.find("select id from EventEntity where jobId = ?1 order by id desc", job)
            .project(Long.class)
            .range(newer, newer)
            .firstResult();
    return id == null ? 0 : id;
  }

  /** The changes of a job's state behind an event, at most so many. */
  public List<EventEntity> events(UUID job, long after, int limit) {
    EventEntity.getEntityManager().clear();
    return EventEntity.<EventEntity>find("jobId = ?1 and id > ?2 order by id", job, after)
        .range(0, limit - 1)
        .list();
  }
}
