package io.errand.audit;

import io.errand.store.audit.AuditEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Requests that were refused, by address, status, caller and action. The first ones are given out
 * at once, the others of the same minute together. However many there are, a minute has at most
 * {@value #MOST} clients and one for all others; of each of these at most {@value #MOST_ACTIONS}
 * actions, or {@value #MOST_OF_NOBODY} where nobody is known, and one for its other actions; and
 * two rows for each.
 */
final class RefusedTries {
  static final int MOST = 100;
  static final int MOST_ACTIONS = 200; // more than there are
  static final int MOST_OF_NOBODY = 20;
  static final long WINDOW_NANOS = TimeUnit.MINUTES.toNanos(1);
  static final String OTHERS = "requests of other clients";
  static final String OTHER_ACTIONS = "other requests";

  /** Behind the first thing of a row whose tries were for several. */
  static final String AND_OTHERS = " and others";

  private static final Client ALL_OTHERS = new Client(null, null, null);

  /** By client, then by action. Guarded by this. */
  private final Map<Client, Map<String, Group>> groups = new LinkedHashMap<>();

  private long began; // guarded by this
  private boolean hasNew; // guarded by this

  private record Client(
      @Nullable String address, @Nullable Integer status, @Nullable String principal) {}

  /** Tries of one action. */
  private static final class Group {
    private AuditEntry first; // of those that are not given out
    private boolean areSeveral; // things that they were for
    private long tries; // that are not given out
    private boolean isGiven;

    Group(AuditEntry first) {
      this.first = first;
    }

    void add(AuditEntry entry) {
      if (tries == 0) {
        first = entry;
        areSeveral = false;
      }
      areSeveral |= !Objects.equals(first.thing(), entry.thing());
      tries++;
    }

    AuditEntry give() {
      String thing = first.thing();
      AuditEntry given = areSeveral ? first.of((thing == null ? "" : thing) + AND_OTHERS) : first;
      given = given.times(tries);
      tries = 0;
      isGiven = true;
      return given;
    }
  }

  /** Counts one. */
  synchronized void add(AuditEntry entry, long nowNanos) {
    if (groups.isEmpty()) {
      began = nowNanos;
    }
    AuditEntry.Who who = entry.who();
    Client client =
        new Client(entry.address(), entry.status(), who == null ? null : who.principal());
    AuditEntry counted = entry;
    if (!groups.containsKey(client) && groups.size() >= MOST) {
      client = ALL_OTHERS;
      counted = ofOthers(entry);
    }
    Map<String, Group> ofClient = groups.computeIfAbsent(client, key -> new LinkedHashMap<>());
    int most = who == null ? MOST_OF_NOBODY : MOST_ACTIONS;
    if (ofClient.size() >= most && !ofClient.containsKey(counted.action())) {
      counted = counted.as(OTHER_ACTIONS);
    }
    AuditEntry begins = counted;
    Group group = ofClient.computeIfAbsent(counted.action(), key -> new Group(begins));
    hasNew |= !group.isGiven;
    group.add(counted);
  }

  private static AuditEntry ofOthers(AuditEntry entry) {
    return new AuditEntry(entry.kind(), null, OTHERS, null, null, null, null, null, null, 1);
  }

  /**
   * What is to be written now.
   *
   * @param isEnd whether there is no later
   */
  synchronized List<AuditEntry> take(long nowNanos, boolean isEnd) {
    boolean isOver = isEnd || nowNanos - began >= WINDOW_NANOS;
    if (groups.isEmpty() || !(isOver || hasNew)) {
      return List.of();
    }
    List<AuditEntry> taken = new ArrayList<>();
    for (Map<String, Group> ofClient : groups.values()) {
      for (Group group : ofClient.values()) {
        if (group.tries > 0 && (isOver || !group.isGiven)) {
          taken.add(group.give());
        }
      }
    }
    hasNew = false;
    if (isOver) {
      groups.clear();
    }
    return taken;
  }
}
