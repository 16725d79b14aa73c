package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The limits that the kernel holds a process to.
 *
 * @param prefix the command that makes another run as the account of the process
 */
public record ProcessLimits(long pid, List<String> prefix) {
  /**
   * What a process, by its folder in /proc, may raise a limit to, both as the kernel writes them.
   */
  public static String hardLimit(Path process, String name) {
    try {
      return Files.readAllLines(process.resolve("limits")).stream()
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(name.length()).trim().split(" +")[1])
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sets a limit, by its name for prlimit(1) and for the kernel, to so many more than now. */
  void set(String name, String kernelName, OptionalInt more, long now) {
    String hard = hardLimit(Path.of("/proc", Long.toString(pid)), kernelName);
    String soft = more.isPresent() ? Long.toString(now + more.getAsInt()) : hard;
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of("prlimit", "--pid", Long.toString(pid), "--" + name + "=" + soft + ":" + hard));
    try {
      assertThat(new ProcessBuilder(command).start().waitFor()).isZero();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
