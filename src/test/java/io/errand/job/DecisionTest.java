package io.errand.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.JobState.Arrow;
import io.errand.job.RetryRule.CodeRange;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DecisionTest {
  private static final Backoff PLAIN = new Backoff(1, 2, 3600, Backoff.Jitter.NONE);

  private static RetryPolicy policy(int maxAttempts, OnLost onLost, RetryRule... rules) {
    return new RetryPolicy(maxAttempts, PLAIN, List.of(rules), Set.of(0), onLost);
  }

  private static AttemptResult ended(Outcome outcome, @Nullable Integer exitCode) {
    return new AttemptResult(outcome, exitCode, null, true, null);
  }

  private static Decision decide(RetryPolicy policy, int charged, AttemptResult result) {
    return Decision.of(policy, charged, result, () -> 0.5);
  }

  @Test
  void eachOutcomeHasItsDefaultWhileTriesAreLeft() {
    Map<Outcome, Arrow> expected = new EnumMap<>(Outcome.class);
    expected.put(Outcome.SUCCESS, Arrow.SUCCEED);
    expected.put(Outcome.EXIT_CODE, Arrow.RETRY);
    expected.put(Outcome.SIGNAL, Arrow.RETRY);
    expected.put(Outcome.TIMEOUT, Arrow.RETRY);
    expected.put(Outcome.OUT_OF_MEMORY, Arrow.FAIL);
    expected.put(Outcome.OUT_OF_DISK, Arrow.FAIL);
    expected.put(Outcome.SPAWN_FAILED, Arrow.FAIL);
    expected.put(Outcome.WORKER_UNAVAILABLE, Arrow.GIVE_BACK);
    expected.put(Outcome.LOST, Arrow.RETRY);
    expected.put(Outcome.RELEASED, Arrow.GIVE_BACK);
    expected.put(Outcome.CANCELLED, Arrow.CONFIRM_CANCEL);
    for (Outcome outcome : Outcome.values()) {
      Integer code = outcome == Outcome.EXIT_CODE ? Integer.valueOf(1) : null;
      assertThat(decide(policy(3, OnLost.RETRY), 1, ended(outcome, code)).arrow())
          .as(outcome.wireName())
          .isEqualTo(expected.get(outcome));
    }
  }

  @Test
  void whatWouldBeRetriedFailsWhenNoTryIsLeft() {
    for (Outcome outcome : List.of(Outcome.SIGNAL, Outcome.TIMEOUT, Outcome.LOST)) {
      assertThat(decide(policy(3, OnLost.RETRY), 3, ended(outcome, null)).arrow())
          .isEqualTo(Arrow.FAIL);
    }
    assertThat(decide(policy(1, OnLost.RETRY), 1, ended(Outcome.EXIT_CODE, 1)).arrow())
        .isEqualTo(Arrow.FAIL);
  }

  @Test
  void whatIsGivenBackCostsNoTryEvenWhenNoneIsLeft() {
    for (Outcome outcome : List.of(Outcome.WORKER_UNAVAILABLE, Outcome.RELEASED)) {
      Decision decision = decide(policy(1, OnLost.RETRY), 1, ended(outcome, null));
      assertThat(decision.arrow()).isEqualTo(Arrow.GIVE_BACK);
      assertThat(decision.uncharged()).isTrue();
      assertThat(decision.delay()).isEqualTo(Decision.GIVE_BACK_DELAY);
    }
  }

  @Test
  void exitCodesThatSayUsageOrNotFoundFailAtOnceAndTemporaryFailureIsRetried() {
    Set<Integer> atOnce = Set.of(64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 76, 77, 78, 126, 127);
    IntStream.rangeClosed(1, 255)
        .forEach(
            code ->
                assertThat(
                        decide(policy(3, OnLost.RETRY), 1, ended(Outcome.EXIT_CODE, code)).arrow())
                    .as("exit code %d", code)
                    .isEqualTo(atOnce.contains(code) ? Arrow.FAIL : Arrow.RETRY));
  }

  @Test
  void theFirstRuleThatMatchesDecidesAndOthersFallToTheTable() {
    RetryRule noSecond = new RetryRule(Outcome.EXIT_CODE, List.of(new CodeRange(2, 2)), false);
    RetryRule usage = new RetryRule(Outcome.EXIT_CODE, List.of(new CodeRange(64, 78)), true);
    RetryRule noTimeout = new RetryRule(Outcome.TIMEOUT, List.of(), false);
    RetryRule ignored = new RetryRule(Outcome.TIMEOUT, List.of(), true);
    RetryPolicy policy = policy(9, OnLost.RETRY, noSecond, usage, noTimeout, ignored);
    assertThat(decide(policy, 1, ended(Outcome.EXIT_CODE, 2)).arrow()).isEqualTo(Arrow.FAIL);
    assertThat(decide(policy, 1, ended(Outcome.EXIT_CODE, 70)).arrow()).isEqualTo(Arrow.RETRY);
    assertThat(decide(policy, 1, ended(Outcome.EXIT_CODE, 127)).arrow()).isEqualTo(Arrow.FAIL);
    assertThat(decide(policy, 1, ended(Outcome.EXIT_CODE, 1)).arrow()).isEqualTo(Arrow.RETRY);
    assertThat(decide(policy, 1, ended(Outcome.TIMEOUT, null)).arrow()).isEqualTo(Arrow.FAIL);
  }

  @Test
  void aRuleCannotGiveMoreTriesThanThereAre() {
    RetryRule always = new RetryRule(Outcome.SPAWN_FAILED, List.of(), true);
    assertThat(
            decide(policy(2, OnLost.RETRY, always), 2, ended(Outcome.SPAWN_FAILED, null)).arrow())
        .isEqualTo(Arrow.FAIL);
  }

  @Test
  void aLossObeysOnLostAndOnlyARealLossIsCharged() {
    assertThat(decide(policy(3, OnLost.FAIL), 1, AttemptResult.lost()).arrow())
        .isEqualTo(Arrow.FAIL);
    assertThat(decide(policy(3, OnLost.HOLD), 1, AttemptResult.lost()).arrow())
        .isEqualTo(Arrow.HOLD);
    Decision drained = decide(policy(3, OnLost.HOLD), 1, ended(Outcome.RELEASED, null));
    assertThat(drained.arrow()).isEqualTo(Arrow.HOLD);
    assertThat(drained.uncharged()).isTrue();
    AttemptResult neverStarted = new AttemptResult(Outcome.RELEASED, null, null, false, null);
    assertThat(decide(policy(3, OnLost.FAIL), 1, neverStarted).arrow()).isEqualTo(Arrow.GIVE_BACK);
  }

  @Test
  void aPendingCancelTurnsEveryEndButSuccessIntoCancelled() {
    for (Outcome outcome : Outcome.values()) {
      Integer code = outcome == Outcome.EXIT_CODE ? Integer.valueOf(1) : null;
      Decision decision = decide(policy(3, OnLost.HOLD), 1, ended(outcome, code));
      assertThat(decision.ifCancelRequested().arrow())
          .as(outcome.wireName())
          .isEqualTo(outcome == Outcome.SUCCESS ? Arrow.SUCCEED : Arrow.CONFIRM_CANCEL);
    }
  }

  @Test
  void aDecisionOnlyTakesArrowsThatLeaveRunning() {
    assertThatThrownBy(() -> new Decision(Arrow.RELEASE, Duration.ZERO, false))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anExitCodeInTheSuccessListIsSuccess() {
    RetryPolicy policy = new RetryPolicy(3, PLAIN, List.of(), Set.of(0, 3), OnLost.RETRY);
    assertThat(policy.outcomeOfExit(3)).isEqualTo(Outcome.SUCCESS);
    assertThat(policy.outcomeOfExit(2)).isEqualTo(Outcome.EXIT_CODE);
  }
}
