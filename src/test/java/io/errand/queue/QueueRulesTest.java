package io.errand.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.ProjectNames;
import io.errand.queue.QueueRules.Known;
import io.errand.store.PolicyJson;
import io.errand.store.queues.QueueSettings.OnOverload;
import io.errand.store.queues.RuleReads.Rule;
import io.errand.store.submit.Overload;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What submits meet, and when they are worth to be tried again. */
class QueueRulesTest {
  private static final Overload PINNED =
      new Overload(Overload.Kind.OPEN_TRANSACTION, "7", 400, 300, true);

  private static DrainRate rate(long... finishedEverySecond) {
    DrainRate rate = DrainRate.UNKNOWN;
    for (int i = 0; i < finishedEverySecond.length; i++) {
      rate = rate.with(TimeUnit.SECONDS.toNanos(i), finishedEverySecond[i]);
    }
    return rate;
  }

  private static QueueRules rules(
      @Nullable Long maxDepth,
      @Nullable Double maxAge,
      boolean paused,
      @Nullable Double oldest,
      DrainRate drain,
      @Nullable Overload database) {
    Rule rule =
        new Rule("q", "{}", maxDepth, maxAge, OnOverload.REFUSE, paused, 50, 0, oldest, null);
    return new QueueRules(
        ProjectNames.DEFAULT,
        Map.of("q", new Known(rule, PolicyJson.read("{}"), drain, null)),
        Set.of(),
        database,
        io.errand.queue.catalogue.Catalogue.EMPTY);
  }

  @Test
  void theRateCountsWhatHasFinishedAndTakesRemovedJobsForNoProgress() {
    assertThat(rate().perSecond()).isZero();
    assertThat(rate(5).perSecond()).isZero();
    assertThat(rate(0, 10, 20).perSecond()).isEqualTo(10);
    assertThat(rate(100, 110, 10, 20).perSecond()).isEqualTo(20.0 / 3);
  }

  @Test
  void theRateForgetsWhatIsOlderThanAMinute() {
    DrainRate rate = rate(0, 1_000);
    for (int i = 2; i < 500; i++) {
      rate = rate.with(TimeUnit.SECONDS.toNanos(i), 1_000);
    }
    assertThat(rate.perSecond()).isZero();
  }

  @Test
  void aRefusedSubmitIsWorthToBeTriedAgainOnceTheWaitingJobsHaveGone() {
    Overload full = new Overload(Overload.Kind.MAX_DEPTH, "q", 100, 100, true);
    assertThat(rules(100L, null, false, null, rate(0, 10, 20), null).retryAfterSeconds(full))
        .isEqualTo(10);
    assertThat(rules(100L, null, false, null, rate(0, 9_000), null).retryAfterSeconds(full))
        .isEqualTo(1);
    assertThat(rules(100L, null, false, null, rate(0, 0, 0), null).retryAfterSeconds(full))
        .isEqualTo(3_600);
    assertThat(rules(100L, null, true, null, rate(0, 10), null).retryAfterSeconds(full))
        .isEqualTo(3_600);
    Overload old = new Overload(Overload.Kind.MAX_READY_AGE_SECONDS, "q", 9, 5, true);
    assertThat(rules(null, 5.0, false, 9.0, rate(0, 10, 20), null).retryAfterSeconds(old))
        .isEqualTo(5);
    assertThat(rules(null, 5.0, false, 9.0, rate(0, 10), PINNED).retryAfterSeconds(PINNED))
        .isEqualTo(30);
  }

  @Test
  void aSubmitMeetsTheWorstOfWhatStandsAgainstIt() {
    QueueRules old = rules(null, 5.0, false, 9.0, DrainRate.UNKNOWN, null);
    assertThat(old.of("q").refusal())
        .isEqualTo(new Overload(Overload.Kind.MAX_READY_AGE_SECONDS, "q", 9, 5, true));
    assertThat(old.of("other")).isEqualTo(QueueRules.Meeting.NOTHING);
    assertThat(rules(null, 5.0, false, 5.0, DrainRate.UNKNOWN, null).of("q"))
        .isEqualTo(QueueRules.Meeting.NOTHING);
    QueueRules pinned = rules(null, 5.0, false, 9.0, DrainRate.UNKNOWN, PINNED);
    assertThat(pinned.of("q").refusal()).isEqualTo(PINNED);
    assertThat(pinned.of("other").refusal()).isEqualTo(PINNED);
    assertThat(rules(9L, null, false, null, DrainRate.UNKNOWN, null).of("q").counted()).isTrue();
  }
}
