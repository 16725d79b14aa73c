package io.errand.exec;

import static io.errand.exec.TestLauncher.carrying;
import static io.errand.exec.TestLauncher.run;
import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.text;
import static io.errand.exec.TestLauncher.timing;
import static io.errand.exec.TestLauncher.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Memory;
import io.errand.exec.TestLauncher.Run;
import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.Sandbox;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes that work against whoever looks at them or wants to end them. */
@OwnProcess
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
            "setsid sh -c 'trap : TERM; while :; do sleep 0.02; done' & sleep 1; echo $$");
    Run run = start(timing(spec, Duration.ofMinutes(1), Duration.ofSeconds(3)));
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
      assertThat(
              StrayProcesses.killAll(
                  SandboxMounts.below(folder), Set.of("of-a-hostile-process-test"), Set.of()))
          .isEqualTo(1);
    } finally {
      huge.destroyForcibly();
      if (marked != null) {
        marked.destroyForcibly();
      }
    }
  }

  /** Of such a process the kernel says that it is a zombie. */
  @Test
  void aProcessWhoseFirstThreadHasEndedIsBoundAndEndedLikeAnyOther() {
    String headless = NativeProgram.of("headless", folder);
    Limits small = new Limits(30_000_000L, null, null, null, null, null, null, null);
    Run large = start(within(spec(headless, "60", "200"), new Confinement(small, null, null)));
    assertThat(large.result().cause()).isEqualTo(EndCause.OUT_OF_MEMORY);

    CommandSpec daemon =
        timing(
            spec("sh", "-c", "setsid \"$0\" 600 1 & sleep 600", headless),
            Duration.ofSeconds(1),
            Duration.ofMillis(100));
    assertThat(start(daemon).result().treeEmpty()).isTrue();
    assertThat(carrying(daemon.cookie())).isEmpty();

    CommandSpec alone = spec(headless, "600", "1");
    Run run = start(alone);
    await().until(() -> carrying(alone.cookie()).size() == 1);
    int pid = carrying(alone.cookie()).get(0);
    await().until(() -> Objects.requireNonNull(ProcFs.stat(pid)).state() == 'Z');
    assertThat(Objects.requireNonNull(ProcFs.stat(pid)).isAlive()).isTrue();
    assertThat(ProcFs.statusBytes(pid, "VmRSS")).isPositive();
    run.end(EndCause.CANCELLED, Duration.ZERO);
    assertThat(run.result().treeEmpty()).isTrue();
    assertThat(ProcFs.stat(pid)).isNull();
  }

  @Test
  void aSiblingOfACommandIsRefusedOrEnded() {
    Run run = start(spec(NativeProgram.of("sibling", folder)));
    String said = text(run.result().stdout()).trim();
    if (Accounts.isRoot()) {
      assertThat(said).isEqualTo("refused");
    } else {
      int pid = Integer.parseInt(said);
      await().until(() -> ProcFs.stat(pid) == null);
    }
  }

  @Test
  void noCommandMakesAUserNamespaceWhereTheServerIsRoot() {
    assumeTrue(Accounts.isRoot(), "only a filter that root installs leaves set-uid programs alone");
    assertThat(run("unshare", "--user", "true").exitCode()).isNotZero();
    assertThat(run("sh", "-c", "echo fine").exitCode()).isZero();
  }

  @Test
  void noCommandJoinsAUserNamespaceWhereTheServerIsRoot() throws Exception {
    assumeTrue(Accounts.isRoot(), "only a filter that root installs leaves set-uid programs alone");
    Process owner =
        new ProcessBuilder("unshare", "--user", "sh", "-c", "echo ready; exec sleep 600").start();
    try {
      assumeTrue(owner.getInputStream().read() == 'r', "no user namespaces on this host");
      String pid = Long.toString(owner.pid());
      assertThat(text(run(NativeProgram.of("joiner", folder), pid).stdout()).lines())
          .containsExactly("refused", "refused", "refused", "refused", "refused", "network joined");
    } finally {
      owner.destroyForcibly();
    }
  }

  @Test
  void noCommandHandlesPageFaultsWhereTheServerIsRoot() {
    assumeTrue(Accounts.isRoot(), "only a filter that root installs leaves set-uid programs alone");
    assertThat(text(run(NativeProgram.of("faults", folder)).stdout()).trim()).isEqualTo("refused");
  }

  @Test
  void pageTablesCountForTheMemoryLimit() {
    Limits small = new Limits(30_000_000L, null, null, null, null, null, null, null);
    CommandSpec spec = spec(NativeProgram.of("tables", folder), "32", "3");
    CommandResult result = start(within(spec, new Confinement(small, null, null))).result();
    assumeTrue(!Objects.equals(result.exitCode(), 3), "32 GiB of address space are refused");
    assertThat(result.cause()).isEqualTo(EndCause.OUT_OF_MEMORY);
  }

  @Test
  void aCookieThatAnotherAccountHasCopiedIsNoPartOfTheCommand() throws Exception {
    assumeTrue(Accounts.isRoot(), "only root can start processes of other accounts");
    Process copier =
        new ProcessBuilder("setpriv", "--reuid=65533", "--clear-groups", "sleep", "600").start();
    try {
      int pid = (int) copier.pid();
      await().until(() -> ProcFs.realUid(pid) == 65_533);
      Memory scratch = new Memory(4096);
      ProcessTree tree = new ProcessTree(1, "copied", false, 65_532, new Orphans(), scratch);
      assertThat(tree.isMarked(pid, "copied")).isFalse();
      ProcessTree own = new ProcessTree(1, "copied", false, 65_533, new Orphans(), scratch);
      assertThat(own.isMarked(pid, "copied")).isTrue();
      assertThat(own.isMarked(pid, "another")).isFalse();
      ProcessTree sandbox = new ProcessTree(1, "copied", true, 65_533, new Orphans(), scratch);
      assertThat(sandbox.isMarked(pid, "copied")).isFalse();
    } finally {
      copier.destroyForcibly();
    }
  }

  private static boolean runs(String argument) {
    return ProcFs.all().stream()
        .anyMatch(pid -> argument.equals(String.valueOf(commandLine(pid)).split("\0")[0]));
  }

  private static String commandLine(int pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return ""; // it went away meanwhile
    }
  }

  @Test
  void aSandboxWhoseFirstProcessDetachesFromItIsEndedWithItsCommand() throws IOException {
    Confinement sandbox = new Confinement(Limits.NONE, null, new Sandbox(false, true, List.of()));
    String refusal = TestLauncher.host().refusalOf(sandbox);
    assumeTrue(refusal == null, () -> "needs a sandbox: " + refusal);
    String program = NativeProgram.of("detach", OpenFolder.in(folder, "open"));
    String mark = "detached-" + UUID.randomUUID();
    CommandResult result = start(within(spec(program, mark, "end"), sandbox)).result();
    assertThat(text(result.stdout())).isEqualTo("ready\n");
    assertThat(result.treeEmpty()).isTrue();
    assertThat(runs(mark)).isFalse();
  }

  @Test
  void aSandboxIsFoundByThePrivateDirectoryThatIsMountedInIt() throws Exception {
    Path root = OpenFolder.in(folder, "a root\\of");
    Path own = OpenFolder.in(root, "cookie");
    Process sandbox = ready(sandboxWith(own));
    Process other = ready(sandboxWith(OpenFolder.in(folder, "else")));
    try {
      assertThat(StrayProcesses.killAll(SandboxMounts.below(root), Set.of("none"), Set.of()))
          .isPositive();
      assertThat(sandbox.waitFor()).isNotZero();
      assertThat(other.isAlive()).isTrue();
    } finally {
      sandbox.destroyForcibly();
      other.destroyForcibly();
    }
  }

  /** Like that of a command, with nothing else that tells whose it is. */
  private static ProcessBuilder sandboxWith(Path directory) throws Exception {
    List<String> line = new ArrayList<>();
    if (Accounts.isRoot()) {
      line.addAll(List.of("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"));
    }
    line.addAll(List.of("bwrap", "--die-with-parent", "--unshare-pid", "--ro-bind", "/", "/"));
    line.addAll(List.of("--dev", "/dev", "--proc", "/proc"));
    line.addAll(List.of("--bind", directory.toString(), directory.toString()));
    try {
      List<String> trial = new ArrayList<>(line);
      trial.add("true");
      assumeTrue(new ProcessBuilder(trial).start().waitFor() == 0, "no sandbox on this host");
    } catch (IOException e) {
      assumeTrue(false, "no sandbox on this host: " + e);
    }
    line.addAll(List.of("sh", "-c", "echo ready; exec sleep 600"));
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().keySet().retainAll(Set.of("PATH"));
    return builder;
  }

  @Test
  void childrenOfAProcessWithManyThreadsAreFound() throws Exception {
    Process child = new ProcessBuilder("sleep", "600").start();
    try {
      int own = LibC.getpid();
      ChildLookup lookup = new ChildLookup();
      assertThat(lookup.of(own, 20_000)).contains((int) child.pid());
      assertThat(lookup.of(own, 1)).contains((int) child.pid());
      assertThat(new ChildLookup().of(own, 1)).contains((int) child.pid());
    } finally {
      child.destroyForcibly();
    }
  }

  @Test
  void looksThatTakeLongAreFollowedByPausesThatAllShare() {
    SampleTurns turns = new SampleTurns();
    long begun = System.nanoTime();
    long millisecond = 1_000_000;
    assertThat(turns.after(begun, begun + millisecond)).isEqualTo(begun + millisecond);
    long end = begun + 10 * millisecond;
    assertThat(turns.after(begun, end)).isEqualTo(end + 90 * millisecond);
    assertThat(turns.after(begun, end)).isEqualTo(end + 180 * millisecond);
  }
}
