package io.errand.worker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.errand.exec.OutputTap;
import io.errand.store.Bell;
import io.errand.store.ClaimStore;
import io.errand.store.ClaimedJob;
import io.errand.store.WatchStore;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;

/**
 * Does what people want of running jobs: ends them, shows what they print, shows their processes.
 * Asked by the dispatcher's thread, once for all jobs; where nobody wants anything that is one
 * small read.
 */
final class Attention {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  private final ClaimStore claims;
  private final WatchStore watches;
  private final LiveFeed feed;
  private final Map<UUID, OutputTap> taps = new HashMap<>();

  Attention(ClaimStore claims, WatchStore watches, Bell bell, ScheduledExecutorService timer) {
    this.claims = claims;
    this.watches = watches;
    this.feed = new LiveFeed(watches, bell, timer);
  }

  void pay(Slots slots, UUID holder) throws SQLException {
    Set<UUID> watched = new HashSet<>();
    for (ClaimStore.Wish wish : claims.wishesFor(holder)) {
      ClaimedJob job = slots.job(wish.token());
      if (job == null) {
        continue;
      }
      if (wish.cancel()) {
        slots.cancel(wish.token());
      }
      if (wish.output()) {
        watched.add(wish.token());
        OutputTap tap = feed.begin(job);
        if (tap != null) {
          taps.put(wish.token(), tap);
          slots.tap(wish.token(), tap);
        }
      }
      if (wish.processes()) {
        watches.answerProcesses(job.id(), json(slots.processes(wish.token())));
      }
    }
    for (UUID token : Set.copyOf(taps.keySet())) {
      if (!watched.contains(token)) {
        forget(slots, token);
      }
    }
  }

  /** A claim has ended. */
  void forget(Slots slots, UUID token) {
    OutputTap tap = taps.remove(token);
    if (tap != null) {
      slots.untap(token, tap);
      feed.end(token);
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
