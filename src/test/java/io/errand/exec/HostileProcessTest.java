package io.errand.exec;

import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.text;
import static io.errand.exec.TestLauncher.timing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.exec.TestLauncher.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes that work against whoever looks at them or wants to end them. */
@Timeout(120)
class HostileProcessTest {
  @TempDir private static Path folder;

  /** A program that says a line when it is as it wants to be. */
  private static Process ready(ProcessBuilder program) throws IOException {
    Process process = program.start();
    int first = process.getInputStream().read();
    assertThat(first).as("a program of the test is ready").isEqualTo('r');
    return process;
  }

  @Test
  void aLeaderKeepsItsNumberUntilItsTreeIsGone() {
    CommandSpec spec =
        spec(
            "sh",
            "-c",
            "setsid sh -c 'trap : TERM; while :; do sleep 0.02; done' & sleep 0.1; echo $$");
    Run run = start(timing(spec, Duration.ofMinutes(1), Duration.ofMillis(400)));
    await()
        .until(
            () ->
                ProcFs.all().stream().map(ProcFs::stat).anyMatch(HostileProcessTest::isOurZombie));
    assertThat(run.result().treeEmpty()).isTrue();
    assertThat(ProcFs.stat(Integer.parseInt(text(run.result().stdout()).trim()))).isNull();
  }

  private static boolean isOurZombie(ProcFs.Stat stat) {
    return stat != null && stat.parent() == LibC.getpid() && stat.state() == 'Z';
  }

  @Test
  void whatAProcessShowsOfItselfIsReadInBounds() throws Exception {
    Process huge = ready(new ProcessBuilder(NativeProgram.of("huge", folder)));
    Process marked = null;
    try {
      int pid = (int) huge.pid();
      assertThat(ProcFs.variable(pid, "NAME")).isNull();
      assertThat(Objects.requireNonNull(ProcFs.info(pid)).command().length()).isLessThan(5_000);
      ProcessBuilder builder =
          new ProcessBuilder("setsid", "sh", "-c", "echo ready; exec sleep 600");
      builder.environment().put(CommandSpec.COOKIE_VARIABLE, "of-a-hostile-process-test");
      marked = ready(builder);
      assertThat(StrayProcesses.killAll(Set.of("of-a-hostile-process-test"), Set.of()))
          .isEqualTo(1);
    } finally {
      huge.destroyForcibly();
      if (marked != null) {
        marked.destroyForcibly();
      }
    }
  }
}
