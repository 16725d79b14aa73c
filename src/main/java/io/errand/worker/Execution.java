package io.errand.worker;

import io.errand.exec.RunningCommand;
import io.errand.store.ClaimedJob;
import org.jspecify.annotations.Nullable;

/**
 * A claim that occupies a slot: from the claim until its end is written and nothing of its tree is
 * left.
 */
final class Execution {
  private final ClaimedJob job;
  private volatile @Nullable RunningCommand command;
  private boolean recorded;
  private boolean gone;

  Execution(ClaimedJob job) {
    this.job = job;
  }

  ClaimedJob job() {
    return job;
  }

  void launched(RunningCommand running) {
    command = running;
  }

  @Nullable RunningCommand command() {
    return command;
  }

  /**
   * Its end has been written, or is nobody's business any more.
   *
   * @return whether the slot is free now
   */
  synchronized boolean recorded() {
    recorded = true;
    return gone;
  }

  /**
   * Nothing of its tree is left.
   *
   * @return whether the slot is free now
   */
  synchronized boolean gone() {
    gone = true;
    return recorded;
  }
}
