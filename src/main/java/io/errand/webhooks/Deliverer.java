package io.errand.webhooks;

import io.errand.api.problem.Problem;
import io.errand.secrets.SecretFiles;
import io.errand.store.Notifications;
import io.errand.store.webhooks.ClaimedDelivery;
import io.errand.store.webhooks.DeliveryStore;
import io.errand.store.webhooks.DeliveryStore.Claims;
import io.errand.store.webhooks.DeliveryStore.Result;
import io.errand.traces.Traces;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Delivers webhooks, if this process is a worker: makes deliveries of finished jobs, claims those
 * that are due, and sends them, a bounded number at once in all and of each host. What it has
 * claimed and not ended after a minute another process tries.
 */
@ApplicationScoped
public class Deliverer {
  private static final Logger LOG = Logger.getLogger(Deliverer.class);
  private static final int MOST_SENDS = 32;
  private static final int MOST_SENDS_OF_HOST = 4;
  private static final int BATCH = 500;
  private static final int MOST_PAGES = 64;
  private static final Duration TRY = Duration.ofSeconds(15);
  private static final Duration LEASE = Duration.ofSeconds(60);
  private static final Duration AGAIN_SOON = Duration.ofSeconds(5);
  private static final Duration DISABLED_FOR = Duration.ofDays(30);
  private static final long POLL_MILLIS = 2_000;
  private static final long QUIET_MILLIS = 200;
  private static final long BUSY_MILLIS = 20;
  private static final long STOP_MILLIS = 3_000;
  private static final long TIDY_NANOS = TimeUnit.HOURS.toNanos(1);

  private final DeliveryStore store;
  private final EventBody events;
  private final Notifications notifications;
  private final WebhookConfig config;
  private final WebhookMeters meters;
  private final Traces traces;

  private final Map<UUID, HttpPost> sending = new ConcurrentHashMap<>();
  private final Map<String, Integer> byHost = new HashMap<>(); // guarded by itself
  private final Semaphore free = new Semaphore(MOST_SENDS);
  private final Semaphore wakeUps = new Semaphore(0);
  private volatile boolean stopped;
  private volatile @Nullable Parts parts;

  /** What runs while this process delivers. */
  private record Parts(
      Thread thread, ExecutorService senders, ScheduledExecutorService alarm, Sender sender) {}

  Deliverer(
      DeliveryStore store,
      EventBody events,
      Notifications notifications,
      WebhookConfig config,
      WebhookMeters meters,
      Traces traces) {
    this.traces = traces;
    this.store = store;
    this.events = events;
    this.notifications = notifications;
    this.config = config;
    this.meters = meters;
  }

  void start(@Observes StartupEvent event) {
    config.check();
    if (!config.delivers()) {
      return;
    }
    ScheduledExecutorService alarm =
        Executors.newSingleThreadScheduledExecutor(daemons("errand-webhook-alarm"));
    Sender sender =
        new Sender(
            config.addressRules(),
            new SecretFiles(config.secretsDir().map(Path::of).orElse(null)),
            config.version(),
            alarm,
            traces);
    Thread thread = new Thread(this::deliverForever, "errand-webhooks");
    thread.setDaemon(true);
    parts =
        new Parts(
            thread, Executors.newCachedThreadPool(daemons("errand-webhook-send")), alarm, sender);
    meters.watch(() -> MOST_SENDS - free.availablePermits());
    notifications.subscribe(Notifications.Topic.FINISHED, wakeUps::release);
    thread.start();
  }

  /** Lets what is being sent end, for a moment; the rest is given back, to be sent by others. */
  void stop(@Observes ShutdownEvent event) throws InterruptedException {
    Parts running = parts;
    if (running == null) {
      return;
    }
    stopped = true;
    running.thread().interrupt();
    running.senders().shutdown();
    if (!running.senders().awaitTermination(STOP_MILLIS, TimeUnit.MILLISECONDS)) {
      sending.values().forEach(HttpPost::close);
      running.senders().awaitTermination(STOP_MILLIS, TimeUnit.MILLISECONDS);
    }
    running.alarm().shutdownNow();
  }

