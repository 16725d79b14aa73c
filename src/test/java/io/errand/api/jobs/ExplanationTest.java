package io.errand.api.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.store.reads.ExplainReads.Facts;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a client is told about a job that does not run. */
class ExplanationTest {
  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

  private String state = "queued";
  private Instant runAt = NOW;
  private @Nullable Long runningOfKey;
  private boolean paused;
  private @Nullable Integer maxRunning;
  private @Nullable Long runningOfQueue;
  private @Nullable Double rate;
  private @Nullable Double tokens;
  private String circuit = "closed";
  private long workers = 1;
  private long able = 1;
  private long free = 2;
  private long faulty;
  private long ahead;
  private @Nullable Double shortest;
  private @Nullable Double longest;

  private Explanation explain(@Nullable String waitsFor) {
    return Explanation.of(
        new UUID(0, 0),
        new Facts(
            state,
            null,
            null,
            "q",
            runAt,
            null,
            true,
            "host",
            false,
            "key",
            1,
            NOW,
            runningOfKey,
            paused,
            maxRunning,
            runningOfQueue,
            rate,
            tokens,
            circuit,
            null,
            false,
            null,
            workers,
            able,
            4,
            free,
            0,
            faulty,
            ahead,
            0,
            false,
            shortest,
            longest),
        waitsFor);
  }

  private String kinds(@Nullable String waitsFor) {
    return String.join(
        " ", explain(waitsFor).blockers().stream().map(Explanation.Blocker::kind).toList());
  }

  @Test
  void blockersComeInTheOrderInWhichTheyHaveToBeOvercome() {
    runAt = NOW.plusSeconds(60);
    paused = true;
    circuit = "half_open";
    maxRunning = 1;
    runningOfQueue = 1L;
    rate = 2.0;
    tokens = 0.0;
    runningOfKey = 1L;
    free = 0;
    assertThat(kinds("it waits for job a"))
        .isEqualTo("run_at dependency paused circuit max_running rate concurrency_key slots");
    assertThat(explain(null).summary())
        .isEqualTo("it is not to run before 2026-01-01T12:01:00.000000Z");
    assertThat(explain(null).blockers().get(0).until()).isEqualTo("2026-01-01T12:01:00.000000Z");
  }

  @Test
  void workersThatAreMissingAreNamed() {
    workers = 0;
    assertThat(kinds(null)).isEqualTo("no_worker");
    workers = 1;
    able = 0;
    assertThat(kinds(null)).isEqualTo("no_ability");
    able = 1;
    faulty = 1;
    assertThat(kinds(null)).isEqualTo("worker_fault");
  }

  @Test
  void theStartIsARangeWhereThePaceIsKnown() {
    free = 0;
    ahead = 8;
    assertThat(start().unknownBecause()).isEqualTo("no job of its queue has ended lately");
    shortest = 1.0;
    longest = 10.0;
    assertThat(start().earliest()).isEqualTo("2026-01-01T12:00:02.000000Z");
    assertThat(start().latest()).isEqualTo("2026-01-01T12:00:31.000000Z");
    rate = 0.1;
    tokens = 0.0;
    assertThat(start().earliest()).isEqualTo("2026-01-01T12:01:30.000000Z");
    paused = true;
    assertThat(start().unknownBecause()).contains("paused");
  }

  private Explanation.StartRange start() {
    Explanation.StartRange start = explain(null).start();
    assertThat(start).isNotNull();
    return java.util.Objects.requireNonNull(start);
  }

  @Test
  void aJobThatDoesNotWaitHasNoBlockers() {
    state = "running";
    assertThat(explain(null).summary()).isEqualTo("it runs on worker host");
    assertThat(explain(null).blockers()).isEmpty();
    assertThat(explain(null).jobsAhead()).isNull();
    state = "succeeded";
    assertThat(explain(null).summary()).isEqualTo("it has ended: succeeded");
    state = "held";
    assertThat(kinds(null)).isEqualTo("held");
    state = "queued";
    assertThat(explain(null).summary()).isEqualTo("it is ready and about to be claimed");
  }
}
