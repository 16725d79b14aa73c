package io.errand.queue;

import io.errand.job.OnDependencyFailure;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The jobs that a job which is being submitted is to wait for.
 *
 * @param after these, in the order of the request
 * @param onFailure what follows when one of them fails or is cancelled
 */
public record RequestedDependencies(List<One> after, OnDependencyFailure onFailure) {
  /** Of a job that waits for none. */
  public static final RequestedDependencies NONE =
      new RequestedDependencies(List.of(), OnDependencyFailure.CANCEL);

  /** Takes a copy. */
  public RequestedDependencies {
    after = List.copyOf(after);
  }

  /**
   * One of them.
   *
   * @param id of a job, or null
   * @param place if the id is null: which job of the same batch it is, from 0
   */
  public record One(@Nullable UUID id, int place) {}
}
