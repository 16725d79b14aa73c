package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
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
  void whatAProcessShowsOfItselfIsReadInBounds() throws Exception {
    Process huge = ready(new ProcessBuilder(NativeProgram.of("huge", folder)));
    Process marked = null;
    try {
      int pid = (int) huge.pid();
      assertThat(ProcFs.variable(pid, "NAME")).isNull();
      assertThat(Objects.requireNonNull(ProcFs.info(pid)).command().length()).isLessThan(5_000);
      ProcessBuilder builder = new ProcessBuilder("setsid", "sh", "-c", "echo ready; exec sleep 600");
      builder.environment().put(CommandSpec.COOKIE_VARIABLE, "of-a-hostile-process-test");
      marked = ready(builder);
      assertThat(ProcessHunt.killAll(Set.of("of-a-hostile-process-test"), Set.of())).isEqualTo(1);
    } finally {
      huge.destroyForcibly();
      if (marked != null) {
        marked.destroyForcibly();
      }
    }
  }
}
