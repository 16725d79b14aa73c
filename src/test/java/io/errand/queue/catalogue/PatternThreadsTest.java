package io.errand.queue.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No caller waits for a pattern without end, whatever the thread that has it does. */
@Timeout(120)
class PatternThreadsTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration LIMIT = Duration.ofMillis(200);

  private final CountDownLatch end = new CountDownLatch(1);

  @AfterEach
  void endWhatNeverEnds() {
    end.countDown();
  }

  /** As a loop of RE2/J, it takes no notice of an interrupt. */
  private Integer never() {
    while (true) {
      try {
        end.await();
        return 1;
      } catch (InterruptedException e) {
        continue;
      }
    }
  }

  @Test
  void whatDoesNotEndIsGivenUpAndReplacedUpToABound() {
    PatternThreads threads = new PatternThreads(1, 4, 1, LIMIT);
    assertThat(threads.run(() -> 7, LONG)).isEqualTo(7);
    assertThatThrownBy(() -> threads.run(this::never, LONG))
        .isInstanceOf(PatternTimeoutException.class);
    assertThat(threads.run(() -> 8, LONG)).as("by its replacement").isEqualTo(8);
    assertThatThrownBy(() -> threads.run(this::never, LONG))
        .isInstanceOf(PatternTimeoutException.class);
    assertThatThrownBy(() -> threads.run(() -> 9, LIMIT))
        .as("no more are replaced")
        .isExactlyInstanceOf(PatternsBusyException.class);
    end.countDown();
    assertThat(threads.run(() -> 10, LONG)).as("they have ended").isEqualTo(10);
  }

  @Test
  void whoWaitsForAnotherGivesItUpToo() throws InterruptedException {
    PatternThreads threads = new PatternThreads(1, 4, 1, LIMIT);
    Thread caller = new Thread(() -> assertBusy(threads, Duration.ofMillis(1)));
    caller.start();
    caller.join();
    assertThat(threads.run(() -> 7, LONG)).isEqualTo(7);
  }

  private void assertBusy(PatternThreads threads, Duration patience) {
    assertThatThrownBy(() -> threads.run(this::never, patience))
        .isInstanceOf(PatternsBusyException.class);
  }

  @Test
  void callersBeyondAFewAreRefusedAtOnce() throws InterruptedException {
    PatternThreads threads = new PatternThreads(1, 3, 0, LONG);
    List<Thread> waiting = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Thread caller = new Thread(() -> threads.run(this::never, LONG));
      caller.start();
      waiting.add(caller);
    }
    await().atMost(LONG).until(() -> threads.callers() == 3);
    assertThatThrownBy(() -> threads.run(() -> 7, LONG))
        .isExactlyInstanceOf(PatternsBusyException.class);
    end.countDown();
    for (Thread caller : waiting) {
      caller.join();
    }
    assertThat(threads.run(() -> 7, LONG)).isEqualTo(7);
  }

  @Test
  void anInterruptEndsTheWaitAndIsKept() throws InterruptedException {
    PatternThreads threads = new PatternThreads(1, 3, 0, LONG);
    AtomicReference<Object> seen = new AtomicReference<>();
    Thread caller =
        new Thread(
            () -> {
              try {
                threads.run(this::never, LONG);
              } catch (PatternsBusyException e) {
                seen.set(Thread.currentThread().isInterrupted());
              }
            });
    caller.start();
    caller.interrupt();
    caller.join();
    assertThat(seen).hasValue(true);
  }
}
