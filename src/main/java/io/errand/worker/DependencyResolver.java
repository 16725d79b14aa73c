package io.errand.worker;

import io.errand.store.Notifications;
import io.errand.store.Notifications.Topic;
import io.errand.store.dependencies.DependencyStore;
import io.errand.store.dependencies.DependencyStore.Marked;
import io.errand.store.dependencies.DependencyStore.Position;
import io.errand.store.dependencies.DependencyStore.Step;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Tells jobs that others have finished which they wait for, in every process with a database, while
 * there are such jobs. It looks at each notification that jobs have finished, and whenever the
 * {@link Rescuer} has looked what is due.
 */
@ApplicationScoped
public class DependencyResolver {
  private static final Logger LOG = Logger.getLogger(DependencyResolver.class);

  /** Between two looks, so that jobs that finish together are told of together. */
  private static final long PAUSE_MILLIS = 10;

  /** Until jobs are told again that others had locked. */
  private static final long AGAIN_MILLIS = 50;

  private final DependencyStore store;
  private final Notifications notifications;
  private final Semaphore wakeUps = new Semaphore(0);
  private final Thread thread = new Thread(this::run, "errand-dependencies");
  private volatile boolean stopped;

  DependencyResolver(DependencyStore store, Notifications notifications) {
    this.store = store;
    this.notifications = notifications;
  }

  void start(@Observes StartupEvent event) {
    notifications.subscribe(Topic.FINISHED, this::jobsFinished);
    thread.setDaemon(true);
    thread.start();
  }

  void stop(@Observes ShutdownEvent event) {
    stopped = true;
    thread.interrupt();
  }

  /** Whether there are jobs that wait for others: it has just been looked up. */
  void expect(boolean some) {
    store.expect(some);
    jobsFinished();
  }

  private void jobsFinished() {
    if (store.isExpecting()) {
      wakeUps.release();
    }
  }

  private void run() {
    boolean someLeft = false;
    while (!stopped) {
      try {
        if (someLeft) {
          wakeUps.tryAcquire(AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        } else {
          wakeUps.acquire();
        }
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        wakeUps.drainPermits();
        someLeft = resolve();
      } catch (InterruptedException e) {
        return;
      } catch (SQLException | RuntimeException | Error e) {
        someLeft = false;
        LOG.debugf("Jobs that wait for others go on waiting: %s", e.getMessage());
      }
    }
  }

  /** Whether some are left that others had locked. */
  private boolean resolve() throws SQLException {
    boolean someLeft = false;
    Marked marked = store.mark();
    while (marked.found() > 0 && !stopped) {
      someLeft |= marked.done() < marked.found();
      notifyOf(marked.ready(), marked.cancelled());
      if (marked.done() == 0) {
        break;
      }
      marked = store.mark();
    }
    Position position = Position.START;
    while (position != null && !stopped) {
      Step step = store.tell(position);
      someLeft |= step.someLeft();
      notifyOf(step.ready(), step.cancelled());
      position = step.next();
    }
    return someLeft;
  }

  /** Jobs that were cancelled may be waited for themselves, so this wakes its own thread too. */
  private void notifyOf(int ready, int cancelled) {
    if (ready > 0) {
      notifications.send(Topic.READY);
    }
    if (cancelled > 0) {
      notifications.send(Topic.FINISHED);
      wakeUps.release();
    }
  }
}
