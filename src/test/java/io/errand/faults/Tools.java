package io.errand.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** Programs of the host that the rig can use, and does without where they are missing. */
final class Tools {
  private Tools() {}

  static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  /** Where a program is, if it is installed. */
  static Optional<Path> find(String program) {
    return Stream.concat(
            Stream.of(System.getenv("PATH").split(":")), Stream.of("/usr/sbin", "/usr/local/sbin"))
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** A port of loopback that nobody listens on at this moment. */
  static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }

  /** Runs a command to its end; whether it succeeded. */
  static boolean run(String... command) {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What starts a command as an account that has no name, or nothing where we may not. */
  static List<String> as(int uid) {
    return isRoot()
        ? List.of(
            find("setpriv").orElseThrow().toString(),
            "--reuid=" + uid,
            "--regid=" + uid,
            "--clear-groups",
            "--")
        : List.of();
  }

  /** Whether a limit of processes means anything to a server: it means nothing to root. */
  static boolean mayLimit(Cluster.Node node) throws IOException {
    Path process = Path.of("/proc", Long.toString(node.server().pid()));
    return (Integer) Files.getAttribute(process, "unix:uid") != 0;
  }

  /** A small file system of its own in memory, where we may mount one. */
  static boolean mountSmall(Path folder, String options) {
    return isRoot() && run("mount", "-t", "tmpfs", "-o", options, "errand", folder.toString());
  }

  /** Waits for the last process that used it, which the kernel may still be taking apart. */
  static void unmount(Path folder) {
    Awaitility.await("nothing uses " + folder + " any more")
        .atMost(Duration.ofSeconds(60))
        .until(() -> run("umount", folder.toString()));
  }

  /** Processes one of whose files in {@code /proc} holds a text. */
  static List<String> processes(String file, String part) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      for (Path process : all.toList()) {
        if (!process.getFileName().toString().matches("[0-9]+")) {
          continue;
        }
        try {
          String text = Files.readString(process.resolve(file), StandardCharsets.ISO_8859_1);
          if (text.contains(part)) {
            found.add(process.getFileName() + " " + text);
          }
        } catch (IOException e) {
          // It has ended meanwhile.
        }
      }
    }
    return found;
  }
}
