package io.errand.meters;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The values of a label that names a queue: the first {@value #MOST} names, and {@value #OTHER} for
 * all others, so that clients who make up names make no more meters. Safe from any thread.
 */
public final class QueueLabels {
  /** How many queues have meters of their own. */
  public static final int MOST = 100;

  /** All other queues; no queue can have this name, as the underscore is none of their first. */
  public static final String OTHER = "_other";

  private final Set<String> known = ConcurrentHashMap.newKeySet();

  /**
   * The value for a queue.
   *
   * @param queue its stored name, with its project in front unless that is the default one
   */
  public String of(String queue) {
    if (known.contains(queue)) {
      return queue;
    }
    synchronized (known) {
      if (known.size() < MOST) {
        known.add(queue);
        return queue;
      }
    }
    return OTHER;
  }
}
