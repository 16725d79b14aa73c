package io.errand.store;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import org.jboss.logging.Logger;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/**
 * Wakes the processes that share a database, so that they need not wait for their next poll.
 *
 * <p>A ring is a hint and may be lost: everybody who listens also polls. The first goes out at
 * once; those that come in the {@value #QUIET_MILLIS} ms behind it become one, because PostgreSQL
 * takes a lock of the whole instance to commit a NOTIFY.
 */
@ApplicationScoped
public class Bell {
  private static final Logger LOG = Logger.getLogger(Bell.class);
  private static final String CHANNEL_SQL = "LISTEN errand";
  private static final String RING_SQL =
      "SELECT pg_notify('errand', name) FROM unnest(?) AS r (name)";
  private static final int LISTEN_MILLIS = 10_000;
  private static final int QUIET_MILLIS = 5;

  /** What happened. */
  public enum Ring {
    /** There may be jobs to claim. */
    READY,
    /** There may be cancels to carry out, or somebody wants to see a running job. */
    ATTENTION,
    /** There may be live output to read. */
    OUTPUT,
    /** There may be jobs that have finished. */
    FINISHED
  }

  private final DataSource dataSource;
  private final WorkerStore workers;
  private final Map<Ring, List<Runnable>> listeners =
      Map.of(
          Ring.READY, new CopyOnWriteArrayList<>(),
          Ring.ATTENTION, new CopyOnWriteArrayList<>(),
          Ring.OUTPUT, new CopyOnWriteArrayList<>(),
          Ring.FINISHED, new CopyOnWriteArrayList<>());

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wanted = lock.newCondition();
  private final Set<Ring> pending = EnumSet.noneOf(Ring.class); // guarded by lock
  private final AtomicLong lastRungNanos = new AtomicLong(System.nanoTime());
  private volatile boolean stopped;
  private final Thread ringer = new Thread(this::ringForever, "errand-bell-ring");
  private final Thread listener = new Thread(this::listenForever, "errand-bell-listen");

  Bell(DataSource dataSource, WorkerStore workers) {
    this.dataSource = dataSource;
    this.workers = workers;
  }

  void start(@Observes StartupEvent event) {
    ringer.setDaemon(true);
    ringer.start();
    listener.setDaemon(true);
    listener.start();
  }

  void stop(@Observes ShutdownEvent event) {
    stopped = true;
    ringer.interrupt();
    listener.interrupt();
  }

  /** Calls the listener at each ring; it must be quick. */
  public void onRing(Ring ring, Runnable call) {
    listenersOf(ring).add(call);
  }

  /** Tells everybody, soon. Never blocks and never fails. */
  public void ring(Ring ring) {
    lock.lock();
    try {
      pending.add(ring);
      wanted.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether the caller may ring in a statement of its own, which saves a transaction: only while
   * nothing has rung in the last {@value #QUIET_MILLIS} ms.
   */
  boolean isQuiet() {
    long last = lastRungNanos.get();
    long now = System.nanoTime();
    return now - last > TimeUnit.MILLISECONDS.toNanos(QUIET_MILLIS)
        && lastRungNanos.compareAndSet(last, now);
  }

  private List<Runnable> listenersOf(Ring ring) {
    return listeners.getOrDefault(ring, List.of());
  }

  private void ringForever() {
    while (!stopped) {
      try {
        Set<Ring> rings = awaitPending();
        lastRungNanos.set(System.nanoTime());
        try (Connection connection = dataSource.getConnection();
            PreparedStatement statement = connection.prepareStatement(RING_SQL)) {
          statement.setArray(1, connection.createArrayOf("text", names(rings)));
          statement.execute();
        }
        TimeUnit.MILLISECONDS.sleep(QUIET_MILLIS);
      } catch (SQLException | RuntimeException | Error e) {
        LOG.debugf("A notification was not sent, polling will do: %s", e.getMessage());
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private static Object[] names(Set<Ring> rings) {
    return rings.stream().map(ring -> ring.name().toLowerCase(Locale.ROOT)).toArray();
  }

  private Set<Ring> awaitPending() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (pending.isEmpty()) {
        wanted.await();
      }
      Set<Ring> rings = EnumSet.copyOf(pending);
      pending.clear();
      return rings;
    } finally {
      lock.unlock();
    }
  }

  private void listenForever() {
    while (!stopped) {
      try (Connection connection = workers.dedicatedConnection("errand listen", 30);
          Statement statement = connection.createStatement()) {
        statement.execute(CHANNEL_SQL);
        wakeAll(); // what was rung while nobody listened
        PGConnection postgres = connection.unwrap(PGConnection.class);
        while (!stopped) {
          PGNotification[] notifications = postgres.getNotifications(LISTEN_MILLIS);
          if (notifications == null || notifications.length == 0) {
            statement.execute("SELECT 1"); // finds out about a half-open connection
          } else {
            wake(notifications);
          }
        }
      } catch (SQLException | RuntimeException | Error e) { // no thread for the driver is an Error
        if (stopped) {
          return;
        }
        LOG.debugf("Not listening, polling meanwhile: %s", e.getMessage());
        try {
          TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextLong(500, 3_000));
        } catch (InterruptedException interrupted) {
          return;
        }
      }
    }
  }

  private void wakeAll() {
    listeners.values().forEach(calls -> calls.forEach(Runnable::run));
  }

  private void wake(PGNotification[] notifications) {
    Set<Ring> rung = EnumSet.noneOf(Ring.class);
    for (PGNotification notification : notifications) {
      for (Ring ring : Ring.values()) {
        if (ring.name().toLowerCase(Locale.ROOT).equals(notification.getParameter())) {
          rung.add(ring);
        }
      }
    }
    rung.forEach(ring -> listenersOf(ring).forEach(Runnable::run));
  }
}
