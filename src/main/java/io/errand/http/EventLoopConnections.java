package io.errand.http;

import io.errand.api.problem.Problem;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The connections of one event loop, which alone may call this, and what they share. */
final class EventLoopConnections {
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
    while (together > listener.limits().heldBytes()) {
      ConnectionHandler most = largest();
      if (most == null) {
        return;
      }
      long bytes = most.heldBytes();
      most.giveWay();
      counted -= bytes;
      together = connections().heldBytes().addAndGet(-bytes);
    }
  }

  private @Nullable ConnectionHandler largest() {
    ConnectionHandler largest = null;
    long most = 0;
    for (ConnectionHandler connection : all) {
      long bytes = connection.heldBytes();
      if (bytes > most) {
        largest = connection;
        most = bytes;
      }
    }
    return largest;
  }
}
