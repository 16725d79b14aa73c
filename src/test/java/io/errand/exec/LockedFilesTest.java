package io.errand.exec;

import static io.errand.exec.TestLauncher.run;
import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.text;
import static io.errand.exec.TestLauncher.timing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.exec.TestLauncher.Run;
import io.errand.job.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A command that keeps files or directories locked in the kernel keeps no other one waiting. */
@OwnProcess
@Timeout(400)
class LockedFilesTest {
  @TempDir Path folder;
  private String hold = "";

  @BeforeEach
  void compile() {
    hold = NativeProgram.of("hold", folder);
  }

  @Test
  void othersStartWhileTheProgramsOfSomeCannotBeLookedUp() throws IOException {
    Path locked = OpenFolder.in(folder, "locked");
    Run left;
    try (FileHolder holder = FileHolder.ofDirectory(hold, locked)) {
      assertThat(holder).isNotNull();
      CommandSpec slow = spec(locked.resolve("no0").toString());
      Run timed = start(timing(slow, Duration.ofSeconds(2), Duration.ZERO));
      Run cancelled = start(spec(locked.resolve("no1").toString()));
      left = start(spec(locked.resolve("no2").toString()));
      assertThat(text(run("echo", "fine").stdout())).isEqualTo("fine\n");
      cancelled.end(EndCause.CANCELLED, Duration.ofSeconds(5));
      assertEndedBy(EndCause.CANCELLED, cancelled);
      assertEndedBy(EndCause.TIMEOUT, timed);
      assertThat(left.ended).isNotDone();
    }
    assertThat(left.result().cause()).isEqualTo(EndCause.NOT_STARTABLE);
  }

  /** Its slot waits for the thread that looks up its program. */
  private static void assertEndedBy(EndCause cause, Run run) {
    CommandResult result = run.ended.orTimeout(60, TimeUnit.SECONDS).join();
    assertThat(result.cause()).isEqualTo(cause);
    assertThat(result.started()).isFalse();
    assertThat(run.gone).isNotDone();
  }

  @Test
  void aCommandWhosePrivateDirectoryIsLockedEndsAndOthersGoOn() {
    CommandSpec spec = spec("sleep", "600");
    Run run = start(spec);
    Path directory = TestLauncher.temporaryRoot().resolve(spec.cookie());
    await().until(() -> Files.exists(directory));
    try (FileHolder holder = FileHolder.ofDirectory(hold, directory)) {
      assertThat(holder).isNotNull();
      run.end(EndCause.CANCELLED, Duration.ZERO);
      assertThat(run.ended.orTimeout(60, TimeUnit.SECONDS).join().cause())
          .isEqualTo(EndCause.CANCELLED);
      for (int i = 0; i < 3; i++) {
        assertThat(text(run("echo", "fine").stdout())).isEqualTo("fine\n");
      }
    }
    run.result();
    await().until(() -> Files.notExists(directory));
  }

  @Test
  void othersAreRemovedWhileATreeIsLocked() throws IOException {
    Path locked = OpenFolder.in(folder, "locked");
    Path file = Files.createFile(locked.resolve("f"));
    DirectoryRemover remover = new DirectoryRemover();
    try (FileHolder holder = FileHolder.ofFile(hold, file)) {
      assertThat(holder).isNotNull();
      AtomicInteger taken = new AtomicInteger();
      remover.add(locked, taken::incrementAndGet);
      List<Path> others = new ArrayList<>();
      for (int i = 0; i < 300; i++) { // more than may wait
        Path other = Files.createDirectory(folder.resolve("other" + i));
        Files.createFile(other.resolve("f"));
        others.add(other);
        remover.add(other, taken::incrementAndGet);
      }
      await()
          .atMost(Duration.ofMinutes(1))
          .until(() -> taken.get() == 301 && others.stream().noneMatch(Files::exists));
      assertThat(locked).exists();
    }
    await().until(() -> Files.notExists(locked));
    remover.close();
  }

