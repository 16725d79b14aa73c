package io.errand.api.jobs;

import io.errand.api.answer.AnswerBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.Notifications;
import io.errand.store.reads.JobReads;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * Clients that wait for jobs to finish. However many there are, one thread asks the database about
 * all of their jobs at once, at each notification and twice a second.
 */
@ApplicationScoped
public class Waiters {
  /** More clients than these are answered at once, as if their time were up. */
  private static final int MOST = 10_000;

  /** What a client that waits holds beside its connection. */
  private static final int BYTES = 1024;

  private static final Logger LOG = Logger.getLogger(Waiters.class);
  private static final int BATCH = 500;
  private static final int ANSWERING_THREADS = 8;
  private static final long POLL_MILLIS = 500;
  private static final long PAUSE_MILLIS = 10;

  private final JobReads reads;
  private final Notifications notifications;
  private final AnswerBudget budget;
  private final ConcurrentHashMap<UUID, Set<CompletableFuture<Void>>> waiting =
      new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  private final WakeUp wakeUp = new WakeUp();
  private final Thread thread = new Thread(this::run, "errand-waiters");
  private final ThreadPoolExecutor answering =
      new ThreadPoolExecutor(
          ANSWERING_THREADS,
          ANSWERING_THREADS,
          10,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(), // as long as there are connections
          task -> {
            Thread answer = new Thread(task, "errand-answer-waiter");
            answer.setDaemon(true);
            return answer;
          });
  private volatile boolean stopped;

  Waiters(JobReads reads, Notifications notifications, AnswerBudget budget) {
    this.budget = budget;
    this.reads = reads;
    this.notifications = notifications;
  }

  void start(@Observes StartupEvent event) {
    notifications.subscribe(Notifications.Topic.FINISHED, wakeUp::call);
    answering.allowCoreThreadTimeOut(true);
    thread.setDaemon(true);
    thread.start();
  }

  void stop(@Observes ShutdownEvent event) {
    stopped = true;
    thread.interrupt();
    waiting.values().forEach(futures -> futures.forEach(future -> future.complete(null)));
  }

  /**
   * Where clients that have waited are answered. Thousands may have waited for one job: few of them
   * read the database at a time, so that all others get a connection of the pool in time.
   */
  Executor answering() {
    return answering;
  }

  /**
   * Completes when the job is in a final state or the time is up, whichever comes first. It may
   * have finished already: that is found out at once. Whoever does not wait any more cancels it.
   */
  CompletableFuture<Void> await(UUID job, Duration time) {
    CompletableFuture<Void> future = new CompletableFuture<>();
    Reservation held = stopped || count.get() >= MOST ? null : budget.tryReserve(BYTES);
    if (held == null) {
      future.complete(null);
      return future;
    }
    count.incrementAndGet();
    waiting.compute(
        job,
        (id, futures) -> {
          Set<CompletableFuture<Void>> all =
              futures == null ? ConcurrentHashMap.newKeySet() : futures;
          all.add(future);
          return all;
        });
    future.whenComplete((done, fault) -> forget(job, future, held));
    future.completeOnTimeout(null, time.toMillis(), TimeUnit.MILLISECONDS);
    wakeUp.call();
    CompletableFuture<Void> told = future.copy();
    told.whenComplete((done, fault) -> future.complete(null)); // it is cancelled by who leaves
    return told;
  }

  private void forget(UUID job, CompletableFuture<Void> future, Reservation held) {
    held.close();
    count.decrementAndGet();
    waiting.computeIfPresent(
        job,
        (id, futures) -> {
          futures.remove(future);
          return futures.isEmpty() ? null : futures;
        });
  }

  private void run() {
    while (!stopped) {
      try {
        wakeUp.await(!waiting.isEmpty(), POLL_MILLIS, PAUSE_MILLIS);
        completeFinished();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException | Error e) {
        LOG.debugf("Waiting clients go on waiting: %s", e.getMessage());
      }
    }
  }

  private void completeFinished() {
    List<UUID> jobs = new ArrayList<>(waiting.keySet());
    for (int from = 0; from < jobs.size(); from += BATCH) {
      List<UUID> batch = jobs.subList(from, Math.min(jobs.size(), from + BATCH));
      for (UUID finished : reads.finished(batch)) {
        Set<CompletableFuture<Void>> futures = waiting.get(finished);
        if (futures != null) {
          List.copyOf(futures).forEach(future -> future.complete(null));
        }
      }
    }
  }
}
