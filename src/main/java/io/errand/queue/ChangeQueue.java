package io.errand.queue;

import io.errand.job.Access;
import io.errand.store.Notifications;
import io.errand.store.queues.QueueSettings;
import io.errand.store.queues.QueueStore;
import io.errand.store.queues.QueueStore.Change;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.function.Function;

/** Changes the settings of a queue, and tells every process. */
@ApplicationScoped
public class ChangeQueue {
  private final QueueStore store;
  private final KnownQueues known;
  private final Notifications notifications;

  ChangeQueue(QueueStore store, KnownQueues known, Notifications notifications) {
    this.store = store;
    this.known = known;
    this.notifications = notifications;
  }

  /**
   * Changes a queue, and makes it known if it is not. Submits to this process that come afterwards
   * go by it, and soon those to others.
   *
   * @param change as of {@link QueueStore#change}
   * @return as of {@link QueueStore#change}
   */
  public boolean change(String name, Access access, Function<QueueSettings, Change> change)
      throws SQLException {
    boolean changed = store.change(name, "client " + access.principal(), change);
    known.forget();
    if (changed) {
      notifications.send(Notifications.Topic.QUEUES);
      notifications.send(Notifications.Topic.READY);
    }
    return changed;
  }
}
