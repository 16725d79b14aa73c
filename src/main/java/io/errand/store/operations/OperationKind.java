package io.errand.store.operations;

import io.errand.job.JobState;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What can be done to many jobs at once, each with the states that it is possible from. */
public enum OperationKind {
  /** As the cancel of one job: of those that run it is asked for. */
  CANCEL(JobState.QUEUED, JobState.RUNNING, JobState.RETRYING, JobState.HELD),
  /** Held jobs go on. */
  RELEASE(JobState.HELD),
  /** Each gets a new job that tries it again. */
  RETRY(JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED),
  /** Final jobs are removed, as retention does. */
  DELETE(JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED),
  /** Priority, queue or run_at of jobs that wait. */
  UPDATE(JobState.QUEUED, JobState.RETRYING, JobState.HELD);

  private final Set<JobState> from;

  OperationKind(JobState... from) {
    this.from = EnumSet.copyOf(List.of(from));
  }

  /** The states that it is possible from, in the order of the enum. */
  public Set<JobState> from() {
    return EnumSet.copyOf(from);
  }

  /** Whether the jobs that it is for are final, so that each has a time when it finished. */
  public boolean isOfFinalJobs() {
    return from.stream().allMatch(JobState::isFinal);
  }

  /** The name on the wire and in the database. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The kind with this wire name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static OperationKind ofWireName(String name) {
    for (OperationKind kind : values()) {
      if (kind.wireName().equals(name)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("No such kind of operation: " + name);
  }
}
