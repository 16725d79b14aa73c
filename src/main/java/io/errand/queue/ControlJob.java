package io.errand.queue;

import io.errand.job.JobState;
import io.errand.store.Bell;
import io.errand.store.ControlStore;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What people do to jobs and queues that are already there. */
@ApplicationScoped
public class ControlJob {
  private final ControlStore store;
  private final Bell bell;

  ControlJob(ControlStore store, Bell bell) {
    this.store = store;
    this.bell = bell;
  }

  /**
   * Cancels a job, or asks its worker to.
   *
   * @return the state that it was in, or null if this caller has no such job; nothing was changed
   *     if no cancel leaves that state
   */
  public @Nullable JobState cancel(UUID id, String principal) throws SQLException {
    JobState before = store.cancel(id, principal);
    if (before == JobState.RUNNING) {
      bell.ring(Bell.Ring.ATTENTION);
    } else if (before != null && JobState.Arrow.CANCEL.leaves(before)) {
      bell.ring(Bell.Ring.FINISHED);
    }
    return before;
  }

  /**
   * Lets a held job go on.
   *
   * @return the state that it was in, or null if this caller has no such job; nothing was changed
   *     if it was not HELD
   */
  public @Nullable JobState release(UUID id, String principal) throws SQLException {
    JobState before = store.release(id, principal);
    if (before == JobState.HELD) {
      bell.ring(Bell.Ring.READY);
    }
    return before;
  }

  /** Makes a queue known, and pauses or resumes it where that is asked for. */
  public void setQueue(String name, @Nullable Boolean paused) throws SQLException {
    store.setQueue(name, paused);
    bell.ring(Bell.Ring.READY);
  }
}
