package io.errand.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.job.ProjectNames;
import io.errand.queue.QueueRules.Known;
import io.errand.queue.catalogue.KnownCommands;
import io.errand.store.Notifications;
import io.errand.store.PolicyJson;
import io.errand.store.queues.RuleReads;
import io.errand.store.queues.RuleReads.Rule;
import io.errand.store.submit.Overload;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What queues and the catalogue say about submits, kept in this process so that a submit reads
 * nothing for it. It is read again when it is asked for and is more than a second old, and when it
 * is asked for after a change: all who ask meanwhile wait for the same read. Safe from any thread.
 */
@ApplicationScoped
public class KnownQueues {
  private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long DATABASE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final RuleReads reads;
  private final OverloadConfig config;
  private final KnownCommands commands;
  private final AtomicLong changes = new AtomicLong();
  private final ThreadPoolExecutor thread =
      new ThreadPoolExecutor(
          1,
          1,
          0,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(), // holds one reading at a time
          task -> {
            Thread made = new Thread(task, "errand-queue-rules");
            made.setDaemon(true);
            return made;
          });

  private volatile @Nullable Read last;
  private @Nullable Reading reading; // guarded by this
  private long databaseNanos; // for the thread alone, as the next
  private @Nullable Overload database;
  private boolean databaseAsked;

  public KnownQueues(
      RuleReads reads, OverloadConfig config, KnownCommands commands, Notifications notifications) {
    this.commands = commands;
    this.reads = reads;
    this.config = config;
    notifications.subscribe(Notifications.Topic.QUEUES, this::forget);
    notifications.subscribe(Notifications.Topic.KEYS, this::forget); // of projects, too
  }

  /** What was read when so many changes were known. */
  private record Read(QueueRules rules, long change, long nanos) {}

  private record Reading(CompletableFuture<QueueRules> result, long change) {}

  void start(@Observes StartupEvent event) {
    thread.prestartCoreThread(); // later there may be no thread to be had
  }

  void stop(@Observes ShutdownEvent event) {
    thread.shutdownNow();
  }

  /** Something has changed: what was read before does not count any more. */
  public void forget() {
    changes.incrementAndGet();
  }

  /**
   * What is known, at most a second old.
   *
   * @return already complete in most cases; fails with an {@link SQLException} if the database is
   *     away
   */
  public CompletableFuture<QueueRules> fresh() {
    Read known = last;
    long change = changes.get();
    if (known != null
        && known.change() == change
        && System.nanoTime() - known.nanos() < FRESH_NANOS) {
      return CompletableFuture.completedFuture(known.rules());
    }
    return read(change);
  }

  /** The same, for those who may block. */
  public QueueRules now() throws SQLException {
    try {
      return fresh().join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof SQLException fault) {
        throw fault;
      }
      throw e;
    }
  }

  private synchronized CompletableFuture<QueueRules> read(long change) {
    Reading running = reading;
    if (running != null && !running.result().isDone() && running.change() >= change) {
      return running.result();
    }
    CompletableFuture<QueueRules> result = new CompletableFuture<>();
    reading = new Reading(result, change);
    try {
      thread.execute(() -> read(change, result));
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(new SQLException("The server is stopping", e));
    }
    return result;
  }

  private void read(long change, CompletableFuture<QueueRules> result) {
    try {
      long begun = System.nanoTime();
      Map<String, Known> byName = new HashMap<>();
      Read before = last;
      for (Rule rule : reads.rules()) {
        Known old = before == null ? null : before.rules().byName().get(rule.name());
        byName.put(rule.name(), known(rule, old, begun));
      }
      QueueRules rules =
          new QueueRules(
              ProjectNames.DEFAULT,
              Map.copyOf(byName),
              reads.boundedProjects(),
              database(begun),
              commands.read());
      last = new Read(rules, change, begun);
      result.complete(rules);
    } catch (SQLException | RuntimeException | Error e) {
      result.completeExceptionally(e);
    }
  }

  private static Known known(Rule rule, @Nullable Known old, long nanos) {
    JsonNode defaults =
        old != null && old.rule().defaults().equals(rule.defaults())
            ? old.defaults()
            : PolicyJson.read(rule.defaults());
    boolean limits = rule.maxDepth() != null || rule.maxReadyAgeSeconds() != null;
    DrainRate drain = old == null ? DrainRate.UNKNOWN : old.drain();
    QueuePolicy policy = null;
    if (rule.policy() != null) {
      policy =
          old != null && rule.policy().equals(old.rule().policy())
              ? old.policy()
              : QueuePolicy.of(PolicyJson.read(rule.policy()));
    }
    return new Known(
        rule, defaults, limits ? drain.with(nanos, rule.finished()) : DrainRate.UNKNOWN, policy);
  }

  private @Nullable Overload database(long now) throws SQLException {
    if (config.ignoresDatabase()) {
      return null;
    }
    if (!databaseAsked || now - databaseNanos >= DATABASE_NANOS) {
      database =
          reads
              .distress(
                  config.overloadTransactionSeconds(),
                  config.overloadDeadRows(),
                  config.refusesForDatabase())
              .orElse(null);
      databaseNanos = now;
      databaseAsked = true;
    }
    return database;
  }
}
