package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which ends are put down to the guardian. */
@OwnProcess
@Timeout(120)
class GuardianDeadlineTest {
  private static long seconds(long count) {
    return TimeUnit.SECONDS.toNanos(count);
  }

  @Test
  void nothingIsPutDownToAGuardianThatWasToldInTime() {
    GuardianDeadline deadline = new GuardianDeadline();
    assertThat(deadline.mayHaveEnded(seconds(0), seconds(100))).isFalse();
    deadline.told(seconds(30), seconds(10));
    deadline.told(seconds(50), seconds(29));
    assertThat(deadline.mayHaveEnded(seconds(15), seconds(49))).isFalse();
  }

  @Test
  void whatRanWhenTheDeadlinePassedMayHaveBeenEndedByIt() {
    GuardianDeadline deadline = new GuardianDeadline();
    deadline.told(seconds(30), seconds(10));
    assertThat(deadline.mayHaveEnded(seconds(15), seconds(31))).isTrue();
    deadline.told(seconds(60), seconds(35));
    assertThat(deadline.mayHaveEnded(seconds(15), seconds(36))).isTrue();
    assertThat(deadline.mayHaveEnded(seconds(38), seconds(39))).isFalse(); // it started later
    assertThat(deadline.mayHaveEnded(seconds(15), seconds(50))).isFalse(); // it survived that
  }

  /** Whoever calls may still hold its lease: the deadline that the guardian knows decides. */
  @Test
  void aCommandThatTheGuardianHasEndedIsLost() throws IOException {
    Path home = Files.createTempDirectory(TestLauncher.folder(), "guardian");
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
    Path root = home.resolve("tmp");
    TestLauncher.Run run = new TestLauncher.Run();
    try (LinuxLauncher launcher =
        new LinuxLauncher(home, root, Accounts.asTheServer(home), false)) {
      launcher.launch(
          TestLauncher.timing(
              TestLauncher.spec("sleep", "600"), Duration.ofMinutes(5), Duration.ZERO),
          run);
      launcher.aliveUntil(System.nanoTime() + seconds(5));
      CommandResult result = run.result();
      assertThat(result.cause()).isEqualTo(EndCause.LEASE_LOST);
      assertThat(result.signal()).isEqualTo("SIGKILL");
    } finally {
      for (String name :
          new String[] {"sandbox.bpf", "sandbox-with-network.bpf", "change-account", ""}) {
        Files.deleteIfExists(home.resolve(name));
      }
    }
  }
}
