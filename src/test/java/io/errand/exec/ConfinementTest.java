package io.errand.exec;

import static io.errand.exec.TestLauncher.carrying;
import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.text;
import static io.errand.exec.TestLauncher.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.Sandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that are kept in bounds, as far as this host can. */
@OwnProcess
class ConfinementTest {
  @TempDir private static Path folder;

  @Test
  void limitsAreInForceFromTheFirstInstruction() {
    Limits limits = new Limits(null, 7L, null, 8192L, 99L, null, null, 5);
    CommandSpec spec =
        within(
            spec(
                "sh",
                "-c",
                "ulimit -t; ulimit -f; ulimit -n; nice; head -c 9000 /dev/zero > f; ls -s --block-size=1 f"),
            new Confinement(limits, null, null));
    assertThat(text(start(spec).result().stdout())).startsWith("7\n16\n99\n5\n8192");
  }

  private static CommandResult runWithOneCpuSecond(String script, @Nullable Sandbox sandbox) {
    Limits limits = new Limits(null, 1L, null, null, null, null, null, null);
    return start(within(spec("bash", "-c", script), new Confinement(limits, null, sandbox)))
        .result();
  }

  @Test
  void moreCpuThanTheLimitIsToldAndThenEndedByTheKernel() {
    CommandResult told = runWithOneCpuSecond("while :; do :; done", null);
    assertThat(told.signal()).isEqualTo("SIGXCPU");
    assertThat(told.cause()).isEqualTo(EndCause.ITSELF);
    assertThat(told.detail()).contains("limits.cpu_seconds (1)");
    CommandResult deaf = runWithOneCpuSecond("trap '' XCPU; while :; do :; done", null);
    assertThat(deaf.signal()).isEqualTo("SIGKILL");
    assertThat(deaf.detail()).contains("limits.cpu_seconds (1)");
    CommandResult tidy =
        runWithOneCpuSecond("trap 'echo told; exit 7' XCPU; while :; do :; done", null);
    assertThat(text(tidy.stdout())).isEqualTo("told\n");
    assertThat(tidy.exitCode()).isEqualTo(7);
    assertThat(tidy.detail()).isNull();
    CommandResult child =
        runWithOneCpuSecond("bash -c 'while :; do :; done'; exit $?", null); // 128 + SIGXCPU
    assertThat(child.exitCode()).isEqualTo(152);
    assertThat(child.detail()).contains("limits.cpu_seconds (1)");
    CommandResult idle = runWithOneCpuSecond("exit 152", null);
    assertThat(idle.detail()).isNull();
    CommandResult killed = runWithOneCpuSecond("kill -KILL $$", null);
    assertThat(killed.detail()).isNull();
  }

  @Test
  void aSandboxTellsTheLimitOfCpuToo() {
    Sandbox sandbox = new Sandbox(false, true, List.of());
    if (isPossible(sandboxed("", List.of()))) {
      CommandResult result = runWithOneCpuSecond("while :; do :; done", sandbox);
      assertThat(result.exitCode()).isEqualTo(152);
      assertThat(result.detail()).contains("limits.cpu_seconds (1)");
    }
  }

  @Test
  void theOtherLimitsAreNamedToo() {
    Limits file = new Limits(null, null, null, 4096L, null, null, null, null);
    CommandResult large =
        start(within(spec("bash", "-c", "printf %10000s > f"), new Confinement(file, null, null)))
            .result();
    assertThat(large.signal()).isEqualTo("SIGXFSZ");
    assertThat(large.detail()).contains("limits.file_size_bytes (4096)");
    Limits memory = new Limits(20L << 20, null, null, null, null, null, null, null);
    CommandResult fat =
        start(
                within(
                    spec("sh", "-c", "head -c 300000000 /dev/zero | tail -c 299999999 | sleep 600"),
                    new Confinement(memory, null, null)))
            .result();
    assertThat(fat.detail()).contains("limits.memory_bytes (20971520)");
  }

  @Test
  void moreMemoryThanTheLimitEndsTheWholeTreeAndSaysSo() {
    Limits limits = new Limits(50L << 20, null, null, null, null, null, null, null);
    CommandSpec spec =
        within(
            spec("sh", "-c", "head -c 300000000 /dev/zero | tail -c 299999999 | sleep 600"),
            new Confinement(limits, null, null));
    CommandResult result = start(spec).result();
    assertThat(result.cause()).isEqualTo(EndCause.OUT_OF_MEMORY);
    assertThat(carrying(spec.cookie())).isEmpty();
  }

  @Test
  void anotherUserRunsItWhereThatIsPossible() {
    HostAbilities host = TestLauncher.host();
    Confinement confinement = new Confinement(Limits.NONE, "nobody", null);
    if (host.refusalOf(confinement) != null) {
      assertThat(host.refusalOf(confinement)).contains("another user");
      return;
    }
    CommandResult result =
        start(
                within(
                    spec(
                        "sh",
                        "-c",
                        "id -un; touch \"$TMPDIR/x\" && echo mine; grep NoNewPrivs /proc/self/status"),
                    confinement))
            .result();
    assertThat(text(result.stdout())).isEqualTo("nobody\nmine\nNoNewPrivs:\t1\n");
    Confinement nobodys = new Confinement(Limits.NONE, "no-such-user", null);
    assertThat(start(within(spec("true"), nobodys)).result().detail())
        .contains("there is no user no-such-user");
  }

