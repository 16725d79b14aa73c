package io.errand.exec;

import static io.errand.exec.TestLauncher.carrying;
import static io.errand.exec.TestLauncher.in;
import static io.errand.exec.TestLauncher.reading;
import static io.errand.exec.TestLauncher.run;
import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.temporaryRoot;
import static io.errand.exec.TestLauncher.text;
import static io.errand.exec.TestLauncher.timing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.exec.TestLauncher.Run;
import io.errand.job.Confinement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real commands, real trees, real signals. */
@OwnProcess
class LinuxLauncherTest {
  /** For a shell to set its traps, on a busy machine. */
  private static final Duration LONG_ENOUGH_TO_BEGIN = Duration.ofSeconds(3);

  @TempDir private static Path folder;

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
            LONG_ENOUGH_TO_BEGIN,
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
            LONG_ENOUGH_TO_BEGIN,
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
  void whoHidItsCookieAndLeftTheSessionIsStillOfTheTreeItWasSeenIn() {
    String mark = "48" + System.nanoTime() % 1_000_000;
    String hidden =
        "setsid env -i /bin/sh -c 'trap : TERM; while :; do /bin/sleep " + mark + "; done' & ";
    CommandSpec left = spec("sh", "-c", hidden + "sleep 3; exit 0");
    CommandResult result = start(left).result();
    assertThat(result.exitCode()).isEqualTo(0);
    assertThat(result.treeEmpty()).isTrue();
    assertThat(result.signalsSent()).isNotEmpty();
    assertThat(sleeping(mark)).isFalse();
    CommandSpec timed =
        timing(
            spec("sh", "-c", hidden + "sleep 600"), LONG_ENOUGH_TO_BEGIN, Duration.ofMillis(300));
    assertThat(start(timed).result().signalsSent())
        .extracting(CommandResult.SignalSent::signal)
        .containsExactly("SIGTERM", "SIGKILL");
    assertThat(sleeping(mark)).isFalse();
  }

  private static boolean sleeping(String seconds) {
    return ProcFs.all().stream()
        .map(ProcFs::info)
        .anyMatch(info -> info != null && info.command().equals("/bin/sleep " + seconds));
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
    assertThat(text(result.stdout()))
        .isEqualTo("ERRAND_CLAIM_TOKEN HOME LOGNAME PATH PWD SHELL TMPDIR USER 700\n");
    assertThat(temporaryRoot().resolve(spec.cookie())).doesNotExist();
  }

  @Test
  void aCommandHasNoDescriptorOfOursNoBlockedSignalAndItsOwnSession() {
    CommandResult result =
        run(
            "sh",
            "-c",
            "umask; ulimit -c; sleep 0.2; ulimit -n; cat /proc/$$/oom_score_adj; grep SigBlk /proc/self/status;"
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
        .addListener(
            (stderr, offset, bytes) -> heard.append(offset).append(':').append(new String(bytes)));
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
    long threads = ownThreads();
    for (int round = 0; round < 10; round++) {
      List<Run> runs = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        runs.add(start(spec("sh", "-c", i % 2 == 0 ? "echo x" : "sleep 0.01 & echo y")));
      }
      runs.forEach(run -> assertThat(run.result().exitCode()).isEqualTo(0));
    }
    await().until(() -> ProcFs.children(LibC.getpid()).size() == 1); // the guardian
    assertThat(count("/proc/self/fd")).isLessThanOrEqualTo(descriptors + 2);
    // Threads that read of other processes end when they have been idle for ten seconds.
    await().until(() -> ownThreads() <= threads + 2);
  }

  /** Threads of Errand: the virtual machine starts and ends compiler threads as it likes. */
  private static long ownThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("errand"))
        .count();
  }

  private static long count(String folder) throws IOException {
    try (Stream<Path> entries = Files.list(Path.of(folder))) {
      return entries.count();
    }
  }
}
