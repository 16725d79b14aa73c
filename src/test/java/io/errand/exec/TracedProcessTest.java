package io.errand.exec;

import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.timing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.errand.exec.TestLauncher.Run;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The kernel hides the end of a traced process from its parent until the tracer lets go of it. */
@OwnProcess
@Timeout(180)
class TracedProcessTest {
  @TempDir private static Path folder;
  private String program = "";

  @BeforeEach
  void begin() throws IOException {
    program = NativeProgram.of("traced", folder);
    Path scope = Path.of("/proc/sys/kernel/yama/ptrace_scope");
    assumeTrue(
        Accounts.isRoot() || !Files.exists(scope) || Files.readString(scope).startsWith("0"),
        "Yama lets nobody trace what is not its child");
  }

  @Test
  void aFirstProcessThatItsOwnChildTracesEndsItsCommand() {
    CommandResult result = start(tracedByItsChild("own", 3)).result();
    assertThat(result.cause()).isEqualTo(EndCause.ITSELF);
    assertThat(result.exitCode()).isEqualTo(whereRoot(3));
    assertThat(result.treeEmpty()).isTrue();
  }

  @Test
  void aSignalThatEndedATracedProcessIsKnown() {
    CommandResult result = start(tracedByItsChild("signal", -LibC.SIGKILL)).result();
    assertThat(result.cause()).isEqualTo(EndCause.ITSELF);
    assertThat(result.signal()).isEqualTo(whereRoot("SIGKILL"));
    assertThat(result.exitCode()).isNull();
  }

  private CommandSpec tracedByItsChild(String name, int status) {
    String script = "\"$0\" trace $$ 600 \"$1\" & exec \"$0\" wait \"$1\" " + status;
    CommandSpec spec = spec("sh", "-c", script, program, folder.resolve(name).toString());
    return soon(spec);
  }

  @Test
  void aTracerOfAnotherCommandHoldsNeitherSlotNorLoop() throws IOException {
    String file = folder.resolve("other").toString();
    Run traced = start(soon(spec(program, "wait", file, "4")));
    int pid = pidOf(traced);
    long before = loopTicks();
    Run other = start(spec(program, "trace", Integer.toString(pid), "600", file));
    CommandResult result = traced.result();
    assertThat(other.ended).as("the tracer still runs").isNotDone();
    assertThat(result.cause()).isEqualTo(EndCause.ITSELF);
    assertThat(result.exitCode()).isEqualTo(whereRoot(4));
    assertThat(result.treeEmpty()).isTrue();
    Files.delete(Path.of(file));
    assertThat(other.result().exitCode()).isZero();
    assertThat(loopTicks() - before).as("hundredths of a second of CPU").isLessThan(100);
    await().until(() -> ProcFs.stat(pid) == null);
  }

  @Test
  void anotherProcessOfACommandThatIsTracedHoldsNoSlot() {
    String file = folder.resolve("child").toString();
    String script = "\"$0\" wait \"$1\" 0 & until [ -e \"$1\" ]; do sleep 0.02; done; exit 5";
    Run traced = start(soon(spec("sh", "-c", script, program, file)));
    Run other = start(spec(program, "trace", Integer.toString(pidOf(traced)), "600", file));
    assertThatItsSlotIsFree(traced, other);
    assertThat(traced.result().exitCode()).isEqualTo(5);
  }

  /**
   * The kernel stops a killed process too if its tracer asked for that, and waits for the tracer.
   */
  @Test
  void aTracerThatKeepsAKilledProcessFromEndingIsKilled() throws IOException {
    String file = folder.resolve("killed").toString();
    Run traced = start(soon(spec(program, "wait", folder.resolve("never").toString(), "0")));
    String pid = Integer.toString(pidOf(traced));
    Run other = start(spec(program, "trace", pid, "600", file, "exit"));
    await().until(() -> Files.exists(Path.of(file)));
    traced.end(EndCause.CANCELLED, Duration.ZERO);
    assertThatItsSlotIsFree(traced, other);
  }

  /** The kernel shows the status of a process that is traced to root only. */
  private static <T> @Nullable T whereRoot(T status) {
    return Accounts.isRoot() ? status : null;
  }

  private static CommandSpec soon(CommandSpec spec) {
    return timing(spec, Duration.ofSeconds(20), Duration.ofMillis(100));
  }

  private static void assertThatItsSlotIsFree(Run traced, Run other) {
    try {
      traced.gone.orTimeout(30, TimeUnit.SECONDS).join();
    } finally {
      other.end(EndCause.CANCELLED, Duration.ZERO);
      other.result();
    }
  }

  /** The number that a command prints. */
  private static int pidOf(Run run) {
    StringBuffer printed = new StringBuffer();
    RunningCommand command = Objects.requireNonNull(run.command);
    command.addListener(
        (isStderr, offset, bytes) -> printed.append(new String(bytes, StandardCharsets.UTF_8)));
    await().until(() -> printed.indexOf("\n") > 0);
    return Integer.parseInt(printed.toString().trim());
  }

  /** What the event loop's thread has used of a processor. */
  private static long loopTicks() throws IOException {
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        String stat = Files.readString(thread.resolve("stat"));
        if (stat.contains("(errand-exec-loo")) {
          String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
          return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        }
      }
    }
    throw new IllegalStateException("The event loop has no thread");
  }
}
