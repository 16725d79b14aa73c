package io.errand.store.claim;

import io.errand.job.Call;
import io.errand.job.OnLost;
import io.errand.job.RetryPolicy;
import io.errand.job.Seal;
import io.errand.store.PolicyJson;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.Offer;
import io.errand.store.claim.ClaimStore.Place;
import io.errand.store.claim.ClaimStore.PlaceStart;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Collects the rows of a statement that claims. */
final class ClaimRows {
  private final TreeMap<Integer, ClaimedJob> byRank = new TreeMap<>();
  private boolean someLeft;
  private boolean someForLater;
  private boolean someSetAside;
  private boolean someUnread;
  private @Nullable Duration untilNext;
  private @Nullable String nextQueue;
  private List<PlaceStart> places = List.of();
  private List<Offer> offers = List.of();

  void add(ResultSet row) throws SQLException {
    someLeft = row.getBoolean("some_left");
    someForLater = row.getBoolean("some_for_later");
    someSetAside = row.getBoolean("some_set_aside");
    someUnread = row.getBoolean("some_unread");
    double seconds = row.getDouble("wait_seconds");
    untilNext = row.wasNull() ? null : seconds(seconds);
    nextQueue = row.getString("next_queue");
    if (row.getArray("place_queues") != null) {
      readPlaces(row);
    }
    if (row.getObject("id") != null) {
      byRank.put(row.getInt("rank"), read(row));
    }
  }

  Claims claims() {
    return new Claims(
        List.copyOf(byRank.values()),
        someLeft,
        someForLater,
        someSetAside,
        someUnread,
        untilNext,
        nextQueue,
        places,
        offers);
  }

  private void readPlaces(ResultSet row) throws SQLException {
    Object[] queues = array(row, "place_queues");
    Object[] priorities = array(row, "place_priorities");
    Object[] starts = array(row, "place_starts");
    places =
        IntStream.range(0, queues.length)
            .mapToObj(
                i ->
                    new PlaceStart(
                        new Place((String) queues[i], ((Number) priorities[i]).intValue()),
                        starts[i] instanceof Timestamp first ? first.toInstant() : null))
            .toList();
    Object[] ready = array(row, "ready_queues");
    Object[] weights = array(row, "ready_weights");
    offers =
        IntStream.range(0, ready.length)
            .mapToObj(i -> new Offer((String) ready[i], (Double) weights[i]))
            .toList();
  }

  private static Object[] array(ResultSet row, String column) throws SQLException {
    Array array = row.getArray(column);
    return array == null ? new Object[0] : (Object[]) array.getArray();
  }

  /** The claim in this row. */
  static ClaimedJob read(ResultSet row) throws SQLException {
    return new ClaimedJob(
        row.getObject("id", UUID.class),
        row.getObject("claim_token", UUID.class),
        Objects.requireNonNull(instant(row, "claimed_at")),
        instant(row, "started_at"),
        row.getInt("attempt"),
        row.getInt("charged_attempts"),
        row.getString("queue"),
        seconds(row.getDouble("waited_seconds")),
        Objects.requireNonNull(instant(row, "run_at")),
        List.of((String[]) row.getArray("command").getArray()),
        PolicyJson.readMap(row.getString("env")),
        row.getBytes("stdin"), // as it came: no copy
        seal(row),
        row.getString("working_directory"),
        seconds(row.getDouble("timeout_seconds")),
        seconds(row.getDouble("kill_grace_seconds")),
        row.getInt("stdout_limit_bytes"),
        row.getInt("stderr_limit_bytes"),
        policy(row),
        PolicyJson.readConfinement(
            row.getString("limits"), row.getString("run_as"), row.getString("sandbox")),
        row.getBoolean("limited"),
        row.getBoolean("has_circuit"),
        Call.ofStored(row.getString("request_id"), row.getString("trace_context")),
        row.getLong("memory_bytes"));
  }

  private static @Nullable Seal seal(ResultSet row) throws SQLException {
    String key = row.getString("sealed_key");
    return key == null ? null : new Seal(key, row.getObject("sealed_for", UUID.class));
  }

  private static RetryPolicy policy(ResultSet row) throws SQLException {
    Set<Integer> success = new TreeSet<>();
    for (Number code : (Number[]) row.getArray("success_exit_codes").getArray()) {
      success.add(code.intValue());
    }
    return new RetryPolicy(
        row.getInt("max_attempts"),
        PolicyJson.readBackoff(row.getString("backoff")),
        PolicyJson.readRules(row.getString("retry")),
        success,
        OnLost.valueOf(row.getString("on_lost").toUpperCase(Locale.ROOT)));
  }

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }

  private static Duration seconds(double seconds) {
    return Duration.ofNanos(Math.round(seconds * 1e9));
  }
}
