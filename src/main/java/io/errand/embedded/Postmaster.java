package io.errand.embedded;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The postmaster of a data directory, found by its pid file and by what {@code /proc} says of that
 * pid. Its file is never deleted here while anybody works in the directory: that would let two
 * postmasters at the same data.
 */
final class Postmaster {
  private final Path data;

  Postmaster(Path data) {
    this.data = data;
  }

  /**
   * The pid of a process that works in this directory, dying ones included.
   *
   * @throws IOException if that cannot be told now, for want of a descriptor, say
   */
  Optional<Long> pid() throws IOException {
    try {
      List<String> lines =
          Files.readAllLines(data.resolve("postmaster.pid"), StandardCharsets.UTF_8);
      long pid = Long.parseLong(lines.get(0).trim());
      return isOurs(pid) ? Optional.of(pid) : Optional.empty();
    } catch (NoSuchFileException | NumberFormatException | IndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }

  /** A pid file outlives its process, and the pid may be another's by now. */
  private boolean isOurs(long pid) throws IOException {
    Path process = Path.of("/proc", Long.toString(pid));
    try {
      if (state(process) == 'Z') {
        return true; // dying: its directory can no longer be read, but it is not yet gone
      }
      return Files.readSymbolicLink(process.resolve("cwd")).equals(data.toRealPath());
    } catch (AccessDeniedException e) {
      return false;
    } catch (IOException e) {
      if (Files.exists(process)) {
        throw e;
      }
      return false;
    }
  }

  private static char state(Path process) throws IOException {
    String stat = Files.readString(process.resolve("stat"), StandardCharsets.ISO_8859_1);
    return stat.charAt(stat.lastIndexOf(')') + 2);
  }

  /** The port in line 4 of the pid file; line 8 says {@code ready}. */
  boolean isReady(int port) {
    try {
      List<String> lines =
          Files.readAllLines(data.resolve("postmaster.pid"), StandardCharsets.UTF_8);
      return lines.size() >= 8
          && lines.get(3).trim().equals(Integer.toString(port))
          && lines.get(7).trim().equals("ready");
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Stops it: SIGINT, which ends its sessions and writes a checkpoint; after some time SIGQUIT,
   * from which it recovers at the next start.
   *
   * @throws IllegalStateException if it does not end
   */
  void stop() throws IOException, InterruptedException {
    if (!signalAndAwait("INT", Duration.ofSeconds(20))
        && !signalAndAwait("QUIT", Duration.ofSeconds(10))) {
      throw new IllegalStateException(
          "The database server in " + data + " (pid " + pid().orElse(0L) + ") does not stop");
    }
  }

  private boolean signalAndAwait(String signal, Duration patience)
      throws IOException, InterruptedException {
    Optional<Long> pid = pid();
    if (pid.isEmpty()) {
      return true;
    }
    OwnProcess.of(List.of("/bin/sh", "-c", "kill -" + signal + " " + pid.get()))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
    long deadline = System.nanoTime() + patience.toNanos();
    while (System.nanoTime() - deadline < 0) {
      if (pid().isEmpty()) {
        return true;
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
    return pid().isEmpty();
  }
}
