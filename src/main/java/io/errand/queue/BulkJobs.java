package io.errand.queue;

import io.errand.disk.FreeSpace;
import io.errand.job.Access;
import io.errand.store.Notifications;
import io.errand.store.control.JobUpdate;
import io.errand.store.operations.BulkFilter;
import io.errand.store.operations.Operation;
import io.errand.store.operations.OperationKind;
import io.errand.store.operations.OperationStore;
import io.errand.store.operations.OperationStore.Count;
import io.errand.store.operations.OperationStore.Creation;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Changes of many jobs at once: counted, asked for, and stopped. Others carry them out. */
@ApplicationScoped
public class BulkJobs {
  private final OperationStore store;
  private final Notifications notifications;
  private final FreeSpace space;
  private final JobIds ids = new JobIds(System::currentTimeMillis);

  BulkJobs(OperationStore store, Notifications notifications, FreeSpace space) {
    this.store = store;
    this.notifications = notifications;
    this.space = space;
  }

  /**
   * What is to be done to which jobs.
   *
   * @param set the new values, only for an update
   * @param expectedCount only if so many jobs match, or null
   */
  public record Change(
      OperationKind kind,
      BulkFilter filter,
      @Nullable JobUpdate set,
      @Nullable Long expectedCount) {}

  /** How many jobs a change is for now; empty if they could not be counted in time. */
  public Optional<Count> count(Change change, Access access) throws SQLException {
    return store.count(change.kind(), change.filter(), access);
  }

  /**
   * Begins a change.
   *
   * @param idempotencyKey makes a repeat harmless, or null
   * @param fingerprint tells a repeat from another request
   * @throws io.errand.disk.NoSpace if it would store jobs, and there is too little space
   */
  public Creation begin(
      Change change, Access access, @Nullable String idempotencyKey, Fingerprint fingerprint)
      throws SQLException {
    if (change.kind() == OperationKind.RETRY) {
      space.require();
    }
    Creation creation =
        store.create(
            new OperationStore.Request(
                ids.next(),
                access,
                change.kind(),
                change.filter(),
                change.set(),
                change.expectedCount(),
                idempotencyKey,
                fingerprint.hex()));
    if (creation instanceof Creation.Created) {
      notifications.send(Notifications.Topic.OPERATIONS);
    }
    return creation;
  }

  /** Asks an operation to stop; empty if it has ended, or this caller has no such operation. */
  public Optional<Operation> stop(UUID id, Access access) throws SQLException {
    Optional<Operation> stopping = store.stop(id, access);
    if (stopping.isPresent()) {
      notifications.send(Notifications.Topic.OPERATIONS);
    }
    return stopping;
  }
}
