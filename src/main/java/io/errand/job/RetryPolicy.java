package io.errand.job;

import java.util.List;
import java.util.Set;

/**
 * What a job says about its own retries.
 *
 * @param maxAttempts how many tries may be charged, 1 to 10,000
 * @param backoff the delay between them
 * @param rules read in order, the first match decides
 * @param successExitCodes the exit codes that count as success, at least one
 * @param onLost what follows the loss of a worker
 */
public record RetryPolicy(
    int maxAttempts,
    Backoff backoff,
    List<RetryRule> rules,
    Set<Integer> successExitCodes,
    OnLost onLost) {

  /** Refuses values that are not in the bounds of the parameters. */
  public RetryPolicy {
    if (maxAttempts < 1 || maxAttempts > 10_000) {
      throw new IllegalArgumentException("max_attempts must be between 1 and 10000");
    }
    if (successExitCodes.isEmpty()) {
      throw new IllegalArgumentException("success_exit_codes needs at least one code");
    }
    rules = List.copyOf(rules);
    successExitCodes = Set.copyOf(successExitCodes);
  }

  /** The same, with something else that follows the loss of a worker. */
  public RetryPolicy withOnLost(OnLost other) {
    return new RetryPolicy(maxAttempts, backoff, rules, successExitCodes, other);
  }

  /** How an exit by itself counts for this job. */
  public Outcome outcomeOfExit(int exitCode) {
    return successExitCodes.contains(exitCode) ? Outcome.SUCCESS : Outcome.EXIT_CODE;
  }
}