  @Test
  void otherDirectoriesAreLookedAtWhileOneIsLockedAndThatOneIsTold() throws IOException {
    Path locked = OpenFolder.in(folder, "locked");
    Path large = Files.createDirectory(folder.resolve("large"));
    Files.write(large.resolve("f"), new byte[1 << 20]);
    Limits limits = new Limits(null, null, null, null, null, 1_000L, null, null);
    CompletableFuture<String> unseen = new CompletableFuture<>();
    CompletableFuture<String> excess = new CompletableFuture<>();
    try (FileHolder holder = FileHolder.ofDirectory(hold, locked);
        DiskWatch watch = watch()) {
      assertThat(holder).isNotNull();
      watch.watch(locked, limits, Set::of, unseen::complete);
      watch.watch(large, limits, Set::of, excess::complete);
      assertThat(excess.orTimeout(60, TimeUnit.SECONDS).join()).contains("limits.disk_bytes");
      assertThat(unseen.orTimeout(60, TimeUnit.SECONDS).join()).contains("could not be looked at");
    }
  }

  private static DiskWatch watch() {
    return new DiskWatch(
        TimeUnit.MILLISECONDS.toNanos(100),
        TimeUnit.MILLISECONDS.toNanos(10),
        TimeUnit.SECONDS.toNanos(2));
  }

  /** As after the end of its server, whose pipe to it is closed then. */
  @Test
  void theGuardianEndsWhatItKnowsWhileTheRootIsLocked() throws Exception {
    Path root = OpenFolder.in(folder, "root");
    Process leader = new ProcessBuilder("setsid", "sleep", "600").start();
    Process guardian = null;
    try (FileHolder holder = FileHolder.ofDirectory(hold, root)) {
      assertThat(holder).isNotNull();
      guardian =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Guardian.class.getName(),
                  root.toString())
              .inheritIO()
              .redirectInput(ProcessBuilder.Redirect.PIPE)
              .start();
      guardian
          .outputWriter()
          .append("start cookie-of-no-command " + leader.pid() + "\n")
          .close(); // and with that the pipe
      assertThat(leader.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(leader.exitValue()).isNotZero();
    } finally {
      leader.destroyForcibly();
      if (guardian != null) {
        guardian.destroyForcibly();
      }
    }
  }

  @Test
  void readsThatSleepTakeATenthOfTheTimeAtMost() throws Exception {
    List<Integer> pids = new ArrayList<>();
    Process slow = new ProcessBuilder(NativeProgram.of("slow", folder), "300", "2000").start();
    try {
      for (String line = slow.inputReader().readLine();
          line != null && !line.equals("ready");
          line = slow.inputReader().readLine()) {
        pids.add(Integer.parseInt(line));
      }
      assertThat(pids).hasSize(300);
      long begun = System.nanoTime();
      long before = CookieReader.waitedNanos();
      for (int pid : pids) {
        assertThat(CookieReader.cookie(pid)).isNull();
      }
      long took = System.nanoTime() - begun;
      // A tenth, and what a busy machine adds; without a bound it would be 50 ms for each, or 15 s.
      assertThat(CookieReader.waitedNanos() - before)
          .isPositive()
          .isLessThan(TimeUnit.SECONDS.toNanos(3) + took / 5);
    } finally {
      slow.destroyForcibly();
      pids.forEach(pid -> LibC.kill(pid, LibC.SIGKILL));
    }
  }

  @Test
  void aListingOfVeryManyProcessesIsCutAndSaysSo() {
    Run many = start(spec(NativeProgram.of("slow", folder), "1100", "50"));
    RunningCommand command = Objects.requireNonNull(many.command);
    await().atMost(Duration.ofMinutes(1)).until(() -> command.processes().more());
    assertThat(command.processes().processes()).hasSize(1_000);
    many.end(EndCause.CANCELLED, Duration.ZERO);
    assertThat(many.result().treeEmpty()).isTrue();
  }
}
