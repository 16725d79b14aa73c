package io.errand.store.submit;

import io.errand.job.JobState;
import io.errand.store.reads.JobEntity;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The result of a submit. */
public sealed interface Submission {
  /**
   * The job is stored, and durable.
   *
   * @param job as stored in its row, null where it was one of many
   * @param durability what its commit survives, as of {@link Durability#SQL}
   * @param overload what stood against it, and only warns; null where nothing did
   */
  record Accepted(UUID id, @Nullable JobEntity job, String durability, @Nullable Overload overload)
      implements Submission {
    Accepted(UUID id, @Nullable JobEntity job, String durability) {
      this(id, job, durability, null);
    }

    /** The same with what stood against it. */
    public Accepted with(Overload warning) {
      return new Accepted(id, job, durability, warning);
    }
  }

  /**
   * A limit does not admit it, and nothing was stored.
   *
   * @param retryAfterSeconds when it is worth to try again, 0 where that was not worked out
   */
  record Refused(Overload overload, int retryAfterSeconds) implements Submission {}

  /** The same request came before, and this is its job. */
  record Replayed(UUID id) implements Submission {}

  /** The key, or the id, belongs to another request. */
  record Conflict(UUID id) implements Submission {}

  /** The key's job has been removed. */
  record Gone(UUID id) implements Submission {}

  /** The job that is to be tried again has not finished. */
  record NotFinal(JobState state) implements Submission {}

  /**
   * The project of the job that is to be tried again, or the policy of its queue, does not allow it
   * any more.
   *
   * @param why {@code field: sentence}
   */
  record NotAllowed(String why) implements Submission {}

  /** This caller has no such job to try again. */
  record Unknown() implements Submission {}

  /**
   * It was to wait for jobs that this caller does not have.
   *
   * @param missing these, at least one
   */
  record NoSuchDependencies(List<MissingJob> missing) implements Submission {}

  /**
   * A job that another was to wait for.
   *
   * @param place its place in {@link Dependencies#after}
   * @param id of the job
   * @param removed whether there was one, which retention has removed
   */
  record MissingJob(int place, UUID id, boolean removed) {}
}
