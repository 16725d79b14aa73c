package io.errand.exec;

import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.text;
import static io.errand.exec.TestLauncher.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.exec.TestLauncher.Run;
import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.Sandbox;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs that cannot be started now, and can be a moment later. */
@OwnProcess
class TransientStartTest {
  @TempDir private Path folder;

  /** Each way that a command is started: by itself, through tools, as an account, in a sandbox. */
  private static List<Confinement> ways() {
    List<Confinement> ways = new ArrayList<>();
    Limits nicer = new Limits(null, null, null, null, null, null, null, 1);
    Sandbox sandbox = new Sandbox(false, true, List.of());
    for (Confinement way :
        List.of(
            Confinement.NONE,
            new Confinement(nicer, null, null),
            new Confinement(Limits.NONE, "nobody", null),
            new Confinement(Limits.NONE, null, sandbox))) {
      if (TestLauncher.host().refusalOf(way) == null) {
        ways.add(way);
      }
    }
    return ways;
  }

  private Path program(String name, String text) throws IOException {
    Path program = OpenFolder.in(folder, "open").resolve(name);
    Files.writeString(program, text);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    return program;
  }

  @Test
  void aProgramThatIsBeingWrittenIsTriedAgainShortly() throws IOException {
    Path program = program("upload", "#!/bin/sh\necho done\n");
    for (Confinement way : ways()) {
      try (FileOutputStream writer = new FileOutputStream(program.toFile(), true)) {
        CompletableFuture<Void> closed =
            CompletableFuture.runAsync(
                () -> close(writer), CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS));
        CommandResult result = start(within(spec(program.toString()), way)).result();
        closed.join();
        assertThat(result.detail()).as(way.toString()).isNull();
        assertThat(text(result.stdout())).isEqualTo("done\n");
      }
    }
  }

  private static void close(FileOutputStream writer) {
    try {
      writer.close();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aProgramThatStaysOpenForWritingIsRefusedWithTheReason() throws IOException {
    Path program = program("held", "#!/bin/sh\necho done\n");
    for (Confinement way : ways()) {
      try (FileOutputStream writer = new FileOutputStream(program.toFile(), true)) {
        long started = System.nanoTime();
        CommandResult result = start(within(spec(program.toString()), way)).result();
        assertThat(writer.getFD().valid()).isTrue();
        assertThat(result.cause()).as(way.toString()).isEqualTo(EndCause.NOT_STARTABLE);
        assertThat(result.started()).isFalse();
        assertThat(result.detail()).contains(program.toString(), "open for writing");
        assertThat(Duration.ofNanos(System.nanoTime() - started))
            .isBetween(Duration.ofMillis(900), Duration.ofSeconds(50));
      }
    }
  }

  @Test
  void nobodyElseWaitsForAProgramThatIsBeingWritten() throws IOException {
    Path program = program("held", "#!/bin/sh\necho done\n");
    try (FileOutputStream writer = new FileOutputStream(program.toFile(), true)) {
      List<Run> waiting = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        waiting.add(start(spec(program.toString())));
      }
      assertThat(start(spec("true")).result().exitCode()).isZero();
      assertThat(waiting).noneMatch(run -> run.ended.isDone());
      waiting.forEach(run -> run.end(EndCause.CANCELLED, Duration.ZERO));
      for (Run run : waiting) {
        assertThat(run.result().cause()).isEqualTo(EndCause.CANCELLED);
        assertThat(run.result().started()).isFalse();
      }
      assertThat(writer.getFD().valid()).isTrue();
    }
    await().untilAsserted(() -> assertThat(start(spec("true")).result().exitCode()).isZero());
  }

  @Test
  void whatIsNoProgramOfThisMachineIsNotGivenToAShell() throws IOException {
    byte[] start = new byte[64];
    try (var in = Files.newInputStream(Path.of("/bin/true"))) {
      assertThat(in.readNBytes(start, 0, 64)).isEqualTo(64);
    }
    start[18] = (byte) 0xf7; // e_machine: Linux BPF, which no machine runs
    start[19] = 0;
    Path foreign = program("foreign", "");
    Files.write(foreign, start);
    Path windows = program("windows", "#!/bin/sh\r\necho hi\r\n");
    for (Confinement way : ways()) {
      CommandResult result = start(within(spec(foreign.toString()), way)).result();
      assertThat(result.cause()).as(way.toString()).isEqualTo(EndCause.NOT_STARTABLE);
      CommandResult lines = start(within(spec(windows.toString()), way)).result();
      assertThat(lines.cause()).as(way.toString()).isEqualTo(EndCause.NOT_STARTABLE);
      assertThat(lines.detail()).contains("carriage return");
    }
  }
}
