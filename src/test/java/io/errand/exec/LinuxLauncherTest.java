package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.Sandbox;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real commands, real trees, real signals. */
class LinuxLauncherTest {
  private static LinuxLauncher launcher;
  @TempDir private static Path folder;

  @BeforeAll
  static void open() throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    Files.createDirectory(folder.resolve("home"));
    launcher = new LinuxLauncher(folder.resolve("home"), folder.resolve("tmp"));
  }

  @AfterAll
  static void close() {
    launcher.close();
  }

  /** A command under test, and what is known of it. */
  private static final class Run implements CommandListener {
    final CompletableFuture<CommandResult> ended = new CompletableFuture<>();
    final CompletableFuture<Void> gone = new CompletableFuture<>();
    private @Nullable RunningCommand command;

    @Override
    public void onEnd(CommandResult result) {
      ended.complete(result);
    }

    @Override
    public void onGone() {
      gone.complete(null);
    }

    void end(EndCause cause, Duration grace) {
      if (command != null) {
        command.end(cause, grace);
      }
    }

    CommandResult result() {
      CommandResult result = ended.orTimeout(60, TimeUnit.SECONDS).join();
      gone.orTimeout(60, TimeUnit.SECONDS).join();
      return result;
    }
  }

  private static CommandSpec spec(String... argv) {
    Map<String, String> environment = new HashMap<>();
    environment.put("PATH", "/usr/local/bin:/usr/bin:/bin");
    return new CommandSpec(
        UUID.randomUUID().toString(),
        List.of(argv),
        environment,
        new byte[0],
        null,
        Duration.ofMinutes(5),
        Duration.ofSeconds(5),
        65_536,
        65_536,
        Confinement.NONE);
  }

  private static CommandSpec timing(CommandSpec spec, Duration timeout, Duration grace) {
    return new CommandSpec(
        spec.cookie(),
        spec.argv(),
        spec.environment(),
        spec.stdin(),
        spec.workingDirectory(),
        timeout,
        grace,
        spec.stdoutLimit(),
        spec.stderrLimit(),
        spec.confinement());
  }

  private static CommandSpec reading(CommandSpec spec, byte[] stdin) {
    return new CommandSpec(
        spec.cookie(),
        spec.argv(),
        spec.environment(),
        stdin,
        spec.workingDirectory(),
        spec.timeout(),
        spec.killGrace(),
        spec.stdoutLimit(),
        spec.stderrLimit(),
        spec.confinement());
  }

  private static CommandSpec in(CommandSpec spec, Path directory) {
    return new CommandSpec(
        spec.cookie(),
        spec.argv(),
        spec.environment(),
        spec.stdin(),
        directory,
        spec.timeout(),
        spec.killGrace(),
        spec.stdoutLimit(),
        spec.stderrLimit(),
        spec.confinement());
  }

  private static CommandSpec within(CommandSpec spec, Confinement confinement) {
    return new CommandSpec(
        spec.cookie(),
        spec.argv(),
        spec.environment(),
        spec.stdin(),
        spec.workingDirectory(),
        spec.timeout(),
        spec.killGrace(),
        spec.stdoutLimit(),
        spec.stderrLimit(),
        confinement);
  }

  private static Run start(CommandSpec spec) {
    Run run = new Run();
    run.command = launcher.launch(spec, run);
    return run;
  }

  private static CommandResult run(String... argv) {
    return start(spec(argv)).result();
  }

  private static String text(CapturedOutput output) {
    return new String(output.kept(), StandardCharsets.UTF_8);
  }

  /** The processes that carry a cookie, zombies left out. */
  private static List<Integer> carrying(String cookie) {
    List<Integer> found = new ArrayList<>();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      processes
          .map(path -> path.getFileName().toString())
          .filter(name -> name.matches("[0-9]+"))
          .map(Integer::parseInt)
          .filter(pid -> cookie.equals(ProcFs.variable(pid, "ERRAND_CLAIM_TOKEN")))
          .forEach(found::add);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return found;
  }

  @Test
  void anExitCodeIsNoSignalAndASignalIsNoExitCode() {
    CommandResult exited = run("sh", "-c", "exit 137");
    assertThat(exited.exitCode()).isEqualTo(137);
    assertThat(exited.signal()).isNull();
    CommandResult killed = run("sh", "-c", "kill -9 $$");
    assertThat(killed.exitCode()).isNull();
    assertThat(killed.signal()).isEqualTo("SIGKILL");
    assertThat(killed.cause()).isEqualTo(EndCause.ITSELF);
  }

  @Test
  void bothStreamsAreReadAndKeptApart() {
    CommandResult result = run("sh", "-c", "echo out; echo err >&2; exit 3");
    assertThat(text(result.stdout())).isEqualTo("out\n");
    assertThat(text(result.stderr())).isEqualTo("err\n");
    assertThat(result.exitCode()).isEqualTo(3);
  }

  @Test
  void argumentsReachTheCommandAsTheyAreAndNoShellSeesThem() {
    CommandResult result = run("printf", "%s|", "a b", "$(id)", "*", "", "ü\n'\"");
    assertThat(text(result.stdout())).isEqualTo("a b|$(id)|*||ü\n'\"|");
  }

  @Test
  void loudOutputIsCountedExactlyAndKeptInFixedMemory() {
    CommandResult result =
        run(
            "sh",
            "-c",
            "printf start; head -c 200000000 /dev/zero; printf end;"
                + " head -c 1000000 /dev/zero | tr '\\0' e >&2");
    assertThat(result.stdout().totalBytes()).isEqualTo(200_000_008);
    assertThat(result.stderr().totalBytes()).isEqualTo(1_000_000);
    assertThat(result.stdout().kept()).hasSize(65_536);
    assertThat(text(result.stdout())).startsWith("start\0").endsWith("\0end");
  }

  @Test
  void aCommandThatReadsSeesEndOfFileAtOnce() {
    assertThat(text(run("cat").stdout())).isEmpty();
  }

  @Test
  void moreStdinThanAPipeHoldsDeadlocksNeitherWhenReadNorWhenNot() {
    byte[] much = new byte[1_000_000];
    assertThat(text(start(reading(spec("wc", "-c"), much)).result().stdout()).trim())
        .isEqualTo("1000000");
    assertThat(start(reading(spec("true"), much)).result().exitCode()).isEqualTo(0);
    assertThat(start(reading(spec("cat"), much)).result().stdout().totalBytes())
        .isEqualTo(1_000_000);
  }

  @Test
  void theTimeoutEndsATreeThatIgnoresSigterm() {
    CommandSpec spec =
        timing(
            spec(
                "sh",
                "-c",
                "trap '' TERM; (trap '' TERM; sleep 600; :) & setsid sh -c \"trap '' TERM; sleep 600; :\" &"
                    + " sleep 600; sleep 600"),
            Duration.ofMillis(300),
            Duration.ofMillis(200));
    CommandResult result = start(spec).result();
    assertThat(result.cause()).isEqualTo(EndCause.TIMEOUT);
    assertThat(result.signal()).isEqualTo("SIGKILL");
    assertThat(carrying(spec.cookie())).isEmpty();
  }

  @Test
  void aCommandMaySayGoodbyeInItsGrace() {
    CommandSpec spec =
        timing(
            spec("sh", "-c", "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done"),
            Duration.ofMillis(500),
            Duration.ofSeconds(30));
    CommandResult result = start(spec).result();
    assertThat(result.cause()).isEqualTo(EndCause.TIMEOUT);
    assertThat(result.exitCode()).isEqualTo(5);
    assertThat(text(result.stdout())).isEqualTo("up\nbye\n");
  }

  @Test
  void whatACommandLeavesBehindIsEndedAndItsPipeIsNotWaitedFor() {
    CommandSpec spec = spec("sh", "-c", "setsid sleep 600 & (sleep 600 &) ; echo done");
    CommandResult result = start(spec).result();
    assertThat(result.exitCode()).isEqualTo(0);
    assertThat(text(result.stdout())).isEqualTo("done\n");
    assertThat(carrying(spec.cookie())).isEmpty();
  }

  @Test
  void aDaemonThatForkedTwiceAndLeftItsSessionIsFound() {
    CommandSpec spec =
        spec("sh", "-c", "(setsid sh -c '(setsid sleep 600 &) ; exit' &) ; sleep 0.2; echo done");
    assertThat(start(spec).result().exitCode()).isEqualTo(0);
    assertThat(carrying(spec.cookie())).isEmpty();
  }

  @Test
  void anEarlyEndHasTheCauseThatCameFirst() {
    CommandSpec spec = spec("sleep", "600");
    Run run = start(spec);
    await().until(() -> !carrying(spec.cookie()).isEmpty());
    run.end(EndCause.CANCELLED, Duration.ofSeconds(5));
    run.end(EndCause.RELEASED, Duration.ZERO);
    CommandResult result = run.result();
    assertThat(result.cause()).isEqualTo(EndCause.CANCELLED);
    assertThat(result.exitCode()).isNull();
  }

  @Test
  void aCommandThatIsEndedBeforeItWasSpawnedEndsToo() {
    Run run = start(spec("sleep", "600"));
    run.end(EndCause.LEASE_LOST, Duration.ZERO);
    assertThat(run.result().cause()).isEqualTo(EndCause.LEASE_LOST);
  }

  @Test
  void whatCannotBeStartedSaysWhy() throws IOException {
    Path file = Files.writeString(folder.resolve("plain"), "echo no\n");
    Path script = Files.writeString(folder.resolve("script"), "echo no interpreter line\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    assertRefused(spec("no-such-program"), "not found in PATH");
    assertRefused(spec("/no/such/program"), "no such file");
    assertRefused(spec(file.toString()), "is not executable");
    assertRefused(spec(folder.toString()), "is a directory");
    assertRefused(spec(script.toString()), "neither a program nor a script");
    assertRefused(in(spec("true"), folder.resolve("nowhere")), "no such working directory");
    assertRefused(in(spec("true"), file), "is not a directory");
    assertRefused(spec("true", "x".repeat(131_072)), "too long");
  }

  private static void assertRefused(CommandSpec spec, String reason) {
    CommandResult result = start(spec).result();
    assertThat(result.cause()).as(reason).isEqualTo(EndCause.NOT_STARTABLE);
    assertThat(result.started()).isFalse();
    assertThat(result.detail()).contains(reason);
  }

  @Test
  void theEnvironmentIsBuiltFromEmptyAndTheTemporaryDirectoryIsPrivateAndGoesAway() {
    CommandSpec spec =
        spec("sh", "-c", "env | cut -d= -f1 | sort | tr '\\n' ' '; stat -c %a \"$TMPDIR\"");
    CommandResult result = start(spec).result();
    assertThat(text(result.stdout())).isEqualTo("ERRAND_CLAIM_TOKEN PATH PWD TMPDIR 700\n");
    assertThat(folder.resolve("tmp").resolve(spec.cookie())).doesNotExist();
  }

  @Test
  void aCommandHasNoDescriptorOfOursNoBlockedSignalAndItsOwnSession() {
    CommandResult result =
        run(
            "sh",
            "-c",
            "umask; ulimit -c; sleep 0.2; ulimit -n; cat /proc/$$/oom_score_adj; grep SigBlk /proc/$$/status;"
                + " [ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo leads");
    assertThat(text(result.stdout()))
        .isEqualTo("0077\n0\n1024\n500\nSigBlk:\t0000000000000000\nleads\n");
    // The fourth is the folder that ls reads.
    assertThat(text(run("ls", "/proc/self/fd").stdout())).isEqualTo("0\n1\n2\n3\n");
  }

  @Test
  void usageIsOfTheCommandAndNotOfThisProcess() {
    CommandResult burning = run("sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done");
    CommandResult.Usage usage = Objects.requireNonNull(burning.usage());
    assertThat(usage.cpuUser()).isPositive();
    assertThat(usage.wall()).isGreaterThanOrEqualTo(usage.cpuUser());
    assertThat(usage.memoryPeakBytes()).isBetween(100_000L, 50_000_000L);
  }

  @Test
  void limitsAreInForceFromTheFirstInstruction() {
    Limits limits = new Limits(null, 7L, null, 8192L, 99L, 5);
    CommandSpec spec =
        within(
            spec(
                "sh",
                "-c",
                "ulimit -t; ulimit -f; ulimit -n; nice; head -c 9000 /dev/zero > f; ls -s --block-size=1 f"),
            new Confinement(limits, null, null));
    assertThat(text(start(spec).result().stdout())).startsWith("7\n16\n99\n5\n8192");
  }

  @Test
  void moreCpuThanTheLimitIsEndedByTheKernel() {
    Limits limits = new Limits(null, 1L, null, null, null, null);
    CommandResult result =
        start(within(spec("sh", "-c", "while :; do :; done"), new Confinement(limits, null, null)))
            .result();
    assertThat(result.signal()).isIn("SIGKILL", "SIGXCPU");
    assertThat(result.cause()).isEqualTo(EndCause.ITSELF);
  }

  @Test
  void moreMemoryThanTheLimitEndsTheWholeTreeAndSaysSo() {
    Limits limits = new Limits(50L << 20, null, null, null, null, null);
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
    HostAbilities host = HostAbilities.probe();
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
    assertThat(host.refusalOf(new Confinement(Limits.NONE, "no-such-user", null)))
        .contains("there is no user no-such-user");
  }

  @Test
  void aSandboxHasNoNetworkAndWritesOnlyWhereItMay() throws IOException {
    HostAbilities host = HostAbilities.probe();
    Path open = Files.createDirectories(folder.resolve("open"));
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
            Map.of("limits", "no prlimit", "user", "not root", "sandbox", "no bwrap"));
    assertThat(none.refusalOf(Confinement.NONE)).isNull();
    assertThat(
            none.refusalOf(
                new Confinement(new Limits(null, 1L, null, null, null, null), null, null)))
        .contains("no prlimit");
    assertThat(none.refusalOf(new Confinement(Limits.NONE, "nobody", null))).contains("not root");
    assertThat(
            none.refusalOf(new Confinement(Limits.NONE, null, new Sandbox(true, false, List.of()))))
        .contains("no bwrap");
    assertThat(
            none.refusalOf(
                new Confinement(new Limits(1L << 30, null, null, null, null, null), null, null)))
        .isNull();
  }

  @Test
  void aTapHearsWhatWasPrintedAndWhatIsPrintedNext() {
    StringBuffer heard = new StringBuffer();
    CommandSpec waiting =
        spec("sh", "-c", "echo early; while [ ! -e \"$FLAG\" ]; do sleep 0.02; done; echo late");
    Map<String, String> environment = new HashMap<>(waiting.environment());
    Path flag = folder.resolve("flag");
    environment.put("FLAG", flag.toString());
    Run tapped =
        start(
            new CommandSpec(
                waiting.cookie(),
                waiting.argv(),
                environment,
                new byte[0],
                null,
                waiting.timeout(),
                waiting.killGrace(),
                8,
                8,
                Confinement.NONE));
    await().until(() -> !carrying(waiting.cookie()).isEmpty());
    Objects.requireNonNull(tapped.command)
        .tap((stderr, offset, bytes) -> heard.append(offset).append(':').append(new String(bytes)));
    await().until(() -> heard.toString().contains("early") || heard.toString().contains("y"));
    try {
      Files.createFile(flag);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    tapped.result();
    assertThat(heard.toString()).contains("late");
  }

  @Test
  void manyCommandsLeaveNoThreadDescriptorOrZombieBehind() throws IOException {
    run("true");
    await().until(() -> ProcFs.children(LibC.getpid()).size() == 1); // the guardian
    long descriptors = count("/proc/self/fd");
    long threads = count("/proc/self/task");
    for (int round = 0; round < 10; round++) {
      List<Run> runs = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        runs.add(start(spec("sh", "-c", i % 2 == 0 ? "echo x" : "sleep 0.01 & echo y")));
      }
      runs.forEach(run -> assertThat(run.result().exitCode()).isEqualTo(0));
    }
    await().until(() -> ProcFs.children(LibC.getpid()).size() == 1); // the guardian
    assertThat(count("/proc/self/fd")).isLessThanOrEqualTo(descriptors + 2);
    assertThat(count("/proc/self/task")).isLessThanOrEqualTo(threads + 2);
  }

  private static long count(String folder) throws IOException {
    try (Stream<Path> entries = Files.list(Path.of(folder))) {
      return entries.count();
    }
  }
}
