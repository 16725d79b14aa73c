package io.errand.queue;

import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.job.ProjectNames;
import io.errand.store.Notifications;
import io.errand.store.control.ControlStore;
import io.errand.store.control.ControlStore.Change;
import io.errand.store.control.JobUpdate;
import io.errand.store.submit.Overload;
import io.errand.store.submit.Submission;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What people do to jobs that are already there. */
@ApplicationScoped
public class ControlJob {
  private final ControlStore store;
  private final KnownQueues queues;
  private final Notifications notifications;

  ControlJob(ControlStore store, KnownQueues queues, Notifications notifications) {
    this.queues = queues;
    this.store = store;
    this.notifications = notifications;
  }

  /** Cancels a job, or asks its worker to. */
  public Change cancel(UUID id, Access access) throws SQLException {
    Change change = store.cancel(id, access);
    if (change.changed()) {
      notifications.send(
          change.state() == JobState.RUNNING
              ? Notifications.Topic.ATTENTION
              : Notifications.Topic.FINISHED);
    }
    return change;
  }

  /** Lets a held job go on. */
  public Change release(UUID id, Access access) throws SQLException {
    Change change = store.release(id, access);
    if (change.changed()) {
      notifications.send(Notifications.Topic.READY);
    }
    return change;
  }

  /** Changes priority, queue or run_at of a job that waits. */
  public Change update(UUID id, Access access, JobUpdate update) throws SQLException {
    Change change = store.update(id, access, update);
    if (change.changed()) {
      notifications.send(Notifications.Topic.READY);
    }
    return change;
  }

  /** The answer where the queue that a job was to go to is full, as that to a submit. */
  public Submission.Refused refused(Overload overload) throws SQLException {
    return new Submission.Refused(overload, queues.now().retryAfterSeconds(overload));
  }

  /** What stands against the move of a job that waits to another queue of its project. */
  public Optional<String> refusal(UUID id, Access access, @Nullable String queue)
      throws SQLException {
    return queue == null
        ? Optional.empty()
        : store.refusal(id, access, ProjectNames.queue(access.project(), queue));
  }

  /** Removes a finished job. */
  public Change delete(UUID id, Access access) throws SQLException {
    return store.delete(id, access);
  }
}
