package io.errand.worker;

import io.errand.store.Session;
import io.errand.store.workers.WorkerStore;
import io.errand.store.workers.WorkerStore.Incarnation;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * This worker's right to run commands: one heartbeat row, renewed by a thread of its own on a
 * connection of its own.
 *
 * <p>The others give a worker up when the database's clock says that its last heartbeat is older
 * than lease + 1 s. This side cannot see that clock, so it counts from before it <em>sent</em> the
 * last heartbeat that was confirmed, by its monotonic clock: the row cannot be older than that. A
 * second thread watches that deadline, because the first may hang in a dead connection, and ends
 * every command a tenth of the lease before it. What was lost stays lost: once the database answers
 * again the worker comes back as another incarnation with another id.
 */
final class Lease {
  private static final Logger LOG = Logger.getLogger(Lease.class);

  /** What the lease is about. */
  interface Listener {
    /** A new incarnation holds; called before its first claim. */
    void onGranted(UUID workerId);

    /**
     * A heartbeat was confirmed.
     *
     * @param deadlineNanos when everything must have ended unless another one is, by the monotonic
     *     clock
     */
    void onRenewed(long deadlineNanos);

    /** A heartbeat did not reach the database. */
    void onFailure();

    /** The lease is about to end, or others say that it has: end every command, now. */
    void onLost();
  }

  private final WorkerStore store;
  private final Function<UUID, Incarnation> incarnations;
  private final Supplier<WorkerStore.Load> load;
  private final Listener listener;
  private final long leaseNanos;
  private final long marginNanos;
  private final Thread heart = new Thread(this::beat, "errand-heartbeat");
  private final Thread watch = new Thread(this::watch, "errand-lease-watch");

  private volatile @Nullable UUID workerId;
  private volatile long deadlineNanos;
  private volatile boolean stopped;

  Lease(
      WorkerStore store,
      double leaseSeconds,
      Function<UUID, Incarnation> incarnations,
      Supplier<WorkerStore.Load> load,
      Listener listener) {
    this.store = store;
    this.incarnations = incarnations;
    this.load = load;
    this.listener = listener;
    this.leaseNanos = (long) (leaseSeconds * 1e9);
    this.marginNanos = leaseNanos / 10;
    heart.setDaemon(true);
    watch.setDaemon(true);
  }

  void start() {
    heart.start();
    watch.start();
  }

  void stop() {
    stopped = true;
    heart.interrupt();
    watch.interrupt();
  }

  /** The incarnation that may claim and run now, or null. */
  @Nullable UUID holder() {
    UUID id = workerId;
    return id != null && remainingNanos() > 0 ? id : null;
  }

  /** How long commands may run on if no heartbeat is confirmed; 0 where nothing is held. */
  long nanosLeft() {
    return workerId == null ? 0 : Math.max(0, remainingNanos());
  }

  private long remainingNanos() {
    return deadlineNanos - marginNanos - System.nanoTime();
  }

  private void beat() {
    int timeoutSeconds = (int) Math.max(1, leaseNanos / 3_000_000_000L);
    while (!stopped) {
      try (Connection connection = store.dedicatedConnection("errand heartbeat", timeoutSeconds)) {
        while (!stopped && Session.isOfCurrentLogin(connection)) {
          beatOnce(connection);
          TimeUnit.NANOSECONDS.sleep(leaseNanos / 3);
        }
      } catch (SQLException | RuntimeException | Error e) { // no thread for the driver is an Error
        listener.onFailure();
        LOG.warnf("The heartbeat did not reach the database: %s", e.getMessage());
        if (!pause()) {
          return;
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** A short wait, spread so that a fleet does not come back all at once. */
  private boolean pause() {
    try {
      long most = Math.min(leaseNanos / 5, TimeUnit.SECONDS.toNanos(2));
      TimeUnit.NANOSECONDS.sleep(ThreadLocalRandom.current().nextLong(most / 4, most));
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  /** One heartbeat, or, where nothing is held, a new incarnation. */
  void beatOnce(Connection connection) throws SQLException {
    UUID id = workerId;
    if (id != null && !renew(connection, id)) {
      lose(id);
      id = null;
    }
    if (id == null) {
      long sent = System.nanoTime();
      UUID fresh = UUID.randomUUID();
      store.register(connection, incarnations.apply(fresh));
      deadlineNanos = sent + leaseNanos;
      listener.onGranted(fresh);
      workerId = fresh;
    }
    // Half a margin after this side would have acted itself, and still before the lease ends.
    listener.onRenewed(deadlineNanos - marginNanos / 2);
  }

  /**
   * Whether the lease goes on. By the others' word, and by our clock before and after: this process
   * may have been frozen meanwhile, and then its guardian has ended the commands by the deadline
   * that it knew. What is lost stays lost, whatever the answer says.
   */
  private boolean renew(Connection connection, UUID id) throws SQLException {
    if (remainingNanos() <= 0) {
      return false;
    }
    long sent = System.nanoTime();
    if (!store.heartbeat(connection, id, load.get())) {
      LOG.warnf("Worker %s was given up by the others", id);
      return false;
    }
    synchronized (this) {
      if (!id.equals(workerId) || remainingNanos() <= 0) {
        return false;
      }
      deadlineNanos = sent + leaseNanos;
      return true;
    }
  }

  private void watch() {
    while (!stopped) {
      try {
        UUID id = workerId;
        long remaining = id == null ? marginNanos : remainingNanos();
        if (id != null && remaining <= 0) {
          LOG.warnf("Worker %s could not renew its lease and ends its commands", id);
          lose(id);
          continue;
        }
        TimeUnit.NANOSECONDS.sleep(Math.min(remaining, marginNanos));
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException | Error e) {
        LOG.error("The watch over the lease goes on after a fault of its own", e);
      }
    }
  }

  private synchronized void lose(UUID id) {
    if (id.equals(workerId)) {
      workerId = null;
      listener.onLost();
    }
  }
}
