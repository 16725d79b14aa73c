package io.errand.worker;

import io.errand.disk.FreeSpace;
import io.errand.store.Notifications;
import io.errand.store.Notifications.Topic;
import io.errand.store.operations.OperationSteps;
import io.errand.store.operations.OperationSteps.Due;
import io.errand.store.operations.OperationSteps.Step;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jboss.logging.Logger;

/**
 * Carries bulk changes on, in every process with a database, whichever comes first. One thread, and
 * one step at a time; {@link OperationSteps} sees to it that no two processes make a step of one
 * operation at the same time, and that there is a pause behind each step.
 */
@ApplicationScoped
public class OperationRunner {
  private static final Logger LOG = Logger.getLogger(OperationRunner.class);

  /** A statement is wrong, so that it fails each time. */
  private static final Set<String> WRONG = Set.of("0A", "42");

  private static final String TOOK_TOO_LONG = "57014";
  private static final double RETRY_SECONDS = 1;
  private static final long MOST_WAIT_MILLIS = 60_000;
  private static final long LEAST_WAIT_MILLIS = 5;
  private static final long WAIT_FOR_OTHERS_MILLIS = 100;
  private static final long STOP_MILLIS = 2_000;

  private final OperationSteps steps;
  private final Notifications notifications;
  private final FreeSpace space;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition woken = lock.newCondition();
  private boolean isWoken; // guarded by lock
  private volatile boolean stopped;
  private final Thread thread = new Thread(this::runForever, "errand-operations");

  OperationRunner(OperationSteps steps, Notifications notifications, FreeSpace space) {
    this.steps = steps;
    this.notifications = notifications;
    this.space = space;
  }

  void start(@Observes StartupEvent event) {
    notifications.subscribe(Topic.OPERATIONS, this::wake);
    thread.setDaemon(true);
    thread.start();
  }

  /** A step that is being made is finished, if it does not take long; else it never was. */
  void stop(@Observes ShutdownEvent event) {
    stopped = true;
    wake();
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** There may be a step to make. */
  void wake() {
    lock.lock();
    try {
      isWoken = true;
      woken.signal();
    } finally {
      lock.unlock();
    }
  }

  private void runForever() {
    long waitMillis = MOST_WAIT_MILLIS;
    while (!stopped) {
      try {
        await(waitMillis);
        waitMillis = stopped ? MOST_WAIT_MILLIS : runDue();
      } catch (SQLException | RuntimeException | Error e) { // no memory, no thread: the next time
        LOG.debugf("No operation was carried on this time: %s", e.getMessage());
        waitMillis = TimeUnit.SECONDS.toMillis(1);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void await(long millis) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
      while (!isWoken && nanos > 0) {
        nanos = woken.awaitNanos(nanos);
      }
      isWoken = false;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes a step of each operation that is due.
   *
   * @return how long to wait for the next one, in milliseconds
   */
  private long runDue() throws SQLException {
    List<Due> all = steps.due(!space.isShort());
    if (all.isEmpty()) {
      return MOST_WAIT_MILLIS;
    }
    boolean some = false;
    for (Due due : all) {
      if (stopped || due.seconds() > 0) {
        break;
      }
      some |= run(due.id());
    }
    long millis = (long) (all.get(0).seconds() * 1e3);
    if (some) {
      return LEAST_WAIT_MILLIS;
    }
    return millis > 0 ? Math.max(LEAST_WAIT_MILLIS, millis) : WAIT_FOR_OTHERS_MILLIS;
  }

  /** Whether a step was made. */
  private boolean run(UUID id) throws SQLException {
    int jobs = OperationSteps.MOST_JOBS;
    while (true) {
      try {
        return tell(id, steps.step(id, jobs));
      } catch (IllegalArgumentException e) {
        LOG.debugf("Operation %s is left to other processes: %s", id, e.getMessage());
        return false;
      } catch (SQLException e) {
        String state = String.valueOf(e.getSQLState());
        if (jobs > 1 && (OperationSteps.isRefused(e) || state.equals(TOOK_TOO_LONG))) {
          jobs /= 2; // until the job that it is about is alone
        } else if (WRONG.contains(state.substring(0, 2))) {
          LOG.errorf(e, "Operation %s has failed", id);
          steps.fail(id, String.valueOf(e.getMessage()));
          return true;
        } else {
          LOG.debugf("A step of operation %s is tried again: %s", id, e.getMessage());
          steps.delay(id, RETRY_SECONDS);
          return false;
        }
      }
    }
  }

  private boolean tell(UUID id, Step step) {
    if (step.effect().ready()) {
      notifications.send(Topic.READY);
    }
    if (step.effect().asked()) {
      notifications.send(Topic.ATTENTION);
    }
    if (step.effect().finished()) {
      notifications.send(Topic.FINISHED);
    }
    if (step.ended()) {
      LOG.infof("Operation %s is %s", id, step.state());
    }
    return step.made();
  }
}
