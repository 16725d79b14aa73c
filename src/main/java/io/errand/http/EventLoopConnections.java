package io.errand.http;

import io.errand.api.problem.Problem;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The connections of one event loop, which alone may call this, and what they share. */
final class EventLoopConnections {
  /** So that the others of the event loop do not wait for long. */
  private static final int MOST_ENDED = 1_000;

  private final Listener listener;
  private final Set<ConnectionHandler> all = Collections.newSetFromMap(new IdentityHashMap<>());
  private final RequestHead head = new RequestHead();
  private long counted;

  EventLoopConnections(Listener listener) {
    this.listener = listener;
  }

  Connections connections() {
    return listener.connections();
  }

  RequestHead head() {
    return head;
  }

  HeadMemory headMemory() {
    return listener.headMemory();
  }

  Refusals refusals() {
    return listener.refusals();
  }

  boolean isStopping() {
    return listener.isStopping();
  }

  long headNanos() {
    return TimeUnit.SECONDS.toNanos(listener.limits().headSeconds());
  }

  long idleNanos() {
    return TimeUnit.SECONDS.toNanos(listener.limits().idleSeconds());
  }

  long stallNanos() {
    return TimeUnit.SECONDS.toNanos(listener.limits().stallSeconds());
  }

  long bodyNanos() {
    return TimeUnit.SECONDS.toNanos(listener.requestSeconds());
  }

  void add(ConnectionHandler connection) {
    all.add(connection);
  }

  void remove(ConnectionHandler connection) {
    all.remove(connection);
  }

  void count(Problem problem, long nanos) {
    listener.count(problem, nanos);
  }

  void countEviction() {
    listener.countEviction();
  }

  void countRefusal() {
    listener.countRefusal();
  }

  /** Ends what has taken too long, and what holds too much while all hold too much together. */
  void sweep() {
    long now = System.nanoTime();
    long held = 0;
    for (ConnectionHandler connection : List.copyOf(all)) {
      connection.sweep(now);
      held += connection.heldBytes();
    }
    long together = connections().heldBytes().addAndGet(held - counted);
    counted = held;
    if (together > listener.limits().heldBytes()) {
      endLargest(together);
    }
  }

  private void endLargest(long all) {
    long most = listener.limits().heldBytes();
    // Where all hold no more than this, they hold no more than the bound together. So those that
    // hold less are not ended for what is held at another event loop.
    long fairShare = most / Math.max(1, connections().open());
    long together = all;
    for (Holder holder : largest()) {
      if (together <= most || holder.bytes() <= fairShare) {
        return;
      }
      holder.connection().giveWay();
      counted -= holder.bytes();
      together = connections().heldBytes().addAndGet(-holder.bytes());
    }
  }

  private record Holder(ConnectionHandler connection, long bytes) {}

  /** The largest first, so many as are ended in one sweep. */
  private List<Holder> largest() {
    return all.stream()
        .map(connection -> new Holder(connection, connection.heldBytes()))
        .filter(holder -> holder.bytes() > 0)
        .sorted(Comparator.comparingLong(Holder::bytes).reversed())
        .limit(MOST_ENDED)
        .toList();
  }
}
