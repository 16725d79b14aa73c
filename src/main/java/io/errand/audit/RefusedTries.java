package io.errand.audit;

import io.errand.store.audit.AuditEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Requests that were refused, by address, status and caller. The first ones are given out at once,
 * the others of the same minute together: however many there are, a minute has at most {@value
 * #MOST} such groups and one for all others, and two rows for each.
 */
final class RefusedTries {
  static final int MOST = 100;
  static final long WINDOW_NANOS = TimeUnit.MINUTES.toNanos(1);
  static final String OTHERS = "requests of other clients";

  private static final Key ALL_OTHERS = new Key(null, null, null);

  /** Guarded by this. */
  private final Map<Key, Group> groups = new LinkedHashMap<>();

  private long began; // guarded by this
  private boolean hasNew; // guarded by this

  private record Key(
      @Nullable String address, @Nullable Integer status, @Nullable String principal) {}

  private static final class Group {
    private final AuditEntry first;
    private long tries;
    private long given;

    Group(AuditEntry first) {
      this.first = first;
    }
  }

  /** Counts one. */
  synchronized void add(AuditEntry entry, long nowNanos) {
    if (groups.isEmpty()) {
      began = nowNanos;
    }
    AuditEntry.Who who = entry.who();
    Key key = new Key(entry.address(), entry.status(), who == null ? null : who.principal());
    Group group = groups.get(key);
    if (group == null && groups.size() >= MOST) {
      group = groups.computeIfAbsent(ALL_OTHERS, others -> new Group(ofOthers(entry)));
    } else if (group == null) {
      group = new Group(entry);
      groups.put(key, group);
    }
    hasNew |= group.tries == 0;
    group.tries++;
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
    for (Group group : groups.values()) {
      if (group.tries > group.given && (isOver || group.given == 0)) {
        taken.add(group.first.times(group.tries - group.given));
        group.given = group.tries;
      }
    }
    hasNew = false;
    if (isOver) {
      groups.clear();
    }
    return taken;
  }
}
