package io.errand.worker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.errand.exec.OutputListener;
import io.errand.exec.RunningCommand;
import io.errand.store.Notifications;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.workers.WatchStore;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Carries out requests for running jobs: to cancel them, to send their live output, to list their
 * processes. The thread of the dispatcher reads the requests of all jobs of the worker at once;
 * where there is none, that is one small read.
 */
final class JobRequests {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  /** Pieces of live output are forgotten after twice this, and somebody may come later. */
  private static final long REPEAT_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** So that they fit into the buffer for all viewers, however much is kept of each. */
  private static final int MOST_REPEATS = 2;

  private final ClaimStore claims;
  private final WatchStore watches;
  private final LiveOutputSender sender;
  private final Map<UUID, Watched> watching = new HashMap<>();

  JobRequests(
      ClaimStore claims,
      WatchStore watches,
      Notifications notifications,
      ScheduledExecutorService timer) {
    this.claims = claims;
    this.watches = watches;
    this.sender = new LiveOutputSender(watches, notifications, timer);
  }

  /** Who hears the output of a claim, and when what is kept of it was sent last. */
  private static final class Watched {
    private final OutputListener listener;
    private long sentNanos = System.nanoTime();

    private Watched(OutputListener listener) {
      this.listener = listener;
    }
  }

  /**
   * Carries out what is requested now.
   *
   * @return whether something is requested of a claim that has no command yet
   */
  boolean handle(Slots slots, UUID holder) throws SQLException {
    boolean someTooEarly = false;
    Set<UUID> watched = new HashSet<>();
    for (ClaimStore.Request request : claims.requestsFor(holder)) {
      ClaimedJob job = slots.job(request.token());
      if (job == null) {
        continue;
      }
      if (request.cancel()) {
        slots.cancel(request.token());
      }
      RunningCommand command = slots.command(request.token());
      if (command == null) {
        someTooEarly |= request.output() || request.processes();
        continue;
      }
      if (request.output()) {
        watched.add(request.token());
        OutputListener listener = sender.begin(job);
        if (listener != null) {
          watching.put(request.token(), new Watched(listener));
          command.addListener(listener);
        }
      }
      if (request.processes()) {
        watches.answerProcesses(job.id(), json(command.processes()));
      }
    }
    for (UUID token : Set.copyOf(watching.keySet())) {
      if (!watched.contains(token)) {
        forget(slots, token);
      }
    }
    repeat(slots);
    return someTooEarly;
  }

  /** Sends what is kept of some commands once more, of those that have waited for longest. */
  private void repeat(Slots slots) {
    long now = System.nanoTime();
    watching.entrySet().stream()
        .filter(one -> now - one.getValue().sentNanos > REPEAT_NANOS)
        .sorted(Comparator.comparingLong(one -> one.getValue().sentNanos - now))
        .limit(MOST_REPEATS)
        .forEach(
            one -> {
              one.getValue().sentNanos = now;
              RunningCommand command = slots.command(one.getKey());
              if (command != null) {
                command.addListener(one.getValue().listener);
              }
            });
  }

  /** A claim has ended. */
  void forget(Slots slots, UUID token) {
    Watched watched = watching.remove(token);
    if (watched != null) {
      RunningCommand command = slots.command(token);
      if (command != null) {
        command.removeListener(watched.listener);
      }
      sender.end(token);
    }
  }

  private static String json(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A process cannot be written as JSON", e);
    }
  }
}
