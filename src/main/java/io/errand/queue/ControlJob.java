package io.errand.queue;

import io.errand.job.JobState;
import io.errand.store.Notifications;
import io.errand.store.control.ControlStore;
import io.errand.store.control.ControlStore.Change;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.UUID;

/** What people do to jobs that are already there. */
@ApplicationScoped
public class ControlJob {
  private final ControlStore store;
  private final Notifications notifications;

  ControlJob(ControlStore store, Notifications notifications) {
    this.store = store;
    this.notifications = notifications;
  }

  /** Cancels a job, or asks its worker to. */
  public Change cancel(UUID id, String principal) throws SQLException {
    Change change = store.cancel(id, principal);
    if (change.changed()) {
      notifications.send(
          change.state() == JobState.RUNNING
              ? Notifications.Topic.ATTENTION
              : Notifications.Topic.FINISHED);
    }
    return change;
  }

  /** Lets a held job go on. */
  public Change release(UUID id, String principal) throws SQLException {
    Change change = store.release(id, principal);
    if (change.changed()) {
      notifications.send(Notifications.Topic.READY);
    }
    return change;
  }
}
