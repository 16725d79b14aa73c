package io.errand.exec;

import static io.errand.exec.TestLauncher.carrying;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.timing;
import static org.awaitility.Awaitility.await;

import io.errand.exec.TestLauncher.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;

/** A command that keeps a file, or its directory too, locked in the kernel until it is closed. */
final class FileHolder implements AutoCloseable {
  private static final String MAPPINGS = "3000";
  private static final int PROBE_SECONDS = 1;
  private static final int PROBES = 3;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final CommandSpec spec;
  private final Run run;

  private FileHolder(String program, Path file, String secondsBeforeUnlink) {
    spec =
        timing(
            TestLauncher.spec(program, file.toString(), secondsBeforeUnlink, MAPPINGS),
            Duration.ofMinutes(10),
            Duration.ZERO);
    run = start(spec);
  }

  /** Keeps a directory locked, by a file in it. */
  static FileHolder ofDirectory(String program, Path directory) {
    FileHolder holder = new FileHolder(program, directory.resolve("f"), "1");
    awaitSleep(() -> Files.exists(directory.resolve("none" + System.nanoTime())));
    return holder;
  }

  /** Keeps a file locked. */
  static FileHolder ofFile(String program, Path file) {
    FileHolder holder = new FileHolder(program, file, "600");
    awaitSleep(() -> Files.setLastModifiedTime(file, FileTime.fromMillis(System.nanoTime())));
    return holder;
  }

  /** Until this sleeps each time. */
  private static void awaitSleep(Callable<?> call) {
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              for (int probe = 0; probe < PROBES; probe++) {
                if (!sleeps(call)) {
                  return false;
                }
              }
              return true;
            });
  }

  private static boolean sleeps(Callable<?> call) throws InterruptedException {
    try {
      new PatientCall<>("probe", call).await(PROBE_SECONDS);
      return false;
    } catch (TimeoutException e) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Ends it, also where the launcher under test cannot. */
  @Override
  public void close() {
    carrying(spec.cookie()).forEach(pid -> LibC.kill(pid, LibC.SIGKILL));
    run.end(EndCause.CANCELLED, Duration.ZERO);
    run.result();
  }
}
