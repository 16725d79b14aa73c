package io.errand.exec;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** Commands that keep a pipe of their own locked in the kernel, written in Perl. */
final class PipeHolder {
  /** Splices from an idle socket into stdout, which waits with the pipe locked. */
  private static final String STDOUT =
      """
      use Socket;
      socketpair(my $idle, my $other, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
      for (1 .. 8) {
        if (!fork) {
          syswrite(STDOUT, "x");
          syscall(%d, fileno($idle), 0, 1, 0, 65536, 0);
          exit;
        }
      }
      while (1) {
        syswrite(STDERR, "more\\n");
        select(undef, undef, undef, 0.2);
      }
      """;

  /** The same for 150 ms at a time, again and again. */
  private static final String STDOUT_BRIEFLY =
      """
      use Socket;
      socketpair(my $idle, my $other, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
      while (1) {
        my $child = fork;
        if (!$child) {
          syswrite(STDOUT, "x");
          syscall(%d, fileno($idle), 0, 1, 0, 65536, 0);
          exit;
        }
        select(undef, undef, undef, 0.15);
        kill(9, $child);
        waitpid($child, 0);
      }
      """;

  /** Splices from stdin into a full socket, which waits with the pipe locked. */
  private static final String STDIN =
      """
      use Socket;
      socketpair(my $full, my $other, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
      while (send($full, "0" x 4096, MSG_DONTWAIT)) { }
      while (send($full, "0", MSG_DONTWAIT)) { }
      for (1 .. 8) {
        if (!fork) {
          sysread(STDIN, my $some, 8192);
          syscall(%d, 0, 0, fileno($full), 0, 65536, 0);
          exit;
        }
      }
      sleep 600;
      """;

  private static final Path PERL = Path.of("/usr/bin/perl");
  private static final int LOOKS = 10;
  private static final long SYS_SPLICE =
      System.getProperty("os.arch", "").equals("aarch64") ? 76 : 275;

  private PipeHolder() {}

  static CommandSpec ofStdout() {
    return TestLauncher.spec(perl(), "-e", STDOUT.formatted(SYS_SPLICE));
  }

  static CommandSpec ofStdoutBriefly() {
    return TestLauncher.spec(perl(), "-e", STDOUT_BRIEFLY.formatted(SYS_SPLICE));
  }

  static CommandSpec ofStdin() {
    CommandSpec spec = TestLauncher.spec(perl(), "-e", STDIN.formatted(SYS_SPLICE));
    return TestLauncher.reading(spec, new byte[1 << 20]);
  }

  private static String perl() {
    assumeTrue(Files.exists(PERL), "needs perl");
    return PERL.toString();
  }

  /**
   * Whether a thread of an event loop of this process sleeps in the kernel without end: so it was
   * found at each of several looks.
   */
  static boolean holdsUpAThread() {
    Set<String> sleeping = sleeping();
    for (int look = 1; look < LOOKS && !sleeping.isEmpty(); look++) {
      sleeping.retainAll(sleeping());
    }
    return !sleeping.isEmpty();
  }

  private static Set<String> sleeping() {
    Set<String> found = new HashSet<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        byte[] stat = Files.readAllBytes(thread.resolve("stat"));
        if (new String(stat, StandardCharsets.ISO_8859_1)
            .matches("(?s).*\\(errand-exec.*\\) D .*")) {
          found.add(String.valueOf(thread.getFileName()));
        }
      }
    } catch (IOException e) {
      return found; // a thread has ended meanwhile
    }
    return found;
  }
}
