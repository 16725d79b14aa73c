package io.errand.store;

import io.errand.meters.Metric;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
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
 * Notifications between the processes that share a database, so that they need not wait for their
 * next poll.
 *
 * <p>A notification is a hint and may be lost: every subscriber also polls. The first is sent at
 * once; those of the next {@value #QUIET_MILLIS} ms are sent as one, because PostgreSQL takes a
 * lock of the whole instance to commit a NOTIFY.
 */
@ApplicationScoped
public class Notifications {
  private static final Logger LOG = Logger.getLogger(Notifications.class);
  private static final String LISTEN_SQL = "LISTEN errand";
  private static final String NOTIFY_SQL =
      "SELECT pg_notify('errand', name) FROM unnest(?) AS r (name)";
  private static final int LISTEN_MILLIS = 30_000;
  private static final int SOCKET_SECONDS = 30;
  private static final int QUIET_MILLIS = 5;

  /** What happened. Its name in lower case is the payload. */
  public enum Topic {
    /** There may be jobs to claim. */
    READY,
    /** There may be cancels to carry out, or a client wants to see a running job. */
    ATTENTION,
    /** There may be live output to read. */
    OUTPUT,
    /** There may be jobs that have finished. */
    FINISHED,
    /** Settings of queues or named commands may have changed. */
    QUEUES,
    /** There may be bulk changes to carry on. */
    OPERATIONS,
    /** Keys or projects may have changed. */
    KEYS
  }

  private final DataSource dataSource;
  private final StoreConfig config;
  private final Map<Topic, List<Runnable>> listeners =
      Map.of(
          Topic.READY, new CopyOnWriteArrayList<>(),
          Topic.ATTENTION, new CopyOnWriteArrayList<>(),
          Topic.OUTPUT, new CopyOnWriteArrayList<>(),
          Topic.FINISHED, new CopyOnWriteArrayList<>(),
          Topic.QUEUES, new CopyOnWriteArrayList<>(),
          Topic.OPERATIONS, new CopyOnWriteArrayList<>(),
          Topic.KEYS, new CopyOnWriteArrayList<>());

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wanted = lock.newCondition();
  private final Set<Topic> pending = EnumSet.noneOf(Topic.class); // guarded by lock
  private final AtomicLong lastSentNanos = new AtomicLong(System.nanoTime());
  private volatile boolean stopped;
  private final Thread sender = new Thread(this::sendForever, "errand-notify");
  private final Thread listener = new Thread(this::listenForever, "errand-listen");

  private final Map<Topic, Counter> received = new EnumMap<>(Topic.class);
  private final Counter sent;
  private volatile boolean listening;

  Notifications(DataSource dataSource, StoreConfig config, MeterRegistry registry) {
    this.dataSource = dataSource;
    this.config = config;
    for (Topic topic : Topic.values()) {
      received.put(
          topic,
          Metric.NOTIFICATIONS_RECEIVED.counter(registry, topic.name().toLowerCase(Locale.ROOT)));
    }
    sent = Metric.NOTIFICATIONS_SENT.counter(registry);
    Metric.LISTENING.gauge(registry, () -> listening ? 1 : 0);
  }

  void start(@Observes StartupEvent event) {
    sender.setDaemon(true);
    sender.start();
    listener.setDaemon(true);
    listener.start();
  }

  void stop(@Observes ShutdownEvent event) {
    stopped = true;
    sender.interrupt();
    listener.interrupt();
  }

  /** Calls the listener at each notification of the topic; it must be quick. */
  public void subscribe(Topic topic, Runnable call) {
    listenersOf(topic).add(call);
  }

  /** Sends a notification, soon. Never blocks and never fails. */
  public void send(Topic topic) {
    lock.lock();
    try {
      pending.add(topic);
      wanted.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether the caller may send one in a statement of its own, which saves a transaction: only
   * while none was sent in the last {@value #QUIET_MILLIS} ms.
   */
  public boolean isQuiet() {
    long last = lastSentNanos.get();
    long now = System.nanoTime();
    return now - last > TimeUnit.MILLISECONDS.toNanos(QUIET_MILLIS)
        && lastSentNanos.compareAndSet(last, now);
  }

  private List<Runnable> listenersOf(Topic topic) {
    return listeners.getOrDefault(topic, List.of());
  }

  private void sendForever() {
    while (!stopped) {
      try {
        Set<Topic> topics = awaitPending();
        lastSentNanos.set(System.nanoTime());
        try (Connection connection = dataSource.getConnection();
            PreparedStatement statement = connection.prepareStatement(NOTIFY_SQL)) {
          statement.setArray(1, connection.createArrayOf("text", names(topics)));
          statement.execute();
        }
        sent.increment();
        TimeUnit.MILLISECONDS.sleep(QUIET_MILLIS);
      } catch (SQLException | RuntimeException | Error e) {
        LOG.debugf("A notification was not sent, polling will do: %s", e.getMessage());
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private static Object[] names(Set<Topic> topics) {
    return topics.stream().map(topic -> topic.name().toLowerCase(Locale.ROOT)).toArray();
  }

  private Set<Topic> awaitPending() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (pending.isEmpty()) {
        wanted.await();
      }
      Set<Topic> topics = EnumSet.copyOf(pending);
      pending.clear();
      return topics;
    } finally {
      lock.unlock();
    }
  }

  private void listenForever() {
    while (!stopped) {
      try (Connection connection = Session.openListening(config, "errand listen", SOCKET_SECONDS);
          Statement statement = connection.createStatement()) {
        statement.execute(LISTEN_SQL);
        listening = true;
        wakeAll(); // what was sent while this was not listening
        PGConnection postgres = connection.unwrap(PGConnection.class);
        while (!stopped && Session.isOfCurrentLogin(connection)) {
          PGNotification[] notifications = postgres.getNotifications(LISTEN_MILLIS);
          if (notifications == null || notifications.length == 0) {
            statement.execute("SELECT 1"); // finds out about a half-open connection
          } else {
            wake(notifications);
          }
        }
      } catch (SQLException | RuntimeException | Error e) { // no thread for the driver is an Error
        listening = false;
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

  private void count(Topic topic) {
    Counter counter = received.get(topic);
    if (counter != null) {
      counter.increment();
    }
  }

  private void wakeAll() {
    listeners.values().forEach(calls -> calls.forEach(Runnable::run));
  }

  private void wake(PGNotification[] notifications) {
    Set<Topic> told = EnumSet.noneOf(Topic.class);
    for (PGNotification notification : notifications) {
      for (Topic topic : Topic.values()) {
        if (topic.name().toLowerCase(Locale.ROOT).equals(notification.getParameter())) {
          told.add(topic);
          count(topic);
        }
      }
    }
    told.forEach(topic -> listenersOf(topic).forEach(Runnable::run));
  }
}
