package io.errand.exec;

import static io.errand.exec.TestLauncher.carrying;
import static io.errand.exec.TestLauncher.run;
import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.text;
import static io.errand.exec.TestLauncher.timing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.exec.TestLauncher.Run;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A command that keeps its own pipe locked keeps nobody else waiting, and ends like any other. */
@OwnProcess
@Timeout(240)
class PipeHolderTest {
  private final List<String> cookies = new ArrayList<>();

  /** Whatever has become of the test: a thread that a command holds up would hold up the JVM. */
  @AfterEach
  void endHolders() {
    for (String cookie : cookies) {
      carrying(cookie).forEach(pid -> LibC.kill(pid, LibC.SIGKILL));
    }
  }

  /** Starts holders until one of them has the lock while there is something to be read. */
  private Run startHolding(Supplier<CommandSpec> spec) {
    while (true) {
      CommandSpec one = spec.get();
      cookies.add(one.cookie());
      Run run = start(one);
      try {
        await().atMost(Duration.ofSeconds(5)).until(PipeHolder::holdsUpAThread);
        return run;
      } catch (ConditionTimeoutException e) {
        run.end(EndCause.CANCELLED, Duration.ZERO);
        run.result();
      }
    }
  }

  private static void assertThatOthersGoOn() {
    assertThat(text(run("echo", "fine").stdout())).isEqualTo("fine\n");
    CommandSpec slow = timing(spec("sleep", "600"), Duration.ofMillis(200), Duration.ZERO);
    assertThat(start(slow).result().cause()).isEqualTo(EndCause.TIMEOUT);
  }

  private static long threadsOfPipes() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("errand-exec-pipe"))
        .count();
  }

  private static void awaitNoThreadOfAPipe() {
    await().until(() -> threadsOfPipes() == 0);
  }

  @Test
  void othersGoOnWhileACommandKeepsItsStdoutLockedAndACancelEndsIt() {
    Run holder = startHolding(PipeHolder::ofStdout);
    assertThatOthersGoOn();
    AtomicLong heard = new AtomicLong();
    Objects.requireNonNull(holder.command)
        .addListener((isStderr, offset, bytes) -> heard.addAndGet(isStderr ? bytes.length : 0));
    await().until(() -> heard.get() > 0);
    long before = heard.get();
    await().until(() -> heard.get() > before); // its stderr is read on
    assertThat(holder.ended).isNotDone();
    holder.end(EndCause.CANCELLED, Duration.ZERO);
    CommandResult result = holder.result();
    assertThat(result.cause()).isEqualTo(EndCause.CANCELLED);
    assertThat(result.treeEmpty()).isTrue();
    assertThat(text(result.stdout())).startsWith("x");
    assertThat(text(result.stderr())).startsWith("more\n");
    awaitNoThreadOfAPipe();
  }

  @Test
  void othersGoOnWhileACommandKeepsItsStdinLockedAndItsTimeoutEndsIt() {
    Run holder =
        startHolding(
            () -> timing(PipeHolder.ofStdin(), Duration.ofSeconds(10), Duration.ofMillis(200)));
    assertThatOthersGoOn();
    CommandResult result = holder.result();
    assertThat(result.cause()).isEqualTo(EndCause.TIMEOUT);
    assertThat(result.treeEmpty()).isTrue();
    awaitNoThreadOfAPipe();
  }

  @Test
  void manyHoldersAtOnceCostAThreadForEachPipeAndNoMore() {
    List<Run> holders = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      holders.add(startHolding(PipeHolder::ofStdout));
    }
    assertThatOthersGoOn();
    assertThat(threadsOfPipes()).isBetween(1L, 2L * holders.size());
    holders.forEach(holder -> holder.end(EndCause.CANCELLED, Duration.ZERO));
    holders.forEach(holder -> assertThat(holder.result().treeEmpty()).isTrue());
    awaitNoThreadOfAPipe();
  }

  @Test
  void aCommandThatLocksItsPipeForShortTimesGetsThreadsOfItsOwnToo() {
    CommandSpec spec = PipeHolder.ofStdoutBriefly();
    cookies.add(spec.cookie());
    Run holder = start(spec);
    await().atMost(Duration.ofMinutes(1)).until(() -> threadsOfPipes() > 0);
    holder.end(EndCause.CANCELLED, Duration.ZERO);
    CommandResult result = holder.result();
    assertThat(result.treeEmpty()).isTrue();
    assertThat(text(result.stdout())).startsWith("xx");
    awaitNoThreadOfAPipe();
  }
}
