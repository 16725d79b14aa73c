package io.errand.job;

import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * The next state of a running job after an attempt. It is decided here alone.
 *
 * @param transition the transition to take, always one that leaves {@link JobState#RUNNING}
 * @param delay how long until it may run again, zero where it may not
 * @param uncharged whether the try that was charged at claim is given back
 */
public record Decision(JobState.Transition transition, Duration delay, boolean uncharged) {

  /**
   * The pause before a job that was given back may be claimed again, by any worker. One whose
   * command was never started is given back without a pause.
   */
  public static final Duration GIVE_BACK_DELAY = Duration.ofSeconds(1);

  /** Refuses transitions that do not leave RUNNING. */
  public Decision {
    if (!transition.leaves(JobState.RUNNING)) {
      throw new IllegalArgumentException(transition + " does not leave RUNNING");
    }
  }

  /**
   * Decides what follows an attempt.
   *
   * @param policy the job's own rules
   * @param charged how many tries have been charged, this one included
   * @param result how the attempt ended
   * @param random uniform in [0, 1), for the jitter
   */
  public static Decision of(
      RetryPolicy policy, int charged, AttemptResult result, DoubleSupplier random) {
    return switch (result.outcome()) {
      case SUCCESS -> end(JobState.Transition.SUCCEED);
      case CANCELLED -> end(JobState.Transition.CONFIRM_CANCEL);
      case WORKER_UNAVAILABLE -> giveBack(GIVE_BACK_DELAY);
      case RELEASED ->
          result.started()
              ? afterLoss(policy, charged, random, true)
              : giveBack(Duration.ZERO); // only its worker had no time for it
      case LOST -> afterLoss(policy, charged, random, false);
      case EXIT_CODE, SIGNAL, TIMEOUT, OUT_OF_MEMORY, OUT_OF_DISK, SPAWN_FAILED ->
          wantsRetry(policy, result) ? retryOrFail(policy, charged, random) : fail();
    };
  }

  /**
   * What is to be done instead where a cancel was requested: a success that came first stands,
   * anything else ends cancelled and is never tried again.
   */
  public Decision ifCancelRequested() {
    return transition == JobState.Transition.SUCCEED
        ? this
        : end(JobState.Transition.CONFIRM_CANCEL);
  }

  private static Decision afterLoss(
      RetryPolicy policy, int charged, DoubleSupplier random, boolean uncharged) {
    return switch (policy.onLost()) {
      case RETRY -> uncharged ? giveBack(GIVE_BACK_DELAY) : retryOrFail(policy, charged, random);
      case FAIL -> new Decision(JobState.Transition.FAIL, Duration.ZERO, uncharged);
      case HOLD -> new Decision(JobState.Transition.HOLD, Duration.ZERO, uncharged);
    };
  }

  private static boolean wantsRetry(RetryPolicy policy, AttemptResult result) {
    for (RetryRule rule : policy.rules()) {
      if (rule.matches(result)) {
        return rule.retry();
      }
    }
    return switch (result.outcome()) {
      case EXIT_CODE -> !failsAtOnce(result);
      case SIGNAL, TIMEOUT -> true;
      case OUT_OF_MEMORY, OUT_OF_DISK, SPAWN_FAILED -> false;
      case SUCCESS, WORKER_UNAVAILABLE, LOST, RELEASED, CANCELLED ->
          throw new IllegalArgumentException("No retry rule decides " + result.outcome());
    };
  }

  /**
   * Exit codes that say that another try cannot help: those of {@code sysexits.h} but EX_TEMPFAIL
   * (75), and the shell's "cannot execute" (126) and "not found" (127).
   */
  private static boolean failsAtOnce(AttemptResult result) {
    Integer code = result.exitCode();
    return code != null && ((code >= 64 && code <= 78 && code != 75) || code == 126 || code == 127);
  }

  private static Decision retryOrFail(RetryPolicy policy, int charged, DoubleSupplier random) {
    return charged >= policy.maxAttempts()
        ? fail()
        : new Decision(
            JobState.Transition.RETRY, policy.backoff().delayAfter(charged, random), false);
  }

  private static Decision fail() {
    return end(JobState.Transition.FAIL);
  }

  private static Decision giveBack(Duration delay) {
    return new Decision(JobState.Transition.GIVE_BACK, delay, true);
  }

  private static Decision end(JobState.Transition transition) {
    return new Decision(transition, Duration.ZERO, false);
  }
}
