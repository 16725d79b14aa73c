package io.errand.audit;

import io.errand.store.audit.AuditEntry;
import io.errand.store.audit.AuditRow;
import io.errand.store.audit.AuditStore;
import io.errand.store.audit.AuditStore.Pending;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Writes the audit. That a change begins is in the database before it is made; its row in the chain
 * is written behind the answer, by one thread of this process. A change whose row could not be
 * written in time has one later, without a status: none is lost. Safe from any thread.
 */
@ApplicationScoped
public class AuditTrail {
  private static final Logger LOG = Logger.getLogger(AuditTrail.class);
  private static final int MOST_WAITING = 2_000;
  private static final int BATCH = 500;
  private static final int PAUSE_SECONDS = 1;
  private static final int ABANDONED_EVERY_SECONDS = 60;
  private static final int LAST_WORDS_MILLIS = 10_000;

  /** What the database says of a value that it does not take. */
  private static final String DATA_FAULT = "22";

  private final AuditStore store;
  private final AuditLines lines;
  private final AuditConfig config;
  private final RefusedTries refused = new RefusedTries();
  private final ArrayBlockingQueue<Pending> queue = new ArrayBlockingQueue<>(MOST_WAITING);
  private final Thread writer = new Thread(this::run, "errand-audit");
  private volatile boolean isEnding;
  private boolean hasFailed;
  private long lookedForAbandoned = System.nanoTime();

  AuditTrail(AuditStore store, AuditLines lines, AuditConfig config) {
    this.store = store;
    this.lines = lines;
    this.config = config;
  }

  void start(@Observes StartupEvent event) {
    if (config.roles().stream().anyMatch(role -> role.strip().equals("api"))) {
      lines.check();
      writer.setDaemon(true);
      writer.start();
    }
  }

  void stop(@Observes ShutdownEvent event) throws InterruptedException {
    isEnding = true;
    if (writer.isAlive()) {
      writer.join(LAST_WORDS_MILLIS);
    }
  }

  /**
   * Writes down that a change begins. Waits for the database.
   *
   * @return the id for {@link #end}
   * @throws SQLException if that is not possible; the change must not be made then
   */
  public UUID begin(AuditEntry entry) throws SQLException {
    UUID id = UUID.randomUUID();
    store.begin(id, entry);
    return id;
  }

  /** A change has ended. Waits for nothing. */
  public void end(UUID begun, AuditEntry entry) {
    if (!queue.offer(new Pending(begun, entry))) {
      LOG.debugf("The audit is behind; the row of change %s will have no status", begun);
    }
  }

  /** A request was refused. Waits for nothing. */
  public void refused(AuditEntry entry) {
    refused.add(entry, System.nanoTime());
  }

  private void run() {
    List<Pending> batch = new ArrayList<>();
    try {
      boolean isLast;
      do {
        isLast = isEnding;
        take(batch, isLast);
        if (write(batch)) {
          batch.clear();
          writeAbandoned();
        } else if (!isLast) {
          TimeUnit.SECONDS.sleep(PAUSE_SECONDS);
        }
      } while (!isLast || (batch.isEmpty() && !queue.isEmpty()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void take(List<Pending> batch, boolean isLast) throws InterruptedException {
    if (!batch.isEmpty()) {
      return; // once more
    }
    Pending first = isLast ? queue.poll() : queue.poll(PAUSE_SECONDS, TimeUnit.SECONDS);
    if (first != null) {
      batch.add(first);
      queue.drainTo(batch, BATCH - 1);
    }
    refused.take(System.nanoTime(), isLast).forEach(entry -> batch.add(new Pending(null, entry)));
  }

  private boolean write(List<Pending> batch) {
    if (batch.isEmpty()) {
      return true;
    }
    try {
      List<AuditRow> rows = store.append(batch);
      lines.write(rows);
      hasFailed = false;
      return true;
    } catch (SQLException e) {
      if (isDataFault(e)) {
        return writeEach(batch);
      }
      note(e);
      return false;
    } catch (RuntimeException e) {
      LOG.error("Rows of the audit could not be written", e);
      return false;
    }
  }

  /** An entry that the database does not take must not keep the others back. */
  private boolean writeEach(List<Pending> batch) {
    while (!batch.isEmpty()) {
      try {
        lines.write(store.append(batch.subList(0, 1)));
      } catch (SQLException e) {
        if (!isDataFault(e)) {
          note(e);
          return false;
        }
        LOG.errorf(e, "An entry of the audit was not taken: %s", batch.get(0).begun());
      }
      batch.remove(0);
    }
    return true;
  }

  private static boolean isDataFault(SQLException fault) {
    String state = fault.getSQLState();
    return state != null && state.startsWith(DATA_FAULT);
  }

  private void note(SQLException fault) {
    if (!hasFailed) {
      LOG.warnf("The audit waits for the database: %s", fault.getMessage());
    }
    hasFailed = true;
  }

  /** Those of servers that were killed. */
  private void writeAbandoned() {
    long now = System.nanoTime();
    if (now - lookedForAbandoned < TimeUnit.SECONDS.toNanos(ABANDONED_EVERY_SECONDS)) {
      return;
    }
    lookedForAbandoned = now;
    try {
      lines.write(store.appendAbandoned(BATCH));
    } catch (SQLException e) {
      note(e);
    } catch (RuntimeException e) {
      LOG.error("Changes without an end could not be written into the audit", e);
    }
  }
}
