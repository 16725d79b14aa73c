package io.errand.store.submit;

import io.errand.job.OnDependencyFailure;
import java.util.List;
import java.util.UUID;

/**
 * The jobs that a new job waits for.
 *
 * @param after their ids, in the order of the request; one may be named twice
 * @param onFailure what follows when one of them fails or is cancelled
 */
public record Dependencies(List<UUID> after, OnDependencyFailure onFailure) {
  /** Of a job that waits for none. */
  public static final Dependencies NONE = new Dependencies(List.of(), OnDependencyFailure.CANCEL);

  /** What one takes in the heap while it is read and stored. */
  private static final int BYTES = 512;

  /** Takes a copy. */
  public Dependencies {
    after = List.copyOf(after);
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return after.isEmpty();
  }

  /** How many bytes it takes in the heap, at most. */
  public long heapBytes() {
    return (long) BYTES * after.size();
  }
}
