package io.errand.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.JobState.Transition;
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
    Map<Outcome, Transition> expected = new EnumMap<>(Outcome.class);
    expected.put(Outcome.SUCCESS, Transition.SUCCEED);
    expected.put(Outcome.EXIT_CODE, Transition.RETRY);
    expected.put(Outcome.SIGNAL, Transition.RETRY);
    expected.put(Outcome.TIMEOUT, Transition.RETRY);
    expected.put(Outcome.OUT_OF_MEMORY, Transition.FAIL);
    expected.put(Outcome.OUT_OF_DISK, Transition.FAIL);
    expected.put(Outcome.SPAWN_FAILED, Transition.FAIL);
    expected.put(Outcome.WORKER_UNAVAILABLE, Transition.GIVE_BACK);
    expected.put(Outcome.LOST, Transition.RETRY);
    expected.put(Outcome.RELEASED, Transition.GIVE_BACK);
    expected.put(Outcome.CANCELLED, Transition.CONFIRM_CANCEL);
    for (Outcome outcome : Outcome.values()) {
      Integer code = outcome == Outcome.EXIT_CODE ? Integer.valueOf(1) : null;
      assertThat(decide(policy(3, OnLost.RETRY), 1, ended(outcome, code)).transition())
          .as(outcome.wireName())
          .isEqualTo(expected.get(outcome));
    }
  }

  @Test
  void whatWouldBeRetriedFailsWhenNoTryIsLeft() {
    for (Outcome outcome : List.of(Outcome.SIGNAL, Outcome.TIMEOUT, Outcome.LOST)) {
      assertThat(decide(policy(3, OnLost.RETRY), 3, ended(outcome, null)).transition())
          .isEqualTo(Transition.FAIL);
    }
    assertThat(decide(policy(1, OnLost.RETRY), 1, ended(Outcome.EXIT_CODE, 1)).transition())
        .isEqualTo(Transition.FAIL);
  }

  @Test
  void whatIsGivenBackCostsNoTryEvenWhenNoneIsLeft() {
    for (Outcome outcome : List.of(Outcome.WORKER_UNAVAILABLE, Outcome.RELEASED)) {
      Decision decision = decide(policy(1, OnLost.RETRY), 1, ended(outcome, null));
      assertThat(decision.transition()).isEqualTo(Transition.GIVE_BACK);
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
                        decide(policy(3, OnLost.RETRY), 1, ended(Outcome.EXIT_CODE, code))
                            .transition())
                    .as("exit code %d", code)
                    .isEqualTo(atOnce.contains(code) ? Transition.FAIL : Transition.RETRY));
  }

  @Test
  void theFirstRuleThatMatchesDecidesAndOthersFallToTheTable() {
    RetryRule noSecond = new RetryRule(Outcome.EXIT_CODE, List.of(new CodeRange(2, 2)), false);
    RetryRule usage = new RetryRule(Outcome.EXIT_CODE, List.of(new CodeRange(64, 78)), true);
    RetryRule noTimeout = new RetryRule(Outcome.TIMEOUT, List.of(), false);
    RetryRule ignored = new RetryRule(Outcome.TIMEOUT, List.of(), true);
    RetryPolicy policy = policy(9, OnLost.RETRY, noSecond, usage, noTimeout, ignored);
    assertThat(decide(policy, 1, ended(Outcome.EXIT_CODE, 2)).transition())
        .isEqualTo(Transition.FAIL);
    assertThat(decide(policy, 1, ended(Outcome.EXIT_CODE, 70)).transition())
        .isEqualTo(Transition.RETRY);
    assertThat(decide(policy, 1, ended(Outcome.EXIT_CODE, 127)).transition())
        .isEqualTo(Transition.FAIL);
    assertThat(decide(policy, 1, ended(Outcome.EXIT_CODE, 1)).transition())
        .isEqualTo(Transition.RETRY);
    assertThat(decide(policy, 1, ended(Outcome.TIMEOUT, null)).transition())
        .isEqualTo(Transition.FAIL);
  }

  @Test
  void aRuleCannotGiveMoreTriesThanThereAre() {
    RetryRule always = new RetryRule(Outcome.SPAWN_FAILED, List.of(), true);
    assertThat(
            decide(policy(2, OnLost.RETRY, always), 2, ended(Outcome.SPAWN_FAILED, null))
                .transition())
        .isEqualTo(Transition.FAIL);
  }

  @Test
  void aLossObeysOnLostAndOnlyARealLossIsCharged() {
    assertThat(decide(policy(3, OnLost.FAIL), 1, AttemptResult.lost()).transition())
        .isEqualTo(Transition.FAIL);
    assertThat(decide(policy(3, OnLost.HOLD), 1, AttemptResult.lost()).transition())
        .isEqualTo(Transition.HOLD);
    Decision drained = decide(policy(3, OnLost.HOLD), 1, ended(Outcome.RELEASED, null));
    assertThat(drained.transition()).isEqualTo(Transition.HOLD);
    assertThat(drained.uncharged()).isTrue();
    AttemptResult neverStarted = new AttemptResult(Outcome.RELEASED, null, null, false, null);
    Decision unstarted = decide(policy(3, OnLost.FAIL), 1, neverStarted);
    assertThat(unstarted.transition()).isEqualTo(Transition.GIVE_BACK);
    assertThat(unstarted.uncharged()).isTrue();
    assertThat(unstarted.delay()).isZero();
  }

  @Test
  void aPendingCancelTurnsEveryEndButSuccessIntoCancelled() {
    for (Outcome outcome : Outcome.values()) {
      Integer code = outcome == Outcome.EXIT_CODE ? Integer.valueOf(1) : null;
      Decision decision = decide(policy(3, OnLost.HOLD), 1, ended(outcome, code));
      assertThat(decision.ifCancelRequested().transition())
          .as(outcome.wireName())
          .isEqualTo(outcome == Outcome.SUCCESS ? Transition.SUCCEED : Transition.CONFIRM_CANCEL);
    }
  }

  @Test
  void aDecisionOnlyTakesArrowsThatLeaveRunning() {
    assertThatThrownBy(() -> new Decision(Transition.RELEASE, Duration.ZERO, false))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anExitCodeInTheSuccessListIsSuccess() {
    RetryPolicy policy = new RetryPolicy(3, PLAIN, List.of(), Set.of(0, 3), OnLost.RETRY);
    assertThat(policy.outcomeOfExit(3)).isEqualTo(Outcome.SUCCESS);
    assertThat(policy.outcomeOfExit(2)).isEqualTo(Outcome.EXIT_CODE);
  }
}
