package io.errand.queue;

import io.errand.job.Access;
import io.errand.store.Notifications;
import io.errand.store.webhooks.ResendStore;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.UUID;

/** Sends a delivery of a webhook again. */
@ApplicationScoped
public class ResendDelivery {
  private final ResendStore store;
  private final Notifications notifications;

  ResendDelivery(ResendStore store, Notifications notifications) {
    this.store = store;
    this.notifications = notifications;
  }

  /**
   * Lets the tries of a delivery begin anew, now.
   *
   * @return false if this caller has no such delivery
   */
  public boolean resend(UUID id, Access access) throws SQLException {
    boolean found = store.resend(id, access);
    if (found) {
      notifications.send(Notifications.Topic.FINISHED); // for which the deliverers listen
    }
    return found;
  }
}
