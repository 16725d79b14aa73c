package io.errand.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.JobState.Transition;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class JobStateTest {
  /** The table of the contract: what may follow what. Everything that is not here is illegal. */
  private static final Map<JobState, Set<JobState>> LEGAL =
      Map.of(
          JobState.QUEUED, Set.of(JobState.RUNNING, JobState.CANCELLED),
          JobState.RETRYING, Set.of(JobState.RUNNING, JobState.CANCELLED),
          JobState.RUNNING,
              Set.of(
                  JobState.SUCCEEDED,
                  JobState.FAILED,
                  JobState.RETRYING,
                  JobState.QUEUED,
                  JobState.HELD,
                  JobState.CANCELLED),
          JobState.HELD, Set.of(JobState.QUEUED, JobState.CANCELLED),
          JobState.SUCCEEDED, Set.of(),
          JobState.FAILED, Set.of(),
          JobState.CANCELLED, Set.of());

  @Test
  void theWholeMatrixOfStatesIsAsTheContractSays() {
    for (JobState from : JobState.values()) {
      for (JobState to : JobState.values()) {
        assertThat(from.transitionTo(to).isPresent())
            .as("%s -> %s", from, to)
            .isEqualTo(LEGAL.getOrDefault(from, Set.of()).contains(to));
      }
    }
  }

  @Test
  void everyArrowLeavesJustTheStatesItNames() {
    Map<Transition, Set<JobState>> sources =
        Map.of(
            Transition.CLAIM, Set.of(JobState.QUEUED, JobState.RETRYING),
            Transition.SUCCEED, Set.of(JobState.RUNNING),
            Transition.FAIL, Set.of(JobState.RUNNING),
            Transition.RETRY, Set.of(JobState.RUNNING),
            Transition.GIVE_BACK, Set.of(JobState.RUNNING),
            Transition.HOLD, Set.of(JobState.RUNNING),
            Transition.CONFIRM_CANCEL, Set.of(JobState.RUNNING),
            Transition.CANCEL, Set.of(JobState.QUEUED, JobState.RETRYING, JobState.HELD),
            Transition.RELEASE, Set.of(JobState.HELD));
    for (Transition transition : Transition.values()) {
      for (JobState state : JobState.values()) {
        assertThat(transition.leaves(state))
            .as("%s leaves %s", transition, state)
            .isEqualTo(sources.getOrDefault(transition, Set.of()).contains(state));
      }
    }
  }

  @Test
  void theFinalStatesAreThoseThatNoArrowLeaves() {
    assertThat(Arrays.stream(JobState.values()).filter(JobState::isFinal))
        .containsExactly(JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED);
  }

  @Test
  void everyStateIsFoundByItsWireName() {
    for (JobState state : JobState.values()) {
      assertThat(JobState.ofWireName(state.wireName())).isEqualTo(state);
    }
    assertThat(JobState.SUCCEEDED.transitionTo(JobState.RUNNING)).isEqualTo(Optional.empty());
  }
}