  @Test
  void aSandboxHasNoNetworkAndWritesOnlyWhereItMay() throws IOException {
    HostAbilities host = TestLauncher.host();
    Path open = OpenFolder.in(folder, "open");
    Sandbox sandbox = new Sandbox(false, true, List.of(open.toString()));
    Confinement confinement = new Confinement(Limits.NONE, null, sandbox);
    if (host.refusalOf(confinement) != null) {
      assertThat(host.refusalOf(confinement)).contains("no sandbox");
      return;
    }
    CommandSpec spec =
        within(
            spec(
                "sh",
                "-c",
                "ls /sys/class/net /proc/net/dev > /dev/null; wc -l < /proc/net/dev; touch /etc/x 2> /dev/null"
                    + " || echo read-only; echo y > "
                    + open
                    + "/y && echo t > \"$TMPDIR/t\" && echo written"),
            confinement);
    CommandResult result = start(spec).result();
    assertThat(text(result.stdout())).isEqualTo("3\nread-only\nwritten\n");
    assertThat(open.resolve("y")).exists();
  }

  @Test
  void whatThisHostCannotDoIsRefusedWithTheReason() {
    HostAbilities none =
        new HostAbilities(
            Map.of("limits", "no prlimit", "user", "not root", "sandbox", "no bwrap"),
            Accounts.asTheServer(TestLauncher.home()),
            new SandboxCommandLine(TestLauncher.home(), TestLauncher.temporaryRoot()));
    assertThat(none.refusalOf(Confinement.NONE)).isNull();
    assertThat(
            none.refusalOf(
                new Confinement(
                    new Limits(null, 1L, null, null, null, null, null, null), null, null)))
        .contains("no prlimit");
    assertThat(none.refusalOf(new Confinement(Limits.NONE, "nobody", null))).contains("not root");
    assertThat(
            none.refusalOf(new Confinement(Limits.NONE, null, new Sandbox(true, false, List.of()))))
        .contains("no bwrap");
    assertThat(
            none.refusalOf(
                new Confinement(
                    new Limits(1L << 30, null, null, null, null, null, null, null), null, null)))
        .isNull();
  }

  private static Confinement sandboxed(String user, List<String> writable) {
    return new Confinement(
        Limits.NONE, user.isEmpty() ? null : user, new Sandbox(false, true, writable));
  }

  private static boolean isPossible(Confinement confinement) {
    return TestLauncher.host().refusalOf(confinement) == null;
  }

  @Test
  void aSandboxCannotBeUndoneFromWithin() {
    Confinement confinement = sandboxed("", List.of());
    if (isPossible(confinement)) {
      String script =
          "grep CapEff /proc/self/status; mount -o remount,rw / 2>/dev/null || echo kept;"
              + " umount -l "
              + TestLauncher.home()
              + " 2>/dev/null || echo kept";
      assertThat(text(start(within(spec("sh", "-c", script), confinement)).result().stdout()))
          .isEqualTo("CapEff:\t0000000000000000\nkept\nkept\n");
    }
  }

  @Test
  void noWritablePathUnhidesTheServersDirectory() throws IOException {
    Files.writeString(TestLauncher.home().resolve("token"), "secret");
    for (String path :
        List.of("/", TestLauncher.home().toString(), TestLauncher.folder().toString())) {
      Confinement confinement = sandboxed("", List.of(path));
      if (isPossible(confinement)) {
        CommandSpec spec =
            within(spec("cat", TestLauncher.home().resolve("token").toString()), confinement);
        assertThat(start(spec).result().stdout().totalBytes()).as(path).isZero();
      }
    }
    Files.delete(TestLauncher.home().resolve("token"));
    Confinement missing = sandboxed("", List.of("/no/such/folder"));
    if (isPossible(missing)) {
      assertThat(start(within(spec("true"), missing)).result().cause())
          .isEqualTo(EndCause.NOT_STARTABLE);
    }
  }

  @Test
  void aUserInASandboxHasItsTemporaryDirectory() {
    Confinement confinement = sandboxed("nobody", List.of());
    if (isPossible(confinement)) {
      CommandSpec spec =
          within(
              spec("sh", "-c", "id -un; pwd | grep -c \"$TMPDIR\"; touch x && echo mine"),
              confinement);
      assertThat(text(start(spec).result().stdout())).isEqualTo("nobody\n1\nmine\n");
    }
  }

  @Test
  void aSandboxedCommandHasItsGraceToo() {
    Confinement confinement = sandboxed("", List.of());
    if (isPossible(confinement)) {
      CommandSpec spec =
          within(
              TestLauncher.timing(
                  spec(
                      "sh",
                      "-c",
                      "trap 'sleep 0.2; echo cleaned; exit 5' TERM; while :; do sleep 0.05; done"),
                  Duration.ofSeconds(3),
                  Duration.ofSeconds(30)),
              confinement);
      CommandResult result = start(spec).result();
      assertThat(text(result.stdout())).isEqualTo("cleaned\n");
      assertThat(result.exitCode()).isEqualTo(5);
      CommandResult quiet = start(within(spec("true"), confinement)).result();
      assertThat(quiet.signalsSent()).isEmpty();
    }
  }

  @Test
  void whatTheKernelWouldNotRunIsRefusedInBoundsToo() throws IOException {
    Path script = Files.writeString(folder.resolve("no-interpreter"), "echo no\n");
    Path other = Files.writeString(folder.resolve("lost-interpreter"), "#!/no/such/sh\n");
    for (Path file : List.of(script, other)) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
      Limits limits = new Limits(null, null, null, null, null, null, null, 1);
      CommandResult result =
          start(within(spec(file.toString()), new Confinement(limits, null, null))).result();
      assertThat(result.cause()).isEqualTo(EndCause.NOT_STARTABLE);
    }
  }
}
