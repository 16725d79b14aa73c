package io.errand.queue.schedules;

import io.errand.disk.FreeSpace;
import io.errand.queue.JobIds;
import io.errand.queue.SealInputs;
import io.errand.store.DatabaseCheck;
import io.errand.store.Notifications;
import io.errand.store.control.Housekeeping;
import io.errand.store.schedules.DueSchedule;
import io.errand.traces.Traces;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Handles the ticks that are due, in every process that has a database. The processes share the
 * schedules by the locks of their rows. While no tick is near, nothing is asked beyond the look for
 * all that time demands ({@link Housekeeping#due}).
 */
@ApplicationScoped
public class TickRounds {
  private static final Logger LOG = Logger.getLogger(TickRounds.class);
  private static final int MOST_SCHEDULES = 500; // a round; the rest is for the next one
  private static final double NEAR_SECONDS = 1.6; // a little more than from one look to the next
  private static final double LEAST_SECONDS = 0.8; // from one round to the next
  private static final double MARGIN_SECONDS = 0.01; // so that the tick is due when it is looked at

  private final DataSource dataSource;
  private final JobBodies bodies;
  private final SealInputs seals;
  private final Traces traces;
  private final Notifications notifications;
  private final FreeSpace space;
  private final Housekeeping housekeeping;
  private final JobIds ids = new JobIds(System::currentTimeMillis);
  private final Set<UUID> known = ConcurrentHashMap.newKeySet(); // of which the log has told
  private final AtomicBoolean armed = new AtomicBoolean();
  private final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(
          1,
          task -> {
            Thread thread = new Thread(task, "errand-schedules");
            thread.setDaemon(true);
            return thread;
          });

  TickRounds(
      @io.quarkus.agroal.DataSource("queue") DataSource dataSource,
      JobBodies bodies,
      SealInputs seals,
      Traces traces,
      Notifications notifications,
      FreeSpace space,
      Housekeeping housekeeping) {
    this.housekeeping = housekeeping;
    this.dataSource = dataSource;
    this.bodies = bodies;
    this.seals = seals;
    this.traces = traces;
    this.notifications = notifications;
    this.space = space;
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  void stop(@Observes ShutdownEvent event) {
    timer.shutdown();
  }

  /** Begins a round when the next tick is due, if that is before the next look. */
  void look(@Observes Housekeeping.Due due) {
    if (due.tickSeconds() != null && due.tickSeconds() < NEAR_SECONDS) {
      arm(due.tickSeconds());
    }
  }

  private void arm(double seconds) {
    if (armed.compareAndSet(false, true)) {
      try {
        long micros = (long) (1e6 * (Math.max(0, seconds) + MARGIN_SECONDS));
        timer.schedule(this::run, micros, TimeUnit.MICROSECONDS);
      } catch (RejectedExecutionException e) {
        armed.set(false); // the server is stopping
      }
    }
  }

  private void run() {
    armed.set(false);
    long startNanos = System.nanoTime();
    try {
      if (space.isShort()) {
        return; // as a submit would be refused
      }
      int handled = round(dataSource, bodies, ids, seals, traces, known, notifications);
      if (handled == MOST_SCHEDULES) {
        arm(0);
        return;
      }
      Double next = housekeeping.secondsToTick();
      if (next != null && next < NEAR_SECONDS && (handled > 0 || next > 0)) {
        // One that is due and was not handled, here or elsewhere, waits for the next look.
        double since = (System.nanoTime() - startNanos) / 1e9;
        arm(handled == 0 ? next : Math.max(next, LEAST_SECONDS - since));
      }
    } catch (SQLException | RuntimeException e) {
      LOG.debugf("Ticks of schedules wait for the next look: %s", e.getMessage());
    }
  }

  /**
   * Handles schedules with ticks that are due, until there is none, or as many as one round may.
   * Projects take turns, one schedule at a time: the many schedules of one delay their own ticks,
   * and those of others by one schedule at most for each project that has ticks.
   *
   * @param known schedules whose ticks could not be handled before; each is logged once
   * @return how many
   * @throws SQLException if the database is away
   */
  static int round(
      DataSource dataSource,
      JobBodies bodies,
      JobIds ids,
      SealInputs seals,
      Traces traces,
      Set<UUID> known,
      @Nullable Notifications notifications)
      throws SQLException {
    Set<UUID> failed = new HashSet<>();
    Set<String> hadTheirTurn = new HashSet<>();
    int handled = 0;
    while (handled + failed.size() < MOST_SCHEDULES) {
      try (DueSchedule due = DueSchedule.lock(dataSource, failed, hadTheirTurn)) {
        if (due == null) {
          if (hadTheirTurn.isEmpty()) {
            return handled;
          }
          hadTheirTurn.clear();
          continue;
        }
        hadTheirTurn.add(due.row().project());
        UUID id = due.row().id();
        try {
          Set<Notifications.Topic> topics =
              new HandleTicks(bodies, ids, seals, traces, due).handle();
          if (notifications != null) {
            topics.forEach(notifications::send);
          }
          handled++;
          known.remove(id);
        } catch (SQLException | RuntimeException e) {
          // Its ticks stay due. The others must not wait for it.
          failed.add(id);
          boolean isNew = known.size() < MOST_SCHEDULES && known.add(id);
          String why =
              e instanceof SQLException fault ? DatabaseCheck.description(fault) : e.toString();
          LOG.logf(
              isNew ? Logger.Level.WARN : Logger.Level.DEBUG,
              "The ticks of schedule %s could not be handled: %s",
              id,
              why);
        }
      }
    }
    return handled;
  }
}