  private static ThreadFactory daemons(String name) {
    AtomicInteger count = new AtomicInteger();
    return work -> {
      Thread thread = new Thread(work, name + "-" + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  private void deliverForever() {
    long nextTidy = System.nanoTime();
    while (!stopped) {
      try {
        if (nextTidy - System.nanoTime() <= 0) {
          nextTidy = System.nanoTime() + TIDY_NANOS;
          store.enableOld(DISABLED_FOR, BATCH);
        }
        boolean more = store.make(BATCH) == BATCH;
        boolean some = claimAll() > 0;
        if (!more) {
          awaitWork(some ? BUSY_MILLIS : QUIET_MILLIS);
        }
      } catch (SQLException | RuntimeException | Error e) { // no thread to send is an Error
        LOG.debugf("No webhook was claimed this time: %s", e.getMessage());
        try {
          awaitWork(POLL_MILLIS);
        } catch (InterruptedException interrupted) {
          return;
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** A burst of notifications is one: each look costs the database something. */
  private void awaitWork(long quietMillis) throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(quietMillis);
    wakeUps.tryAcquire(POLL_MILLIS - quietMillis, TimeUnit.MILLISECONDS);
    wakeUps.drainPermits();
  }

  private int claimAll() throws SQLException {
    String host = "";
    int all = 0;
    for (int i = 0; i < MOST_PAGES && host != null && !stopped; i++) {
      int permits = free.drainPermits();
      if (permits == 0) {
        return all;
      }
      int started = 0;
      try {
        Map<String, Integer> busy;
        synchronized (byHost) {
          busy = Map.copyOf(byHost);
        }
        Claims claims = store.claim(busy, MOST_SENDS_OF_HOST, permits, LEASE, host);
        long claimedAt = System.nanoTime();
        for (ClaimedDelivery delivery : claims.deliveries()) {
          begin(delivery, claimedAt + TRY.toNanos());
          started++;
        }
        host = claims.nextHost();
      } finally {
        free.release(permits - started);
      }
      all += started;
    }
    return all;
  }

  /** From here on the permit is the try's. */
  private void begin(ClaimedDelivery delivery, long deadlineNanos) {
    synchronized (byHost) {
      byHost.merge(delivery.host(), 1, Integer::sum);
    }
    Parts running = parts;
    try {
      if (running == null) {
        throw new RejectedExecutionException();
      }
      running.senders().execute(() -> tryAndRecord(running.sender(), delivery, deadlineNanos));
    } catch (RejectedExecutionException | OutOfMemoryError e) { // stopped; no thread to be had
      giveBack(delivery, AGAIN_SOON);
      end(delivery);
    }
  }

  private void end(ClaimedDelivery delivery) {
    synchronized (byHost) {
      byHost.computeIfPresent(delivery.host(), (host, sends) -> sends == 1 ? null : sends - 1);
    }
    free.release();
    wakeUps.release(); // there may be more for this host
  }

  private void tryAndRecord(Sender sender, ClaimedDelivery delivery, long deadlineNanos) {
    try {
      Result result =
          delivery.disabled() ? Sender.disabled() : send(sender, delivery, deadlineNanos);
      if (result == null) {
        giveBack(delivery, stopped ? Duration.ZERO : AGAIN_SOON);
      } else if (store.record(delivery, result)) {
        meters.tried(result.state());
      }
    } catch (SQLException e) {
      // Another process tries it after the lease: the receiver may get it twice.
      LOG.debugf("The try of webhook %s was not recorded: %s", delivery.id(), e.getMessage());
    } catch (RuntimeException | Error e) {
      LOG.warnf("The try of webhook %s was ended by a fault: %s", delivery.id(), e);
    } finally {
      end(delivery);
    }
  }

  /** Tries it, or gives null where it could not be tried now. */
  private @Nullable Result send(Sender sender, ClaimedDelivery delivery, long deadlineNanos)
      throws SQLException {
    try (EventBody.Body body = events.of(delivery);
        HttpPost post = sender.post(delivery, deadlineNanos)) {
      if (body == null) {
        return Sender.disabled(); // its job is gone, so it is removed
      }
      sending.put(delivery.id(), post);
      Result result = sender.send(delivery, post, body.parts());
      return stopped && result.status() == null ? null : result;
    } catch (Problem e) {
      LOG.debugf("Webhook %s waits: %s", delivery.id(), e.getMessage());
      return null;
    } catch (RuntimeException e) { // counted as a try, or it would be made without end
      LOG.warnf("The try of webhook %s was ended by a fault: %s", delivery.id(), e);
      return Sender.fault(delivery);
    } finally {
      sending.remove(delivery.id());
    }
  }

  private void giveBack(ClaimedDelivery delivery, Duration delay) {
    try {
      store.giveBack(delivery, delay);
    } catch (SQLException e) {
      LOG.debugf("Webhook %s waits for its lease: %s", delivery.id(), e.getMessage());
    }
  }
}
